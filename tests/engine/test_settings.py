"""Settings: declared with range, unit and source; checked once; written whole."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from enum import StrEnum

import numpy as np
import pytest

from vertebro.errors import SettingsError
from vertebro.settings import setting, to_json, validate


class Side(StrEnum):
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Inner:
    depth_mm: float = setting(3.0, "How deep.", lower=0.0, unit="mm", source="assumed: for a test")

    def __post_init__(self) -> None:
        validate(self)


@dataclass(frozen=True, slots=True)
class Outer:
    spacing_mm: tuple[float, float, float] = setting(
        (1.0, 1.0, 2.0), "Voxel size.", lower=0.2, upper=5.0, unit="mm", source="assumed: for a test"
    )
    loss_percent: float = setting(20.0, "Threshold.", lower=5.0, upper=40.0, unit="percent")
    tilt_deg: float | None = setting(None, "Tilt, if any.", lower=-30.0, upper=30.0, unit="deg")
    temperature: float = setting(1.0, "At most.", upper=2.0)
    side: Side = setting(Side.LEFT, "Which side.")
    name: str = setting("spine", "A name.")
    inner: Inner = setting(Inner(), "More of it.")

    def __post_init__(self) -> None:
        validate(self)


def test_defaults_are_valid_and_carry_their_metadata() -> None:
    item = {entry.name: entry for entry in fields(Outer())}["spacing_mm"]

    assert dict(item.metadata) == {
        "doc": "Voxel size.",
        "lower": 0.2,
        "upper": 5.0,
        "unit": "mm",
        "source": "assumed: for a test",
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spacing_mm": (1.0, 0.1, 1.0)}, "Got spacing_mm = 0.1 mm. Needed: 0.2 to 5.0 mm."),
        ({"loss_percent": 41.0}, "Got loss_percent = 41.0 percent. Needed: 5.0 to 40.0 percent."),
        ({"loss_percent": math.nan}, "Got loss_percent = nan percent."),
        ({"tilt_deg": 31.0}, "Needed: -30.0 to 30.0 deg."),
        ({"temperature": 3.0}, "Needed: at most 2.0."),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_range(changes: dict[str, float], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Outer(**changes)  # type: ignore[arg-type]

    assert message in str(caught.value)
    assert caught.value.fields == tuple(changes)


@pytest.mark.parametrize(
    "changes",
    [{"tilt_deg": None}, {"tilt_deg": -30.0}, {"temperature": -1e9}, {"spacing_mm": (0.2, 5.0, 1.0)}],
)
def test_values_in_range_missing_or_one_sided_are_accepted(changes: dict[str, float]) -> None:
    assert Outer(**changes) is not None  # type: ignore[arg-type]


def test_a_one_sided_range_refuses_below_and_names_it() -> None:
    with pytest.raises(SettingsError, match=r"depth_mm = -1.*at least 0\.0 mm"):
        Inner(depth_mm=-1.0)


def test_json_is_complete_nested_and_ready() -> None:
    data = to_json(Outer(tilt_deg=5.0))

    assert json.loads(json.dumps(data)) == {
        "spacing_mm": [1.0, 1.0, 2.0],
        "loss_percent": 20.0,
        "tilt_deg": 5.0,
        "temperature": 1.0,
        "side": "left",
        "name": "spine",
        "inner": {"depth_mm": 3.0},
    }


def test_json_of_mappings_has_text_keys() -> None:
    @dataclass(frozen=True)
    class Table:
        rows: dict[int, tuple[Side, ...]] = field(default_factory=lambda: {1: (Side.LEFT,)})

    assert to_json(Table()) == {"rows": {"1": ["left"]}}


def test_what_is_no_plain_value_is_refused() -> None:
    @dataclass(frozen=True)
    class Odd:
        array: object = field(default_factory=lambda: np.zeros(3))

    with pytest.raises(SettingsError, match="a setting of type ndarray"):
        to_json(Odd())
