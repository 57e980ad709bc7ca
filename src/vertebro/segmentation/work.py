"""Intermediate results of a segmentation, kept so that a correction recomputes only what it changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.case.correction import Paint
from vertebro.segmentation.body_surface import BodySurface
from vertebro.segmentation.canal import CanalPath
from vertebro.segmentation.column_outline import Column
from vertebro.segmentation.disc_planes import DiscEvidence, DiscPlane
from vertebro.segmentation.working_grid import WorkingImage


@dataclass(frozen=True, eq=False, slots=True)
class SpineWork:
    """Everything between the CT and the labels."""

    coarse: WorkingImage
    fine: WorkingImage
    canal: CanalPath
    column: Column
    evidence: DiscEvidence
    discs: tuple[DiscPlane, ...]
    """With those added at the ends."""
    bodies: tuple[BodySurface, ...]
    """From caudal to cranial; one fewer than the discs, sacral ones included."""
    kept: tuple[int, ...]
    """Which of the bodies became levels, from caudal to cranial."""
    painted: NDArray[np.uint8]
    """Whole vertebrae on the fine grid: 1 + index of the body."""
    given: tuple[tuple[NDArray[np.float64], str], ...] = ()
    """Levels that a person named: a world position, and the name."""
    strokes: tuple[Paint, ...] = ()
    """What a person painted and erased."""
