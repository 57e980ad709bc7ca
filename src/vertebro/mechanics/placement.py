"""Where cement sits: simple shapes of a given fill, and what each gives back.

Shapes are grown cube by cube, nearest first, until they hold the wanted share of the body, so that equal
fills can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.mechanics.loading import press
from vertebro.mechanics.mesh import VertebraMesh
from vertebro.mechanics.model import SOUND, BoneCondition, build_model
from vertebro.mechanics.settings import ModelSettings

SHELL_MM = 2.0
"""Thickness of wall and endplate that a core column does not reach (assumed: one to two cubes)."""


class CementShape(StrEnum):
    """A simple shape of cement."""

    BOLUS = "bolus"
    """One ball in the middle of the body."""
    TWO_BOLUSES = "two_boluses"
    """A ball in each half, as from two needles."""
    CORE_COLUMN = "core_column"
    """An upright column in the spongy inside that stops short of the endplates."""
    ENDPLATE_COLUMN = "endplate_column"
    """An upright column from endplate to endplate."""


def cement_of_shape(
    mesh: VertebraMesh, shape: CementShape, fill: float, *, inside: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """(ni, nj, nk): 1 in the cubes that the shape takes, 0 elsewhere.

    Parameters
    ----------
    mesh : VertebraMesh
    shape : CementShape
    fill : float in [0, 1]
        Share of the body's volume; less where the shape has no room for it.
    inside : (ni, nj, nk) mask, optional
        The spongy inside; the body less :data:`SHELL_MM` without it.

    Examples
    --------
    >>> from vertebro.mechanics.mesh import box_mesh
    >>> mesh = box_mesh((10, 10, 10), density_mg_cc=100.0, spacing_mm=1.0)
    >>> float(cement_of_shape(mesh, CementShape.BOLUS, 0.1).sum())
    100.0
    """
    core = inside if inside is not None else _inside(mesh)
    if not core.any():
        return np.zeros(core.shape)
    room = mesh.body if shape is CementShape.ENDPLATE_COLUMN else core
    distance = _distance(core, shape)
    index = np.flatnonzero(room)
    order = index[np.argsort(distance.ravel()[index], kind="stable")]
    wanted = min(round(fill * int(mesh.body.sum())), order.size)
    share = np.zeros(core.size)
    share[order[:wanted]] = 1.0
    return share.reshape(core.shape)


def _inside(mesh: VertebraMesh) -> NDArray[np.bool_]:
    steps = max(1, round(SHELL_MM / mesh.spacing_mm))
    return np.asarray(ndimage.binary_erosion(mesh.body, iterations=steps))


def _distance(core: NDArray[np.bool_], shape: CementShape) -> NDArray[np.float64]:
    """Distance of each cube from the shape's middle, in cubes."""
    i, j, k = (np.asarray(a, dtype=np.float64) for a in np.indices(core.shape))
    centre = np.argwhere(core).mean(axis=0)
    across = (i - centre[0]) ** 2 + (j - centre[1]) ** 2
    if shape in (CementShape.CORE_COLUMN, CementShape.ENDPLATE_COLUMN):
        return np.asarray(across)
    height = (k - centre[2]) ** 2
    if shape is CementShape.BOLUS:
        return np.asarray(across + height)
    offset = float(np.abs(np.argwhere(core)[:, 0] - centre[0]).mean())  # middle of each half
    side = np.minimum((i - centre[0] - offset) ** 2, (i - centre[0] + offset) ** 2)
    return np.asarray(side + (j - centre[1]) ** 2 + height)


@dataclass(frozen=True, slots=True)
class PlacementResult:
    """What one shape of one fill gives."""

    shape: CementShape
    fill_percent: float
    """Of the body's volume, as it came out."""
    stiffness_ratio: float
    """With cement, over the reference."""


def placement_study(
    mesh: VertebraMesh,
    settings: ModelSettings,
    fills: Sequence[float],
    *,
    condition: BoneCondition = SOUND,
    reference_n_per_mm: float | None = None,
    inside: NDArray[np.bool_] | None = None,
) -> tuple[PlacementResult, ...]:
    """Stiffness by shape and fill, over that of the intact body.

    Parameters
    ----------
    mesh : VertebraMesh
    settings : ModelSettings
    fills : sequence of float
        Shares of the body's volume.
    condition : BoneCondition
        Of the bone around the cement.
    reference_n_per_mm : float, optional
        What 1 means; the same mesh with sound bone without it.
    inside : mask, optional
        See :func:`cement_of_shape`.
    """
    reference = reference_n_per_mm
    if reference is None:
        reference = press(build_model(mesh, settings), 0.2).stiffness_n_per_mm
    results = []
    start = None
    for shape in CementShape:
        for fill in fills:
            share = cement_of_shape(mesh, shape, fill, inside=inside)
            model = build_model(mesh, settings, condition=condition, cement_fraction=share)
            response = press(model, 0.2, start=start)
            start = response.solution
            results.append(
                PlacementResult(shape, model.fill_percent, response.stiffness_n_per_mm / reference)
            )
    return tuple(results)


def fill_that_restores(results: Sequence[PlacementResult]) -> Mapping[CementShape, float | None]:
    """Least fill (percent of the body) at which each shape gives the reference back; None where none did.

    Between the fills tried, stiffness is taken to run straight; below the least, from no gain at no fill.

    Examples
    --------
    >>> tried = (PlacementResult(CementShape.BOLUS, 10.0, 0.8), PlacementResult(CementShape.BOLUS, 20.0, 1.2))
    >>> round(fill_that_restores(tried)[CementShape.BOLUS])
    15
    """
    found: dict[CementShape, float | None] = {}
    for shape in CementShape:
        rows = sorted((r for r in results if r.shape is shape), key=lambda r: r.fill_percent)
        found[shape] = _crossing(rows) if rows else None
    return found


def _crossing(rows: Sequence[PlacementResult]) -> float | None:
    for before, after in pairwise(rows):
        if before.stiffness_ratio < 1.0 <= after.stiffness_ratio:
            step = (1.0 - before.stiffness_ratio) / (after.stiffness_ratio - before.stiffness_ratio)
            return before.fill_percent + step * (after.fill_percent - before.fill_percent)
    return rows[0].fill_percent if rows[0].stiffness_ratio >= 1.0 else None
