"""Anterior, middle and posterior heights of a body, its widths, depths and volume.

The definition, also given in every basis: along the body's own vertical (the bisector of its
endplates), from the label's surface. Anterior and posterior heights are the distance between robust
planes through the endplates' outer rings at 95 % and 5 % of the depth, so that neither a lip at the rim
nor a sunken middle decides (through the whole endplate as far as its ring is broken); the middle
height is the robust mean of the central columns. The depth runs between the walls, rims left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.assessment.endplates import MAD_TO_SIGMA, EndplateFit, huber_mean
from vertebro.assessment.frame import LiftedBody
from vertebro.assessment.settings import AssessmentSettings
from vertebro.case import BodyDimensions, Estimate, Heights
from vertebro.units import ml_from_mm3

SURFACE_SIGMA_VOXELS = 0.2
"""Standard deviation of where a label's flat surface lies, as a share of the voxel across it: a
uniform error of half a voxel either way has 0.29, of which averaging over columns takes a part
(assumed; checked on phantoms)."""
FLOOR_SIGMA_MM = 0.15
"""Smallest standard deviation of any height: repeatability on real CTs under rotation."""
NORMAL_95 = 1.96
EDGE_WINDOW_MM = 2.5
"""Columns this near the reading place, front to back, give the height by columns (assumed)."""
EDGE_HALF_WIDTH_MM = 3.0
EDGE_RIM_MM = 1.2
"""Columns nearer to the outline than this are rounded rim (assumed)."""
PATCHINESS = 6.0
"""Neighbouring voxels of an endplate err together: so many count as one (assumed; checked on phantoms)."""


@dataclass(frozen=True, eq=False, slots=True)
class SagittalReading:
    """The three heights in one sagittal strip and the lines they were read along (local frame, mm)."""

    heights: Heights
    lines_mm: dict[str, NDArray[np.float64]]
    """``"anterior" | "middle" | "posterior"`` to (2, 3): lower and upper end."""
    depth_mm: Estimate
    corners_mm: dict[str, float]
    """Upper and lower surface at the anterior and posterior place: ``"top_anterior"`` …"""


@dataclass(frozen=True, eq=False, slots=True)
class _Strip:
    """Columns of a sagittal strip, flattened, with the depth they span."""

    x_mm: NDArray[np.float64]
    y_mm: NDArray[np.float64]
    top_mm: NDArray[np.float64]
    bottom_mm: NDArray[np.float64]
    rim_mm: NDArray[np.float64]
    """Distance from the endplate's outline."""
    back_mm: float
    front_mm: float
    centre_x_mm: float
    width_mm: float


def read_sagittal(
    lifted: LiftedBody,
    centre_x_mm: float,
    across_mm: float,
    settings: AssessmentSettings,
) -> SagittalReading | None:
    """Heights in the sagittal strip around ``centre_x_mm``.

    Parameters
    ----------
    lifted : LiftedBody
    centre_x_mm : float
        Middle of the strip, to right.
    across_mm : float
        Size of a label voxel along the vertical.
    settings : AssessmentSettings

    Returns
    -------
    SagittalReading or None
        None where the strip holds no body.
    """
    strip = _strip(lifted, centre_x_mm, settings)
    if strip is None:
        return None
    if lifted.top_fit is None or lifted.bottom_fit is None:
        return None
    fits = (lifted.top_fit, lifted.bottom_fit)
    heights: dict[str, Estimate] = {}
    lines: dict[str, NDArray[np.float64]] = {}
    corners: dict[str, float] = {}
    depth = strip.front_mm - strip.back_mm
    percents = {"anterior": settings.anterior_read_percent, "posterior": settings.posterior_read_percent}
    for name, percent in percents.items():
        y = strip.back_mm + percent / 100.0 * depth
        reading = _edge_height(strip, name, y, fits, across_mm, settings)
        if reading is None:
            return None
        heights[name], bottom, top = reading
        lines[name] = np.array([[centre_x_mm, y, bottom], [centre_x_mm, y, top]])
        corners[f"top_{name}"], corners[f"bottom_{name}"] = top, bottom
    middle = _middle_height(strip, across_mm, settings)
    heights["middle"], bottom, top = middle
    y = strip.back_mm + 0.5 * depth
    lines["middle"] = np.array([[centre_x_mm, y, bottom], [centre_x_mm, y, top]])
    depth_estimate = Estimate.symmetric(
        depth, NORMAL_95 * np.hypot(0.5 * across_mm, 0.3), "mm", "front to back of the body in the strip"
    )
    return SagittalReading(
        Heights(heights["anterior"], heights["middle"], heights["posterior"]), lines, depth_estimate, corners
    )


