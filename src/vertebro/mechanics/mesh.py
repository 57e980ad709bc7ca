"""A vertebra as cubes on its own axes: density, body, arch and what presses on its ends.

Arrays are (ni, nj, nk) along right, anterior and superior of the vertebra's frame. Nothing here is
solved; :mod:`vertebro.mechanics.model` turns a mesh into moduli.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.case import LevelAssessment
from vertebro.findings import Finding, finding
from vertebro.geometry import apply_affine, compose, invert_affine
from vertebro.imaging import LabelVolume, ScalarVolume, Volume, VolumeGeometry, resample
from vertebro.imaging.lift import MaskCrop, coverage_on, crop_mask, hu_on, inside_scan, patch_grid
from vertebro.materials.bone_density import DensityCalibration
from vertebro.mechanics.settings import ModelSettings

Mask = NDArray[np.bool_]
_PAD_MM = 14.0
"""Room around the vertebra for caps (assumed: the thickest cap plus two elements)."""
_RIM_MM = 6.0
"""Columns farther below the middle than this belong to a wall, not to the endplate (assumed)."""
_STRAY_PERCENT = 5.0
"""Above this share of the mask, pieces apart from the largest are worth a warning (assumed)."""


@dataclass(frozen=True, eq=False, slots=True)
class VertebraMesh:
    """One vertebra in cubes.

    Examples
    --------
    >>> from vertebro.mechanics.mesh import box_mesh
    >>> mesh = box_mesh((10, 10, 8), density_mg_cc=100.0, spacing_mm=1.0)
    >>> int(mesh.body.sum()), mesh.spacing_mm
    (800, 1.0)
    """

    name: str
    geometry: VolumeGeometry
    density_mg_cc: NDArray[np.float32]
    """K2HPO4 equivalent; NaN never; 0 outside the bone."""
    body: Mask
    posterior: Mask
    cap_superior: Mask
    cap_inferior: Mask
    findings: tuple[Finding, ...] = ()

    @property
    def spacing_mm(self) -> float:
        """Edge of a cube."""
        return self.geometry.spacing_mm[0]

    @property
    def bone(self) -> Mask:
        """Body and arch."""
        return self.body | self.posterior

    @property
    def height_mm(self) -> float:
        """Mean height of the body over the columns that both caps press on; of all columns without caps."""
        pressed = self.cap_superior.any(axis=2) & self.cap_inferior.any(axis=2) & self.body.any(axis=2)
        columns = pressed if pressed.any() else self.body.any(axis=2)
        if not columns.any():
            return 0.0
        first, last = _surfaces(self.body)
        return float(np.mean((last - first + 1)[columns])) * self.spacing_mm

    @property
    def body_ml(self) -> float:
        """Volume of the body."""
        return float(self.body.sum()) * self.spacing_mm**3 / 1000.0

    @property
    def cross_section_mm2(self) -> float:
        """Mean cross-section of the body: its volume over its height."""
        height = self.height_mm
        return self.body_ml * 1000.0 / height if height else 0.0

    def lifted(self, field: ScalarVolume, outside: float = 0.0) -> NDArray[np.float32]:
        """A field of another grid on this one, linearly; the same values where the grids agree."""
        if field.geometry.is_close(self.geometry):
            return field.values
        return np.asarray(resample(field.values, field.geometry, self.geometry, outside=outside), np.float32)


def build_mesh(
    volume: Volume,
    labels: LabelVolume,
    bodies: NDArray[np.uint8] | NDArray[np.int16],
    level: LevelAssessment,
    calibration: DensityCalibration,
    settings: ModelSettings,
) -> VertebraMesh:
    """The mesh of one assessed level, with caps, from CT and labels; no hand work.

    Parameters
    ----------
    volume : Volume
    labels : LabelVolume
    bodies : (i, j, k) array
        On the labels' grid: the label of each voxel of a body (``Assessment.bodies``).
    level : LevelAssessment
        Gives the frame and the label's number.
    calibration : DensityCalibration
    settings : ModelSettings

    Returns
    -------
    VertebraMesh
        ``findings``: ``mechanics.pieces``, ``mechanics.cut``, ``mechanics.metal``,
        ``mechanics.no_posterior``.
    """
    mask = labels.labels == level.label
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    crop = crop_mask(labels.labels, level.label, box, labels.geometry)
    grid = _grid_around(crop, level.lps_from_vertebra, settings.spacing_mm)
    vertebra = coverage_on(crop, grid, 0.0, 0.0) >= 0.5
    body_crop = crop_mask(bodies, level.label, box, labels.geometry)
    body = (coverage_on(body_crop, grid, 0.0, 0.0) >= 0.5) & vertebra
    hu = _mean_hu(volume, grid, settings.spacing_mm)
    is_at_border = any(
        part.start == 0 or part.stop == size for part, size in zip(box, mask.shape, strict=True)
    )
    found = _cut_findings(volume, vertebra, grid, level.name, is_at_border=is_at_border)
    body, posterior, more = _largest_piece(body, vertebra & ~body, level.name)
    found += more
    if not settings.keeps_posterior:
        posterior = np.zeros_like(posterior)
    elif posterior.sum() < 0.05 * body.sum():
        found.append(
            finding(
                "mechanics.no_posterior",
                f"The label of {level.name} holds the body alone: the model has no arch or processes.",
                where=level.name,
            )
        )
    density = np.where(body | posterior, calibration.density_mg_cc(hu), 0.0).astype(np.float32)
    mesh = VertebraMesh(level.name, grid, density, body, posterior, *_none(body), findings=tuple(found))
    return trimmed(with_ends(mesh, settings))


def trimmed(mesh: VertebraMesh) -> VertebraMesh:
    """The mesh without the empty rows around it; one empty row stays."""
    filled = mesh.bone | mesh.cap_superior | mesh.cap_inferior
    if not filled.any():
        return mesh
    box = ndimage.find_objects(filled.astype(np.uint8))[0]
    start = tuple(max(0, part.start - 1) for part in box)
    stop = tuple(min(size, part.stop + 1) for part, size in zip(box, filled.shape, strict=True))
    part = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))

    def cut(array: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(array[part])

    return replace(
        mesh,
        geometry=mesh.geometry.crop((start[0], start[1], start[2]), (stop[0], stop[1], stop[2])),
        density_mg_cc=cut(mesh.density_mg_cc),
        body=cut(mesh.body),
        posterior=cut(mesh.posterior),
        cap_superior=cut(mesh.cap_superior),
        cap_inferior=cut(mesh.cap_inferior),
    )


def _none(like: Mask) -> tuple[Mask, Mask]:
    return np.zeros_like(like), np.zeros_like(like)


def _grid_around(crop: MaskCrop, lps_from_vertebra: NDArray[np.float64], spacing_mm: float) -> VolumeGeometry:
    """The vertebra's own grid with room for caps."""
    local = apply_affine(
        compose(invert_affine(lps_from_vertebra), crop.geometry.lps_from_voxel), np.argwhere(crop.mask)
    )
    reach = max(crop.geometry.spacing_mm)
    lower = local.min(axis=0) - reach - np.array([2.0, 2.0, _PAD_MM])
    upper = local.max(axis=0) + reach + np.array([2.0, 2.0, _PAD_MM])
    return patch_grid(lps_from_vertebra, lower, upper, spacing_mm)


