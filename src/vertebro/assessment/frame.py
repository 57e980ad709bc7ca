"""The local frame of a vertebra: right, anterior, superior, found from several witnesses.

Superior starts as the direction of the line through the neighbouring bodies and becomes the
bisector of the two endplates. Anterior starts as the direction from the posterior elements to the
body (from the world's anterior for body-only labels) and is turned about superior until the
vertebra seen from above is its own mirror image. The origin is the middle of the body.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.assessment.body_split import BodySplit, RoughBody, given_body, split_body
from vertebro.assessment.endplates import (
    ColumnSurfaces,
    EndplateFit,
    LocalPlane,
    column_surfaces,
    fit_endplate,
    huber_plane,
    outline_near,
    walls_between,
)
from vertebro.assessment.settings import AssessmentSettings
from vertebro.geometry import apply_affine, rigid_from_axes
from vertebro.imaging import VolumeGeometry
from vertebro.imaging.lift import MaskCrop, coverage_on, local_points, patch_grid

WORLD_ANTERIOR_LPS = np.array([0.0, -1.0, 0.0])
WORLD_SUPERIOR_LPS = np.array([0.0, 0.0, 1.0])
MAX_TILT_FROM_SPINE_DEG = 35.0
"""Endplates tilted more than this against the line of bodies are taken for a failed fit (assumed: the
steepest, L5 on the sacrum, is under 30)."""
COARSE_STEP_MM = 1.5
"""Spacing of the patch that frames are found on (assumed)."""


@dataclass(frozen=True, eq=False, slots=True)
class LocalFrame:
    """Where a vertebra's own axes lie and the box that holds it."""

    lps_from_vertebra: NDArray[np.float64]
    lower_mm: NDArray[np.float64]
    """(3,) lower corner of the body's box in the local frame."""
    upper_mm: NDArray[np.float64]
    is_body_only: bool


@dataclass(frozen=True, eq=False, slots=True)
class LiftedBody:
    """A body on a patch, with its surfaces and planes."""

    coverage: NDArray[np.float32]
    split: BodySplit
    surfaces: ColumnSurfaces
    top_fit: EndplateFit | None
    bottom_fit: EndplateFit | None
    back_mm: NDArray[np.float64]
    """(nx,) back wall of each sagittal row, NaN where there is none."""
    front_mm: NDArray[np.float64]

    @property
    def top(self) -> LocalPlane | None:
        """Plane of the upper endplate."""
        return self.top_fit.plane if self.top_fit else None

    @property
    def bottom(self) -> LocalPlane | None:
        """Plane of the lower endplate."""
        return self.bottom_fit.plane if self.bottom_fit else None


def axes_from(superior: NDArray[np.float64], anterior: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) rows right, anterior, superior; anterior is made orthogonal to superior.

    Examples
    --------
    >>> axes_from(np.array([0.0, 0.0, 2.0]), np.array([0.0, -1.0, 0.3])).round(6).tolist()[0]
    [-1.0, 0.0, 0.0]
    """
    up = superior / np.linalg.norm(superior)
    front = anterior - (anterior @ up) * up
    if np.linalg.norm(front) < 1e-6:
        spare = WORLD_SUPERIOR_LPS if abs(up[2]) < 0.9 else WORLD_ANTERIOR_LPS
        front = spare - (spare @ up) * up
    front = front / np.linalg.norm(front)
    right = np.cross(front, up)
    return np.asarray([right, front, up])


def spine_tangents(centres_lps_mm: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Unit direction to superior of the line through body centres given from cranial to caudal.

    A single centre gets the world's superior.

    Examples
    --------
    >>> up = spine_tangents([np.array([0.0, 0.0, 30.0]), np.array([0.0, 0.0, 0.0])])
    >>> up[0].tolist()
    [0.0, 0.0, 1.0]
    """
    n = len(centres_lps_mm)
    tangents = []
    for index in range(n):
        above, below = centres_lps_mm[max(index - 1, 0)], centres_lps_mm[min(index + 1, n - 1)]
        direction = above - below
        length = float(np.linalg.norm(direction))
        unit = direction / length if length > 1.0 else WORLD_SUPERIOR_LPS.copy()
        tangents.append(unit if unit @ WORLD_SUPERIOR_LPS > -0.2 else -unit)
    return tangents