def _strip(lifted: LiftedBody, centre_x_mm: float, settings: AssessmentSettings) -> _Strip | None:
    surfaces = lifted.surfaces
    inside = np.isfinite(surfaces.top_mm)
    columns = np.flatnonzero(inside.any(axis=1))
    if len(columns) == 0:
        return None
    width = float(surfaces.x_mm[columns[-1]] - surfaces.x_mm[columns[0]])
    half = max(settings.strip_half_width_percent / 100.0 * width, 1.5 * surfaces.step_mm)
    rows = np.flatnonzero(np.abs(surfaces.x_mm - centre_x_mm) <= half)
    rows = rows[inside[rows].any(axis=1)] if len(rows) else rows
    if len(rows) == 0:
        return None
    if not np.isfinite(lifted.back_mm[rows]).any():
        return None
    back, front = float(np.nanmedian(lifted.back_mm[rows])), float(np.nanmedian(lifted.front_mm[rows]))
    if front - back < 2.0:
        return None
    ix, iy = np.nonzero(inside[rows])
    return _Strip(
        surfaces.x_mm[rows][ix] - centre_x_mm,
        surfaces.y_mm[iy],
        surfaces.top_mm[rows][ix, iy],
        surfaces.bottom_mm[rows][ix, iy],
        surfaces.rim_distance_mm[rows][ix, iy],
        back,
        front,
        centre_x_mm,
        width,
    )


def _edge_height(
    strip: _Strip,
    name: str,
    y_mm: float,
    fits: tuple[EndplateFit, EndplateFit],
    across_mm: float,
    settings: AssessmentSettings,
) -> tuple[Estimate, float, float] | None:
    """One edge's height with its lower and upper end, between the endplates' planes."""
    x = strip.centre_x_mm
    upper, lower = (fit.plane.at(x, y_mm) for fit in fits)
    value = upper - lower
    if value <= 0.0:
        return None
    others = [fits[0].ring_plane.at(x, y_mm) - fits[1].ring_plane.at(x, y_mm)]
    columns = _column_height(strip, y_mm, across_mm)
    if columns is not None:
        others.append(columns)
    doubt = max(fit.ring_doubt for fit in fits)
    if doubt > 0.0:
        others.append(fits[0].whole_plane.at(x, y_mm) - fits[1].whole_plane.at(x, y_mm))
    spread = 0.5 * float(np.sqrt(np.mean(np.square(np.array(others) - value))))
    noise = _plane_noise(fits[0], across_mm, strip) + _plane_noise(fits[1], across_mm, strip)
    sigma = float(np.sqrt(noise + spread**2 + FLOOR_SIGMA_MM**2))
    percent = settings.anterior_read_percent if name == "anterior" else settings.posterior_read_percent
    basis = (
        "between robust (Huber) planes through the endplates' outer rings, read at "
        f"{percent:.0f} % of the body's depth from its back wall, along the bisector of the planes; from the "
        "label's surface; interval from voxel size, scatter and the spread to heights by columns"
    )
    if doubt > 0.0:
        share = f"{100.0 * doubt:.0f} %"
        basis += f"; a ring does not lie in a plane, so a plane through its whole endplate counts {share}"
    return Estimate.symmetric(value, NORMAL_95 * sigma, "mm", basis), lower, upper


def _column_height(strip: _Strip, y_mm: float, across_mm: float) -> float | None:
    """Mean height of the columns near a reading place, the rim left out; None for too few."""
    near = np.abs(strip.y_mm - y_mm) <= max(EDGE_WINDOW_MM, 0.75 * across_mm)
    near &= np.abs(strip.x_mm) <= EDGE_HALF_WIDTH_MM
    near &= strip.rim_mm >= EDGE_RIM_MM
    if near.sum() < 6:
        return None
    return float(np.mean(strip.top_mm[near] - strip.bottom_mm[near]))


def _plane_noise(fit: EndplateFit, across_mm: float, strip: _Strip) -> float:
    """Variance (mm²) of an endplate's plane at the edge of the body.

    A voxel's worth of the endplate counts as one observation; at the edge a plane is about twice as
    uncertain as at its centre.
    """
    column = np.hypot(MAD_TO_SIGMA * fit.plane.residual_mm, across_mm / np.sqrt(12.0))
    area = max(np.pi / 4.0 * strip.width_mm * (strip.front_mm - strip.back_mm), 1.0)
    observations = max(area / max(across_mm, 1.0) ** 2 / PATCHINESS, 1.0)
    return float((2.0 * column) ** 2 / observations)