def _mean_hu(volume: Volume, grid: VolumeGeometry, spacing_mm: float) -> NDArray[np.float32]:
    """CT on the grid: the mean over each cube where the cubes are coarser than the CT."""
    parts = max(1, round(spacing_mm / max(0.7, min(volume.spacing_mm))))
    if parts == 1:
        return hu_on(volume.hu, volume.geometry, grid)
    step = 1.0 / parts
    fine_from = np.diag([step, step, step, 1.0])
    fine_from[:3, 3] = (step - 1.0) / 2.0
    shape = (grid.shape[0] * parts, grid.shape[1] * parts, grid.shape[2] * parts)
    fine = VolumeGeometry(shape, grid.lps_from_voxel @ fine_from)
    hu = hu_on(volume.hu, volume.geometry, fine)
    blocks = hu.reshape(grid.shape[0], parts, grid.shape[1], parts, grid.shape[2], parts)
    return np.asarray(blocks.mean(axis=(1, 3, 5)), dtype=np.float32)


def _cut_findings(
    volume: Volume, vertebra: Mask, grid: VolumeGeometry, name: str, *, is_at_border: bool
) -> list[Finding]:
    """What to say where the mask touches the border of its grid or lies outside the CT."""
    outside = float(np.mean(~inside_scan(volume.geometry, grid, 0.0)[vertebra])) if vertebra.any() else 0.0
    if not is_at_border and outside < 0.001:
        return []
    return [
        finding(
            "mechanics.cut",
            f"{name} reaches the edge of the field of view: what lies beyond carries no load in the model.",
            where=name,
            evidence={"outside_percent": round(100.0 * outside, 2)},
        )
    ]