def find_frame(
    crop: MaskCrop,
    rough: RoughBody,
    tangent_lps: NDArray[np.float64],
    settings: AssessmentSettings,
    body_crop: MaskCrop | None = None,
) -> LocalFrame | None:
    """The local frame of one vertebra.

    Parameters
    ----------
    crop : MaskCrop
    rough : RoughBody
    tangent_lps : (3,) float array
        Line of the spine here, to superior.
    settings : AssessmentSettings
    body_crop : MaskCrop, optional
        The body alone, where the label's source gives it.

    Returns
    -------
    LocalFrame or None
        None where nothing like a body is there.
    """
    body_only = rough.rest_fraction < settings.body_only_posterior_fraction
    anterior = WORLD_ANTERIOR_LPS
    if not body_only:
        towards = rough.centre_lps_mm - rough.rest_centre_lps_mm
        towards = towards - (towards @ tangent_lps) * tangent_lps
        if np.linalg.norm(towards) > 5.0:
            anterior = towards / np.linalg.norm(towards)
    axes = axes_from(tangent_lps, anterior)
    origin = rough.centre_lps_mm
    frame: LocalFrame | None = None
    for _ in range(settings.frame_iterations):
        pose = rigid_from_axes(origin, axes)
        lifted = lift_body(
            crop, pose, max(COARSE_STEP_MM, min(crop.geometry.spacing_mm)), settings, body_crop
        )
        if lifted is None:
            return frame
        body_only = lifted.split.posterior_fraction < settings.body_only_posterior_fraction
        up = _superior(lifted.top, lifted.bottom, axes, tangent_lps)
        turn_rad = _turn_to_symmetry(lifted)
        front = np.cos(turn_rad) * axes[1] + np.sin(turn_rad) * axes[0]
        centre, lower, upper = _body_box(lifted)
        frame = LocalFrame(pose, lower, upper, body_only)
        origin = apply_affine(pose, centre)
        axes = axes_from(up, front)
        frame = LocalFrame(rigid_from_axes(origin, axes), lower - centre, upper - centre, body_only)
    return frame


def lift_body(
    crop: MaskCrop,
    lps_from_vertebra: NDArray[np.float64],
    step_mm: float,
    settings: AssessmentSettings,
    body_crop: MaskCrop | None = None,
) -> LiftedBody | None:
    """The whole label on a patch along a frame, its body, surfaces and planes; None without a body."""
    points = local_points(crop, lps_from_vertebra)
    if len(points) == 0:
        return None
    margin = 3.0 * step_mm + max(crop.geometry.spacing_mm)
    patch = patch_grid(lps_from_vertebra, points.min(axis=0) - margin, points.max(axis=0) + margin, step_mm)
    return body_on(crop, patch, lps_from_vertebra, settings, body_crop)


def body_on(
    crop: MaskCrop,
    patch: VolumeGeometry,
    lps_from_vertebra: NDArray[np.float64],
    settings: AssessmentSettings,
    body_crop: MaskCrop | None = None,
) -> LiftedBody | None:
    """A label's body, surfaces and planes on a given patch; None where there is no body."""
    step_mm = patch.spacing_mm[0]
    coverage = coverage_on(crop, patch, settings.mask_blur_voxels, settings.mask_blur_fine_mm)
    origin_index = apply_affine(patch.voxel_from_lps, lps_from_vertebra[:3, 3])
    if body_crop is None:
        split = split_body(coverage >= 0.5, patch, origin_index)
    else:
        vertebra = coverage >= 0.5
        coverage = coverage_on(body_crop, patch, settings.mask_blur_voxels, settings.mask_blur_fine_mm)
        split = given_body(coverage >= 0.5, vertebra)
    if split is None:
        return None
    surfaces = column_surfaces(split.body, coverage, -origin_index * step_mm, step_mm)
    if surfaces is None:
        return None
    fits = fit_both(split.body, coverage, surfaces, float(np.median(crop.geometry.spacing_mm)), settings)
    planes = (fits[0].plane if fits[0] else None, fits[1].plane if fits[1] else None)
    return LiftedBody(
        coverage, split, surfaces, *fits, *walls_between(split.body, coverage, surfaces, planes)
    )


def fit_both(
    body: NDArray[np.bool_],
    coverage: NDArray[np.float32],
    surfaces: ColumnSurfaces,
    voxel_mm: float,
    settings: AssessmentSettings,
) -> tuple[EndplateFit | None, EndplateFit | None]:
    """Upper and lower endplate of a body, the outline of each found along rough planes first."""
    ix, iy = np.nonzero(np.isfinite(surfaces.top_mm))
    x, y = surfaces.x_mm[ix], surfaces.y_mm[iy]
    rough = (
        huber_plane(x, y, surfaces.top_mm[ix, iy], settings.huber_threshold),
        huber_plane(x, y, surfaces.bottom_mm[ix, iy], settings.huber_threshold),
    )
    fits: list[EndplateFit | None] = []
    for which in ("top", "bottom"):
        outline = outline_near(body, coverage, surfaces, rough, which)
        fit = (
            None
            if outline is None
            else fit_endplate(
                surfaces,
                which,
                outline,
                rim_margin_mm=settings.rim_margin_mm,
                voxel_mm=voxel_mm,
                threshold=settings.huber_threshold,
            )
        )
        fits.append(fit)
    return fits[0], fits[1]


