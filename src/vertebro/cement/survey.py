"""The vertebra as cement will meet it, read from CT and labels: what is open, how porous, where gas is.

Frame of arrays: an isotropic patch along the vertebra's axes (x right, y anterior, z superior); points
with suffix ``_v`` are mm in that frame. Nothing here is random.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.case import Assessment, BalloonResult, LevelAssessment
from vertebro.cement.regions import compartment_map
from vertebro.cement.settings import InjectionSettings
from vertebro.cement.surface import BodySurface, Opening, read_surface, seen_openings
from vertebro.errors import InputError
from vertebro.geometry import compose, invert_affine
from vertebro.imaging import LabelVolume, Volume, VolumeGeometry, resample
from vertebro.imaging.lift import MaskCrop, coverage_on, crop_mask, hu_on, nearest_on, patch_grid
from vertebro.materials.bone_density import scanner_default
from vertebro.materials.bone_flow import porosity_from_mineral

MARGIN_MM = 14.0
"""Room around the body for what leaks (assumed: holds 10 mL on one side)."""
PEDICLE_REACH_MM = 8.0
"""How far behind the body the pedicles' marrow is filled too (assumed: needles block what lies behind)."""
PEDICLE_SHELL_MM = 1.5
"""Pedicle walls, which are not pores (assumed: about 1 to 2 mm of cortex)."""
LEAST_GAS_ML = 0.05
"""Smaller pockets are noise (the assessment's smallest cleft)."""
GAS_SEARCH_HU = -200.0
"""Gas, blurred by the voxels, starts here: fat ends at about −120 HU."""
SEVERE_LOSS_PERCENT = 40.0
"""Loss from which both endplates count as broken (Genant 1993: severe)."""
LEAST_BODY_ML = 1.0
"""A body smaller than this is no body (assumed: the smallest thoracic body has about 6 mL)."""


@dataclass(frozen=True, eq=False, slots=True)
class LevelSurvey:
    """One level, ready for needles and routes."""

    name: str
    grid: VolumeGeometry
    """The patch in the world."""
    vertebra_from_patch: NDArray[np.float64]
    spacing_mm: float
    body: NDArray[np.bool_]
    domain: NDArray[np.bool_]
    """Where cement can flow: the body and the pedicles' marrow next to it."""
    mineral_mg_cc: NDArray[np.float32]
    """With the shell peeled and gas filled from the bone around."""
    porosity: NDArray[np.float32]
    """0 outside the domain; 1 in gas and in a balloon's cavity."""
    void: NDArray[np.bool_]
    """Gas clefts and balloon cavities."""
    compartments: NDArray[np.uint8]
    """Index into :data:`vertebro.cement.regions.ORDER` of every patch voxel; 255 is other bone."""
    surface: BodySurface
    openings: tuple[Opening, ...]
    """Ways out that the CT shows."""
    is_fractured: bool
    fractured_endplates: tuple[bool, bool]
    """Superior, inferior: likely broken, by shape and loss."""
    cleft_touches: tuple[bool, bool, bool]
    """Superior endplate, inferior endplate, front wall."""
    body_ml: float

    def index_of(self, point_v: NDArray[np.float64]) -> NDArray[np.float64]:
        """Continuous patch index of a point."""
        return (np.asarray(point_v) - self.vertebra_from_patch[:3, 3]) / self.spacing_mm


