"""Adding up dose and saying when levels are passed."""

from __future__ import annotations

import pytest

from vertebro.case import ViewDose
from vertebro.fluoroscopy import DoseTally, alert_levels

IMAGE = ViewDose(
    air_kerma_mgy=100.0,
    kerma_area_gy_cm2=8.0,
    exposure_mas=1.0,
    tube_voltage_kv=80.0,
    detector_air_kerma_ngy=240.0,
)


def test_levels_are_those_of_the_guideline() -> None:
    levels = {name: (row.first, row.step, row.follow_up) for name, row in alert_levels().items()}

    assert levels == {
        "fluoroscopy_time": (30.0, 15.0, 60.0),
        "air_kerma": (3000.0, 500.0, 5000.0),
        "kerma_area": (300.0, 100.0, 500.0),
    }


def test_sums_add_up() -> None:
    tally = DoseTally().after(IMAGE, seconds=4.0).after(IMAGE, seconds=6.0, repeats=2.0)

    assert tally.air_kerma_mgy == pytest.approx(300.0)
    assert tally.kerma_area_gy_cm2 == pytest.approx(24.0)
    assert tally.fluoroscopy_time_s == pytest.approx(10.0)
    assert tally.n_images == 2


def test_each_level_is_said_once() -> None:
    tally, codes = DoseTally(), []
    for _ in range(36):
        tally, found = tally.after(IMAGE).notices()
        codes += [(item.code, round(tally.air_kerma_mgy)) for item in found]

    assert codes == [("dose.air_kerma", 3000), ("dose.air_kerma", 3500)]


def test_long_procedures_ask_for_follow_up() -> None:
    tally, found = DoseTally().after(IMAGE, seconds=61 * 60.0).notices()

    assert [item.code for item in found] == ["dose.fluoroscopy_time", "dose.follow_up"]
    assert tally.notices()[1] == ()
