"""The error tree and its three-part messages."""

from __future__ import annotations

import copy
import pickle

import pytest

from vertebro.errors import (
    Cancelled,
    GeometryError,
    InputError,
    MismatchError,
    ReadError,
    SettingsError,
    SolverError,
    VertebroError,
    require_range,
)

INPUT_ERRORS = [InputError, ReadError, GeometryError, MismatchError, SettingsError]


def _error(kind: type[InputError]) -> InputError:
    return kind("a.code", got="this", needed="that", remedy="Do so.", fields=("ct", "labels"))


@pytest.mark.parametrize("kind", INPUT_ERRORS)
def test_an_input_error_speaks_in_three_parts(kind: type[InputError]) -> None:
    error = _error(kind)

    assert str(error) == "Got this. Needed: that. Do so."
    assert (error.code, error.got, error.needed, error.remedy) == ("a.code", "this", "that", "Do so.")
    assert error.fields == ("ct", "labels")


@pytest.mark.parametrize("kind", INPUT_ERRORS)
def test_an_input_error_is_a_value_error_of_vertebro(kind: type[InputError]) -> None:
    assert issubclass(kind, InputError)
    assert issubclass(kind, VertebroError)
    assert issubclass(kind, ValueError)


@pytest.mark.parametrize("kind", [SolverError, Cancelled])
def test_other_errors_are_of_vertebro_but_no_input_errors(kind: type[VertebroError]) -> None:
    assert issubclass(kind, VertebroError)
    assert not issubclass(kind, ValueError)


@pytest.mark.parametrize("kind", INPUT_ERRORS)
@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_an_input_error_crosses_process_borders_whole(kind: type[InputError], protocol: int) -> None:
    error = _error(kind)

    twin = pickle.loads(pickle.dumps(error, protocol))

    assert type(twin) is kind
    assert str(twin) == str(error)
    assert (twin.code, twin.fields) == ("a.code", ("ct", "labels"))
    assert copy.copy(error).remedy == "Do so."


@pytest.mark.parametrize("value", [0.2, 1.0, 5.0])
def test_the_ends_of_a_range_belong_to_it(value: float) -> None:
    require_range("spacing_mm", value, 0.2, 5.0)


@pytest.mark.parametrize(
    ("value", "lower", "upper", "message"),
    [
        (0.1, 0.2, 5.0, "Got spacing_mm = 0.1 mm. Needed: 0.2 to 5.0 mm. Choose a value in that range."),
        (5.1, 0.2, 5.0, "Got spacing_mm = 5.1 mm. Needed: 0.2 to 5.0 mm. Choose a value in that range."),
        (float("nan"), 0.2, 5.0, "Got spacing_mm = nan mm. Needed: 0.2 to 5.0 mm."),
        (-1.0, 0.0, float("inf"), "Needed: at least 0.0 mm."),
        (9.0, float("-inf"), 5.0, "Needed: at most 5.0 mm."),
    ],
)
def test_out_of_range_is_refused_with_the_range(
    value: float, lower: float, upper: float, message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        require_range("spacing_mm", value, lower, upper, unit="mm")

    assert message in str(caught.value)
    assert caught.value.code == "settings.range"
    assert caught.value.fields == ("spacing_mm",)


def test_the_code_of_a_range_error_can_be_chosen() -> None:
    with pytest.raises(SettingsError) as caught:
        require_range("n", 3, 0, 1, code="phantom.n")

    assert caught.value.code == "phantom.n"
    assert "Got n = 3. Needed: 0 to 1." in str(caught.value)