def survey_level(  # noqa: PLR0913 - one noun each
    volume: Volume,
    labels: LabelVolume,
    assessment: Assessment,
    level: LevelAssessment,
    settings: InjectionSettings,
    *,
    balloon: BalloonResult | None = None,
    spacing_mm: float | None = None,
) -> LevelSurvey:
    """Read a level.

    Parameters
    ----------
    volume : Volume
    labels : LabelVolume
    assessment : Assessment
        Made from the same labels.
    level : LevelAssessment
    settings : InjectionSettings
    balloon : BalloonResult, optional
        Its cavity and compacted rim are used where it has the level.
    spacing_mm : float, optional
        Of the patch; the settings' own without it.

    Returns
    -------
    LevelSurvey

    Raises
    ------
    InputError
        If the level has no body to speak of (``cement.no_bone``).
    """
    step = settings.spacing_mm if spacing_mm is None else spacing_mm
    body_crop = _crop(assessment.bodies, level, assessment.geometry)
    bone_crop = _crop(labels.labels, level, labels.geometry)
    frame = np.asarray(level.lps_from_vertebra, dtype=np.float64)
    grid = _grid(body_crop, frame, step)
    body = _largest(coverage_on(body_crop, grid, 0.6, 0.4) >= 0.5)
    body = np.asarray(ndimage.binary_fill_holes(body), dtype=np.bool_)
    body_ml = float(body.sum()) * step**3 / 1000.0
    if body_ml < LEAST_BODY_ML:
        raise _no_bone(level.name, f"a body of {body_ml:.2f} mL")
    vertebra = (coverage_on(bone_crop, grid, 0.6, 0.4) >= 0.5) | body
    others = nearest_on(labels.labels, labels.geometry, grid)
    other_bone = (others != 0) & (others != level.label) & ~vertebra
    hu = hu_on(volume.hu, volume.geometry, grid)
    vertebra_from_patch = compose(invert_affine(frame), grid.lps_from_voxel)
    gas = _gas(hu, body, step) if level.cleft.present else np.zeros_like(body)
    cavity, ratio = _balloon(balloon, level.name, grid)
    void = (gas | (cavity >= 0.5)) & body
    mineral = _mineral(hu, body | vertebra, gas, assessment, settings, step) * ratio
    domain = body | _pedicle_marrow(vertebra, body, vertebra_from_patch, step)
    porosity = np.where(domain, porosity_from_mineral(mineral, settings.bone), 0.0).astype(np.float32)
    porosity[void] = 1.0
    surface = read_surface(body, vertebra, hu, vertebra_from_patch, step)
    openings = seen_openings(surface, settings.routes, max(volume.spacing_mm))
    is_fractured = bool(level.genant_grade) or bool(level.cleft.present)
    return LevelSurvey(
        name=level.name,
        grid=grid,
        vertebra_from_patch=vertebra_from_patch,
        spacing_mm=step,
        body=body,
        domain=domain,
        mineral_mg_cc=mineral.astype(np.float32),
        porosity=porosity,
        void=void,
        compartments=compartment_map(body, vertebra, other_bone, vertebra_from_patch, step),
        surface=surface,
        openings=openings,
        is_fractured=is_fractured,
        fractured_endplates=(is_fractured, is_fractured and _is_wholly_broken(level)),
        cleft_touches=(
            level.cleft.touches_superior_endplate,
            level.cleft.touches_inferior_endplate,
            level.cleft.touches_anterior_wall,
        ),
        body_ml=body_ml,
    )


def _is_wholly_broken(level: LevelAssessment) -> bool:
    """Whether the lower endplate is likely broken too: not a plain wedge, or a grave one."""
    loss = level.height_loss_percent.value or 0.0
    return level.genant_shape.value in ("biconcave", "crush") or loss >= SEVERE_LOSS_PERCENT


