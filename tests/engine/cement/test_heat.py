from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vertebro.cement.heat import HeatSettings, simulate_curing_heat
from vertebro.errors import MismatchError, SettingsError
from vertebro.imaging import ScalarVolume, VolumeGeometry
from vertebro.materials.curing import CuringLaw
from vertebro.materials.thermal import CementHeat, ThermalTissue

QUICK = HeatSettings(margin_mm=8.0, cell_mm=2.0)


def bolus(radius_mm: float, count: int = 16, spacing_mm: float = 2.0, share: float = 0.85):
    grid = VolumeGeometry.from_spacing((count,) * 3, (spacing_mm,) * 3)
    place = (np.indices(grid.shape) - (count - 1) / 2) * spacing_mm
    inside = np.sqrt((place**2).sum(axis=0)) <= radius_mm
    fraction = np.where(inside, share, 0.0).astype(np.float32)
    return ScalarVolume(fraction, grid, "cement share of the voxel"), np.ones(grid.shape, np.uint8)


def peak(
    volume: ScalarVolume, tissue: np.ndarray, cement: CementHeat | None = None, **settings: float
) -> float:
    heat = simulate_curing_heat(
        volume,
        tissue,
        cement or CementHeat(),
        injected_s=300.0,
        sites={},
        settings=replace(QUICK, **settings),
    )
    return float(heat.peak_degc.values.max())


def test_no_cement_leaves_the_body_at_its_temperature():
    volume, tissue = bolus(0.0)

    heat = simulate_curing_heat(volume, tissue, CementHeat(), injected_s=0.0, sites={"all": tissue > 0})

    assert heat.sites["all"].peak_degc == 37.0
    assert heat.released_j == 0.0


def test_more_cement_and_more_heat_of_reaction_are_hotter():
    small, tissue = bolus(6.0)
    large, _ = bolus(11.0)

    assert peak(large, tissue) > peak(small, tissue) + 5.0
    assert peak(small, tissue, CementHeat(heat_j_g=170.0)) > peak(small, tissue) + 5.0


def test_blood_and_canal_cool():
    volume, tissue = bolus(6.0)
    canal = np.full_like(tissue, ThermalTissue.CANAL)

    assert peak(volume, tissue, perfusion=3.0) < peak(volume, tissue, perfusion=0.0)
    assert peak(volume, canal) < peak(volume, tissue)


def test_cement_that_cured_before_it_was_injected_gives_hardly_any_heat():
    volume, tissue = bolus(6.0)
    settled = simulate_curing_heat(
        volume,
        tissue,
        CementHeat(curing=CuringLaw.from_setting_time(120.0, at_degc=21.0)),
        injected_s=3000.0,
        sites={},
        settings=QUICK,
    )

    assert float(settled.peak_degc.values.max()) < 40.0


def test_a_finer_grid_is_joined_to_the_wanted_cells_and_agrees():
    coarse, tissue = bolus(7.0)
    fine, fine_tissue = bolus(7.0, count=32, spacing_mm=1.0)

    assert peak(fine, fine_tissue) == pytest.approx(peak(coarse, tissue), abs=6.0)


def test_halving_the_steps_moves_the_peak_little():
    volume, tissue = bolus(8.0)

    rough = peak(volume, tissue)
    fine = peak(volume, tissue, longest_step_s=5.0, largest_conversion=0.02)

    assert rough == pytest.approx(fine, abs=0.5)


def test_places_are_reported_and_empty_ones_left_out():
    volume, tissue = bolus(8.0)
    near = np.asarray(volume.values) > 0
    heat = simulate_curing_heat(
        volume,
        tissue,
        CementHeat(),
        injected_s=300.0,
        sites={"centre": near, "nowhere": np.zeros_like(near)},
        settings=QUICK,
    )

    assert set(heat.sites) == {"centre"}
    site = heat.sites["centre"]
    assert site.peak_degc == pytest.approx(float(heat.peak_degc.values[near].max()))
    assert site.seconds_above_45 > site.seconds_above_50 > 0.0
    assert heat.site_curves_degc["centre"].size == heat.times_s.size
    assert heat.to_json()["sites"]["centre"]["peak_degc"] == round(site.peak_degc, 2)


def test_equal_inputs_give_equal_bytes():
    volume, tissue = bolus(6.0)
    runs = [
        simulate_curing_heat(volume, tissue, CementHeat(), injected_s=300.0, sites={}, settings=QUICK)
        for _ in range(2)
    ]

    assert runs[0].cem43_min.values.tobytes() == runs[1].cem43_min.values.tobytes()


def test_wrong_shapes_and_ages_are_refused():
    volume, tissue = bolus(4.0)
    with pytest.raises(MismatchError) as caught:
        simulate_curing_heat(volume, tissue[1:], CementHeat(), injected_s=0.0, sites={})
    assert caught.value.code == "heat.shape"
    with pytest.raises(SettingsError):
        simulate_curing_heat(volume, tissue, CementHeat(), injected_s=-1.0, sites={})
