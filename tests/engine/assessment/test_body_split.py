"""Body against posterior elements."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.assessment.body_split import given_body, rough_body, split_body
from vertebro.geometry import apply_affine
from vertebro.imaging import VolumeGeometry
from vertebro.imaging.lift import MaskCrop

GRID = VolumeGeometry.from_spacing((70, 90, 40), (1.0, 1.0, 1.0))
ORIGIN = np.array([35.0, 60.0, 20.0])


def made_vertebra() -> tuple[np.ndarray, np.ndarray]:
    """A block of a body with two pedicles and an arch round a canal; axes right, anterior, superior."""
    body = np.zeros(GRID.shape, bool)
    body[15:55, 45:76, 8:32] = True
    vertebra = body.copy()
    vertebra[17:26, 25:45, 20:31] = True
    vertebra[44:53, 25:45, 20:31] = True
    vertebra[17:53, 18:25, 10:31] = True
    return vertebra, body


def test_cut_runs_along_the_back_wall():
    vertebra, body = made_vertebra()

    split = split_body(vertebra, GRID, ORIGIN)

    assert split is not None
    assert np.logical_xor(split.body, body).sum() < 0.02 * body.sum()
    assert split.posterior_fraction == pytest.approx(1.0 - body.sum() / vertebra.sum(), abs=0.02)


def test_label_of_a_body_alone_is_left_whole():
    _, body = made_vertebra()

    split = split_body(body, GRID, ORIGIN)

    assert split is not None
    assert split.posterior_fraction < 0.01


def test_gas_inside_is_filled():
    vertebra, body = made_vertebra()
    vertebra[30:40, 55:65, 15:20] = False

    split = split_body(vertebra, GRID, ORIGIN)

    assert split is not None
    assert split.body[35, 60, 17]
    assert np.logical_xor(split.body, body).sum() < 0.02 * body.sum()


def test_empty_label_has_no_body():
    assert split_body(np.zeros(GRID.shape, bool), GRID, ORIGIN) is None
    assert given_body(np.zeros((3, 3, 3), bool), np.ones((3, 3, 3), bool)) is None


def test_crushed_body_thinner_than_its_lamina_is_still_the_body():
    vertebra = np.zeros(GRID.shape, bool)
    vertebra[15:55, 45:76, 16:24] = True  # 8 mm high
    for side in (slice(15, 27), slice(43, 55)):
        vertebra[side, 40:45, 18:22] = True
        vertebra[side, 28:40, 12:26] = True  # junction of lamina and transverse process, 12 mm thick
    vertebra[33:37, 0:28, 14:22] = True

    rough = rough_body(MaskCrop(vertebra, GRID), np.array([0.0, 1.0, 0.0]))

    assert rough is not None
    middle = apply_affine(GRID.lps_from_voxel, np.array([34.5, 60.0, 19.5]))
    assert np.linalg.norm(rough.centre_lps_mm - middle) < 3.0
