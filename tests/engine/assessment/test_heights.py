"""Heights of box, wedge and biconcave bodies of known size."""

from __future__ import annotations

import pytest

from vertebro.assessment import assess_levels
from vertebro.phantoms import BoxSettings, make_box_phantom


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.8, 2.0), (3.0, 3.0, 3.0)])
@pytest.mark.parametrize(("shape", "loss"), [("box", 0.0), ("wedge", 30.0), ("biconcave", 30.0)])
def test_simple_bodies_are_exact_to_the_voxel(shape, loss, spacing):
    phantom = make_box_phantom(BoxSettings(shape=shape, height_loss_percent=loss, spacing_mm=spacing))

    heights = assess_levels(phantom.volume, phantom.labels).levels["L1"].heights_mm

    for name in ("anterior", "middle", "posterior"):
        wanted = getattr(phantom.truth.surface_heights_mm, name)
        assert getattr(heights, name).value == pytest.approx(wanted, abs=max(spacing))


def test_interval_holds_the_value_and_says_what_it_rests_on():
    phantom = make_box_phantom(BoxSettings())

    estimate = assess_levels(phantom.volume, phantom.labels).levels["L1"].heights_mm.anterior

    assert estimate.lower < 24.0 < estimate.upper
    assert "Huber" in estimate.basis