def voids_of(survey: LevelSurvey) -> Mapping[int, NDArray[np.bool_]]:
    """Each connected void, largest first."""
    pieces, count = ndimage.label(survey.void, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    order = np.argsort(-sizes, kind="stable") + 1
    return {rank: np.asarray(pieces == piece) for rank, piece in enumerate(order)}


def _crop(array: NDArray[np.generic], level: LevelAssessment, geometry: VolumeGeometry) -> MaskCrop:
    found = np.asarray(array == level.label)
    boxes = ndimage.find_objects(found.astype(np.uint8), max_label=1)
    if not boxes or boxes[0] is None:
        raise _no_bone(level.name, "no voxel of that level")
    return crop_mask(array, level.label, boxes[0], geometry)  # type: ignore[arg-type]


def _no_bone(name: str, got: str) -> InputError:
    return InputError(
        "cement.no_bone",
        got=f"{got} at {name}",
        needed=f"a labelled body of at least {LEAST_BODY_ML:g} mL",
        remedy="Check the level's label, or choose another level.",
        fields=("levels",),
    )


def _grid(body: MaskCrop, lps_from_vertebra: NDArray[np.float64], step: float) -> VolumeGeometry:
    index = np.argwhere(body.mask)
    if not len(index):
        raise _no_bone("the level", "no voxel")
    local = compose(invert_affine(lps_from_vertebra), body.geometry.lps_from_voxel)
    points = index @ local[:3, :3].T + local[:3, 3]
    reach = MARGIN_MM + 0.5 * max(body.geometry.spacing_mm)
    return patch_grid(lps_from_vertebra, points.min(axis=0) - reach, points.max(axis=0) + reach, step)


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    pieces, count = ndimage.label(mask)
    if count <= 1:
        return np.asarray(mask, dtype=np.bool_)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(pieces == int(np.argmax(sizes)), dtype=np.bool_)


def _gas(hu: NDArray[np.float32], body: NDArray[np.bool_], step: float) -> NDArray[np.bool_]:
    """Gas pockets of the body: more than half-way from marrow to the pocket's own darkest."""
    pieces, count = ndimage.label((hu < GAS_SEARCH_HU) & body)
    gas = np.zeros_like(body)
    for piece, box in enumerate(ndimage.find_objects(pieces), start=1):
        pocket = pieces[box] == piece
        if pocket.sum() * step**3 / 1000.0 < LEAST_GAS_ML or count == 0:
            continue
        darkest = float(np.percentile(hu[box][pocket], 10.0))
        gas[box] |= pocket & (hu[box] < 0.5 * (darkest + 50.0))
    return gas


def _mineral(
    hu: NDArray[np.float32],
    bone: NDArray[np.bool_],
    gas: NDArray[np.bool_],
    assessment: Assessment,
    settings: InjectionSettings,
    step: float,
) -> NDArray[np.float64]:
    """Mineral density from the bone's inside; shell and gas take the value of the nearest inside voxel."""
    depth = ndimage.distance_transform_edt(bone, sampling=step)
    near_gas = ndimage.binary_dilation(gas, iterations=max(1, round(1.5 / step))) if gas.any() else gas
    inside = (depth > settings.peel_mm) & ~near_gas
    if not inside.any():
        inside = bone & ~gas
    if not inside.any():
        inside = np.ones_like(bone)
    nearest = ndimage.distance_transform_edt(~inside, return_distances=False, return_indices=True)
    filled = ndimage.gaussian_filter(hu[tuple(nearest)].astype(np.float64), 0.7 / step)
    law = assessment.calibration or scanner_default(None)
    return np.asarray(law.density_mg_cc(filled) - law.density_mg_cc(settings.marrow_hu))


def _balloon(
    balloon: BalloonResult | None, name: str, grid: VolumeGeometry
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    if balloon is None or name not in balloon.levels:
        return np.zeros(grid.shape, np.float32), np.ones(grid.shape)
    inflation = balloon.levels[name]
    cavity = resample(inflation.cavity.values, inflation.cavity.geometry, grid, outside=0.0)
    field = inflation.density_ratio
    ratio = resample(field.values, field.geometry, grid, outside=1.0)
    return np.asarray(cavity, dtype=np.float32), np.asarray(ratio, dtype=np.float64)


def _pedicle_marrow(
    vertebra: NDArray[np.bool_],
    body: NDArray[np.bool_],
    vertebra_from_patch: NDArray[np.float64],
    step: float,
) -> NDArray[np.bool_]:
    """The inside of the pedicles just behind the body, connected to it."""
    depth = ndimage.distance_transform_edt(vertebra, sampling=step)
    back_mm = vertebra_from_patch[1, 3] + step * np.flatnonzero(body.any(axis=(0, 2)))[0]
    y = vertebra_from_patch[1, 3] + step * np.arange(vertebra.shape[1])
    behind = (y > back_mm - PEDICLE_REACH_MM)[None, :, None]
    candidate = vertebra & ~body & behind & (depth > PEDICLE_SHELL_MM)
    pieces, _ = ndimage.label(candidate | body)
    connected = pieces == pieces[tuple(np.argwhere(body)[0])]
    return np.asarray(candidate & connected, dtype=np.bool_)
