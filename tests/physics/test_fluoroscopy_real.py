"""Simulated X-rays of real CTs."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from real_data import real_data
from validation import validate_localizer
from vertebro.case import CArmPose
from vertebro.fluoroscopy import FluoroscopySettings, render_view
from vertebro.imaging import Volume, VolumeGeometry

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


def test_simulated_localizer_correlates_with_the_scanners_own() -> None:
    real_data("chest-abdomen-with-scout", "scout_ap.npy")

    pair = validate_localizer.simulate()

    bone = pair.mineral > 0.35
    real, simulated = (
        validate_localizer.band_passed(image, pair.spacing_mm) for image in (pair.real, pair.simulated)
    )
    everywhere = np.ones_like(bone)
    assert validate_localizer.correlation(pair.real, pair.simulated, everywhere) > 0.98
    assert validate_localizer.correlation(real, simulated, bone) > 0.65


def test_lateral_view_of_a_fractured_lumbar_spine_shows_bone_darker_than_its_discs() -> None:
    image = nib.load(real_data("verse012-L1-fracture", "ct.nii.gz"))
    labels = np.asarray(nib.load(real_data("verse012-L1-fracture", "vertebrae.nii.gz")).dataobj)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    hu = np.clip(np.rint(np.asarray(image.dataobj)), -1024, 32000).astype(np.int16)
    volume = Volume(hu, VolumeGeometry(hu.shape, affine))
    inside = np.argwhere(labels == 21)  # L2
    centre = affine[:3, :3] @ inside.mean(axis=0) + affine[:3, 3]
    settings = FluoroscopySettings(512, 512, c_arm="fixed_biplane", plane="lateral")

    view = render_view(volume, CArmPose.parse("lateral", centre), settings)

    world = inside @ affine[:3, :3].T + affine[:3, 3]
    rows = view.project(world)[:, 1]
    band = view.pixels[:, 230:256].mean(axis=1)
    top, bottom = int(rows.min()), int(rows.max())
    assert 0 < top < bottom < 512
    endplates = band[top - 5 : bottom + 5].min()
    assert endplates < np.median(band[top:bottom]) - 8
    assert "view.truncated" in [item.code for item in view.findings]
