"""Parts of a vertebra, by place in its own frame: body rim and core, arch, spinous, transverse and articular.

Numbers 41–50 as in CTSpine-type subregion labels: 41 arch, 42 spinous process, 43/44 transverse process
left/right, 45/46 superior articular left/right, 47/48 inferior articular left/right, 49 rim and 50 core
of the body.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.segmentation.body_surface import BodySurface

CORE_DEPTH_MM = 4.0
"""The body's core begins this far inside, as in the phantoms (assumed)."""


def subregions_at(body: BodySurface, points_lps_mm: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(n,): part of the vertebra that positions inside its label belong to."""
    frame = body.frame
    half_width, back, _ = body.waist_mm
    local = points_lps_mm @ frame.level_from_lps[:3, :3].T + frame.level_from_lps[:3, 3]
    excess = body.excess(points_lps_mm)
    side, height = local[:, 0] / half_width, local[:, 2] / frame.half_height_mm
    behind = back - local[:, 1]
    is_left = local[:, 0] < 0.0
    part = np.full(len(local), 41, dtype=np.uint8)
    lateral = (np.abs(side) > 0.85) & (behind > 3.0)
    part[lateral] = np.where(is_left, 43, 44)[lateral]
    upper = (height > 0.75) & (np.abs(side) > 0.3) & (behind > 3.0) & (np.abs(side) < 1.2)
    part[upper] = np.where(is_left, 45, 46)[upper]
    lower = (height < -0.75) & (np.abs(side) > 0.2) & (behind > 3.0) & (np.abs(local[:, 0]) > 5.0)
    part[lower] = np.where(is_left, 47, 48)[lower]
    part[(np.abs(local[:, 0]) < 6.5) & (behind > 24.0)] = 42
    part[excess <= 0.3] = 49
    part[excess <= -CORE_DEPTH_MM] = 50
    return part
