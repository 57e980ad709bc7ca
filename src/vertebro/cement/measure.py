"""What is read off an injection at a moment: fill, symmetry, how near the back wall, endplate contact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.cement.state import InjectionState

FILLED = 0.5
"""Share of the pores from which a voxel counts as reached by the front."""
ENDPLATE_REACH_MM = 2.5
"""Cement within this of an endplate touches it (assumed: a voxel and the plate's own thickness)."""
POSTERIOR_QUARTER = 0.25
"""Cement farther back is in the posterior quarter, where operators stop (clinic practice)."""


def reached(state: InjectionState) -> NDArray[np.bool_]:
    """Flow cells of the body that the cement's front has reached."""
    return np.asarray((state.flow.saturation >= FILLED) & state.site.in_body)


def distance_to_posterior_wall_mm(state: InjectionState) -> float | None:
    """From the rearmost cement in the body to its back wall; None without cement."""
    filled = reached(state)
    if not filled.any():
        return None
    return max(float(state.site.back_mm[filled].min()), 0.0)


def is_in_posterior_quarter(state: InjectionState) -> bool:
    """Whether cement in the body lies in its posterior quarter."""
    filled = reached(state)
    return bool(filled.any() and state.site.depth_share[filled].min() < POSTERIOR_QUARTER)


def fill_percent(state: InjectionState) -> float:
    """Cement in the body over the body's whole volume, percent."""
    site = state.site
    held = site.medium.pore_volume_mm3 * state.flow.saturation
    body_mm3 = float(site.survey.body.sum()) * site.survey.spacing_mm**3
    return 100.0 * float(held[site.in_body].sum()) / body_mm3


def symmetry_percent(state: InjectionState) -> float:
    """Cement in the lesser half over that in the greater, right against left, percent; 100 without any."""
    site = state.site
    held = site.medium.pore_volume_mm3 * state.flow.saturation * site.in_body
    columns = np.flatnonzero(site.in_body.any(axis=(1, 2)))
    middle = 0.5 * (columns[0] + columns[-1])
    x = np.arange(held.shape[0])
    by_column = held.sum(axis=(1, 2))
    right = float(by_column[x > middle].sum() + 0.5 * by_column[x == middle].sum())
    left = float(by_column[x < middle].sum() + 0.5 * by_column[x == middle].sum())
    greater = max(left, right)
    return 100.0 if greater <= 0.0 else 100.0 * min(left, right) / greater


def touches_both_endplates(state: InjectionState) -> bool:
    """Whether one connected mass of cement reaches from endplate to endplate."""
    site = state.site
    filled = reached(state)
    pieces, count = ndimage.label(filled)
    if count == 0:
        return False
    body = site.in_body
    reach = max(1, round(ENDPLATE_REACH_MM / site.survey.spacing_mm))
    near_top = body & ~_shifted(body, reach, up=True)
    near_bottom = body & ~_shifted(body, reach, up=False)
    interior = _interior_columns(body, site.survey.spacing_mm)
    top = set(np.unique(pieces[near_top & interior])) - {0}
    bottom = set(np.unique(pieces[near_bottom & interior])) - {0}
    return bool(top & bottom)


def _shifted(body: NDArray[np.bool_], reach: int, *, up: bool) -> NDArray[np.bool_]:
    """Whether the voxel ``reach`` further up (or down) is body."""
    moved = np.zeros_like(body)
    if reach >= body.shape[2]:
        return moved
    if up:
        moved[:, :, :-reach] = body[:, :, reach:]
    else:
        moved[:, :, reach:] = body[:, :, :-reach]
    return moved


def _interior_columns(body: NDArray[np.bool_], spacing_mm: float) -> NDArray[np.bool_]:
    """(i, j, 1): columns away from the rim, where up and down meet the endplates."""
    outline = np.asarray(body.any(axis=2))
    inner = ndimage.binary_erosion(outline, iterations=max(1, round(3.0 / spacing_mm)))
    return np.asarray((inner if inner.any() else outline)[:, :, None])