def _middle_height(
    strip: _Strip, across_mm: float, settings: AssessmentSettings
) -> tuple[Estimate, float, float]:
    depth = strip.front_mm - strip.back_mm
    centre = 0.5 * (strip.front_mm + strip.back_mm)
    half = max(0.5 * settings.middle_window_percent / 100.0 * depth, 0.75)
    chosen = np.abs(strip.y_mm - centre) <= half
    if not chosen.any():
        chosen = np.ones(len(strip.y_mm), dtype=bool)
    columns = strip.top_mm[chosen] - strip.bottom_mm[chosen]
    value, scatter = huber_mean(columns, settings.huber_threshold)
    upper, _ = huber_mean(strip.top_mm[chosen], settings.huber_threshold)
    middle = upper - value / 2.0
    area = max(4.0 * half * settings.strip_half_width_percent / 100.0 * strip.width_mm, 1.0)
    noise = scatter / np.sqrt(max(area / max(across_mm, 1.0) ** 2 / PATCHINESS, 1.0))
    sigma = float(np.sqrt(2.0 * (SURFACE_SIGMA_VOXELS * across_mm) ** 2 + noise**2 + FLOOR_SIGMA_MM**2))
    basis = (
        f"robust (Huber) mean of the columns in the middle {settings.middle_window_percent:.0f} % of the "
        "depth; from the label's surface; interval from voxel size and scatter"
    )
    estimate = Estimate.symmetric(value, NORMAL_95 * sigma, "mm", basis)
    return estimate, middle - value / 2.0, middle + value / 2.0


def missing_heights(reason: str) -> Heights:
    """Three heights that cannot be had, and why."""
    missing = Estimate.missing("mm", reason)
    return Heights(missing, missing, missing)


def missing_dimensions(reason: str) -> BodyDimensions:
    """Sizes that cannot be had, and why."""
    mm = Estimate.missing("mm", reason)
    return BodyDimensions(mm, mm, mm, mm, mm, mm, Estimate.missing("ml", reason))


def measure_dimensions(
    body: NDArray[np.bool_], first_mm: NDArray[np.float64], step_mm: float, voxel_mm: float
) -> BodyDimensions:
    """Widths and depths of a body at three heights, and its volume.

    Parameters
    ----------
    body : (i, j, k) bool array
        Axes to right, anterior, superior.
    first_mm : (3,) float array
        Local position of voxel (0, 0, 0).
    step_mm, voxel_mm : float
        Spacing of the patch, and of the label it came from (for the interval).
    """
    rows = np.flatnonzero(body.any(axis=(0, 1)))
    if len(rows) == 0:
        return missing_dimensions("no body")
    middle_x = int(np.clip(round(-first_mm[0] / step_mm), 0, body.shape[0] - 1))
    half = max(round(3.0 / step_mm), 1)
    sizes: dict[str, Estimate] = {}
    sigma = float(np.hypot(0.4 * voxel_mm, 0.4))
    for name, share in (("inferior", 0.15), ("middle", 0.5), ("superior", 0.85)):
        centre = rows[0] + share * (rows[-1] - rows[0])
        window = max(0.05 * len(rows), 1.0)
        chosen = rows[np.abs(rows - centre) <= window]
        width = _median_extent([np.asarray(body[:, :, k].any(axis=1)) for k in chosen], step_mm)
        strip = body[max(middle_x - half, 0) : middle_x + half + 1]
        depth = _median_extent([line for k in chosen for line in strip[:, :, k]], step_mm)
        sizes[f"width_{name}_mm"] = _size(
            width, sigma, f"right to left extent at {100 * share:.0f} % of the height"
        )
        sizes[f"depth_{name}_mm"] = _size(
            depth, sigma, f"median mid-sagittal extent, front to back, at {100 * share:.0f} % of the height"
        )
    count = int(body.sum())
    volume = ml_from_mm3(count * step_mm**3)
    surface_mm2 = 6.0 * (count * step_mm**3) ** (2.0 / 3.0)
    half_width = ml_from_mm3(surface_mm2 * 0.2 * voxel_mm)
    return BodyDimensions(
        **sizes,
        volume_ml=Estimate(
            volume,
            max(volume - half_width, 0.0),
            volume + half_width,
            "ml",
            "voxels of the body, gas filled in",
        ),
    )


def _median_extent(lines: list[NDArray[np.bool_]], step_mm: float) -> float | None:
    extents = [np.ptp(np.flatnonzero(line)) + 1 for line in lines if line.any()]
    return float(np.median(extents)) * step_mm if extents else None


def _size(value: float | None, sigma: float, basis: str) -> Estimate:
    if value is None:
        return Estimate.missing("mm", "no body at this height")
    return Estimate(value, max(value - NORMAL_95 * sigma, 0.0), value + NORMAL_95 * sigma, "mm", basis)