def _largest_piece(body: Mask, posterior: Mask, name: str) -> tuple[Mask, Mask, list[Finding]]:
    """The piece that holds most of the body; pieces apart from it would carry nothing."""
    pieces, count = ndimage.label(body | posterior)
    if count <= 1:
        return body, posterior, []
    sizes = np.bincount(pieces[body], minlength=count + 1)
    sizes[0] = 0
    kept = pieces == int(np.argmax(sizes))
    lost = 1.0 - float(kept.sum()) / float((body | posterior).sum())
    if lost * 100.0 < _STRAY_PERCENT:
        return body & kept, posterior & kept, []
    found = finding(
        "mechanics.pieces",
        f"The mask of {name} falls into {count} pieces; {100.0 * lost:.0f} % of it hangs on nothing and "
        "was left out.",
        where=name,
        evidence={"pieces": int(count), "lost_percent": round(100.0 * lost, 1)},
    )
    return body & kept, posterior & kept, [found]


def _surfaces(mask: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(ni, nj): lowest and highest plane of the mask in each column; senseless where there is none."""
    first = np.argmax(mask, axis=2)
    last = mask.shape[2] - 1 - np.argmax(mask[:, :, ::-1], axis=2)
    return first, last


def with_ends(mesh: VertebraMesh, settings: ModelSettings) -> VertebraMesh:
    """The mesh with caps (or soft layers of the same shape) on both endplates.

    A cap stands on every column of the body whose surface lies no deeper than ``cap_intrusion_mm``
    behind the endplate's own plane, fills the hollow to the bone, and ends in a plane across the
    vertebra's axis, ``cap_thickness_mm`` beyond the outermost bone it covers.
    """
    if not mesh.body.any():
        return mesh
    upper = _cap(mesh.body, mesh.posterior, settings)
    flipped = _cap(mesh.body[:, :, ::-1], mesh.posterior[:, :, ::-1], settings)
    return replace(mesh, cap_superior=upper, cap_inferior=np.ascontiguousarray(flipped[:, :, ::-1]))


def _cap(body: Mask, posterior: Mask, settings: ModelSettings) -> Mask:
    """The cap above the upper endplate."""
    h = settings.spacing_mm
    columns = body.any(axis=2)
    _, top = _surfaces(body)
    plane = _plane_through(top, np.asarray(columns), h)
    depth = (plane - top) * h
    planes = np.arange(body.shape[2])[None, None, :]
    above = planes > top[:, :, None]
    is_free = ~(posterior & above).any(axis=2)  # a cap does not stand on the arch
    pressed = columns & is_free & (depth <= settings.cap_intrusion_mm)
    if not pressed.any():
        return np.zeros_like(body)
    highest = int(top[pressed].max())
    end = min(body.shape[2], highest + 1 + max(1, round(settings.cap_thickness_mm / h)))
    return np.asarray(pressed[:, :, None] & above & (planes < end))


def _plane_through(top: NDArray[np.int64], columns: Mask, spacing_mm: float) -> NDArray[np.float64]:
    """(ni, nj): the endplate's plane, in voxels: least squares, twice freed of columns far below it."""
    index = np.argwhere(columns).astype(np.float64)
    values = top[columns].astype(np.float64)
    design = np.column_stack([np.ones(len(index)), index])
    weight = values >= np.median(values) - _RIM_MM / spacing_mm
    coefficients = np.array([float(np.median(values)), 0.0, 0.0])
    for _ in range(3):
        if weight.sum() < 8:
            break
        coefficients = np.linalg.lstsq(design[weight], values[weight], rcond=None)[0]
        residual = values - design @ coefficients
        spread = max(1.0 / spacing_mm, 2.0 * float(np.median(np.abs(residual[weight]))))
        weight = residual > -2.0 * spread
    i, j = np.meshgrid(*(np.arange(n) for n in top.shape), indexing="ij")
    return np.asarray(coefficients[0] + coefficients[1] * i + coefficients[2] * j)


def mesh_from_regions(
    density: ScalarVolume,
    body: Mask,
    posterior: Mask,
    *,
    caps: tuple[Mask, Mask] | None = None,
    settings: ModelSettings | None = None,
    name: str = "",
) -> VertebraMesh:
    """A mesh from a density field and region masks on one cubic grid whose third axis is the load's.

    Parameters
    ----------
    density : ScalarVolume
        mg/cc of K2HPO4.
    body, posterior : (i, j, k) bool arrays
        Posterior elements are left out where the settings cut them.
    caps : (superior, inferior) masks, optional
        Given caps; own ones are made without them.
    settings : ModelSettings, optional

    Examples
    --------
    >>> grid = VolumeGeometry.from_spacing((6, 6, 12), (1.0, 1.0, 1.0))
    >>> body = np.zeros(grid.shape, bool); body[1:5, 1:5, 4:9] = True
    >>> field = ScalarVolume(np.where(body, 100, 0).astype(np.float32), grid, "density", "mg/cc")
    >>> mesh_from_regions(field, body, np.zeros_like(body)).height_mm
    5.0
    """
    chosen = settings or ModelSettings()
    arch = posterior if chosen.keeps_posterior else np.zeros_like(posterior)
    values = np.where(body | arch, density.values, 0.0).astype(np.float32)
    mesh = VertebraMesh(name, density.geometry, values, body, arch, *_none(body))
    if caps is None:
        return with_ends(mesh, chosen)
    return replace(mesh, cap_superior=caps[0], cap_inferior=caps[1])


def box_mesh(
    shape: tuple[int, int, int], *, density_mg_cc: float, spacing_mm: float, cap_voxels: int = 0
) -> VertebraMesh:
    """A block of uniform bone with room around it, for tests and examples."""
    pad = cap_voxels + 1
    padded = (shape[0] + 2, shape[1] + 2, shape[2] + 2 * pad)
    body = np.zeros(padded, dtype=bool)
    body[1:-1, 1:-1, pad:-pad] = True
    top, bottom = np.zeros_like(body), np.zeros_like(body)
    if cap_voxels:
        top[1:-1, 1:-1, -pad:-1] = True
        bottom[1:-1, 1:-1, 1:pad] = True
    grid = VolumeGeometry.from_spacing(padded, (spacing_mm, spacing_mm, spacing_mm))
    density = np.where(body, density_mg_cc, 0.0).astype(np.float32)
    return VertebraMesh("box", grid, density, body, np.zeros_like(body), top, bottom)