def _superior(
    top: LocalPlane | None, bottom: LocalPlane | None, axes: NDArray[np.float64], tangent: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bisector of the endplates that agree with the spine's line; the line itself where none does."""
    limit = np.cos(np.deg2rad(MAX_TILT_FROM_SPINE_DEG))
    normals = [plane.normal() @ axes for plane in (top, bottom) if plane is not None]
    normals = [normal for normal in normals if normal @ tangent >= limit]
    if len(normals) == 2:
        return np.asarray(normals[0] + normals[1])
    return np.asarray(tangent, dtype=np.float64)


def _body_box(
    lifted: LiftedBody,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Centre of the body and its box, in the frame it was lifted with."""
    surfaces = lifted.surfaces
    inside = np.isfinite(surfaces.top_mm)
    ix, iy = np.nonzero(inside)
    x, y = surfaces.x_mm[ix], surfaces.y_mm[iy]
    bottom, top = surfaces.bottom_mm[inside], surfaces.top_mm[inside]
    widths = [
        (surfaces.x_mm[column].min(), surfaces.x_mm[column].max())
        for column in (np.flatnonzero(inside[:, j]) for j in range(inside.shape[1]))
        if len(column) > 0
    ]
    edges = np.array(widths)
    broad = np.ptp(edges, axis=1) >= 0.5 * np.ptp(edges, axis=1).max()
    centre = np.array(
        [
            float(np.median(edges[broad].mean(axis=1))),
            _mid_depth(lifted),
            0.5 * float(np.median(top) + np.median(bottom)),
        ]
    )
    lower = np.array([x.min(), y.min(), np.percentile(bottom, 1.0)])
    upper = np.array([x.max(), y.max(), np.percentile(top, 99.0)])
    return centre, lower, upper


def _mid_depth(lifted: LiftedBody) -> float:
    """Half-way between front and back wall near the midline."""
    near = np.isfinite(lifted.back_mm) & (np.abs(lifted.surfaces.x_mm) <= 5.0)
    if not near.any():
        near = np.isfinite(lifted.back_mm)
    if not near.any():
        return 0.0
    return 0.5 * float(np.median(lifted.back_mm[near]) + np.median(lifted.front_mm[near]))


def _turn_to_symmetry(lifted: LiftedBody) -> float:
    """Angle about superior (from anterior towards right) that makes the vertebra its own mirror image.

    Seen from above, summed over height. Sought within ±20 degrees; the best is refined by a parabola.
    """
    vertebra, body = lifted.split.vertebra, lifted.split.body
    # processes run far aside and are often cut or crooked: the body counts, and what is behind it near
    near = np.abs(lifted.surfaces.x_mm) <= 1.3 * _half_width(lifted.surfaces)
    seen = body.sum(axis=2, dtype=np.float32) + 0.5 * (vertebra & ~body).sum(axis=2, dtype=np.float32)
    seen = ndimage.gaussian_filter(seen * near[:, None], 1.0)
    total = float(seen.sum())
    if total <= 0.0:
        return 0.0
    grid = np.indices(seen.shape, dtype=np.float64)
    mid = np.array([float((axis * seen).sum()) / total for axis in grid])
    return _best_mirror_turn(seen, mid)


def _half_width(surfaces: ColumnSurfaces) -> float:
    columns = np.isfinite(surfaces.top_mm).any(axis=1)
    return float(np.abs(surfaces.x_mm[columns]).max())


def _mirror_error(
    seen: NDArray[np.float32], mid: NDArray[np.float64], turn_rad: float, shift: float
) -> float:
    """How much an image seen from above differs from its mirror image about a turned, shifted line."""
    front = np.array([np.sin(turn_rad), np.cos(turn_rad)])
    right = np.array([np.cos(turn_rad), -np.sin(turn_rad)])
    point = mid + shift * right
    mirror = np.eye(2) - 2.0 * np.outer(right, right)
    flipped = ndimage.affine_transform(seen, mirror, offset=point - mirror @ point, order=1)
    del front
    return float(np.square(flipped - seen).sum())


def _best_mirror_turn(seen: NDArray[np.float32], mid: NDArray[np.float64]) -> float:
    """Turn with the smallest mirror error, over turns and sideways shifts."""
    shifts = np.linspace(-2.0, 2.0, 5)
    turns = np.deg2rad(np.linspace(-20.0, 20.0, 9))
    best_turn, best_shift, step, shift_step = 0.0, 0.0, turns[1] - turns[0], shifts[1] - shifts[0]
    errors = np.array([[_mirror_error(seen, mid, t, s) for s in shifts] for t in turns])
    row, column = np.unravel_index(int(errors.argmin()), errors.shape)
    best_turn, best_shift = float(turns[row]), float(shifts[column])
    for _ in range(4):
        step, shift_step = step / 2.0, shift_step / 2.0
        trials = [
            (_mirror_error(seen, mid, best_turn + a * step, best_shift + b * shift_step), a, b)
            for a in (-1, 0, 1)
            for b in (-1, 0, 1)
        ]
        _, a, b = min(trials, key=lambda trial: trial[0])
        best_turn, best_shift = best_turn + a * step, best_shift + b * shift_step
    return best_turn
