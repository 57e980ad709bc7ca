"""From settings to a synthetic CT with labels and known truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.geometry import apply_affine, compose, invert_affine, rigid_from_axes
from vertebro.imaging import ImageFacts, LabelVolume, Volume, VolumeGeometry
from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms import bone_kernels as paint
from vertebro.phantoms import soft_tissue
from vertebro.phantoms.canvas import Canvas
from vertebro.phantoms.finish import make_finish
from vertebro.phantoms.grid import FinalGrid, Trunk, finish_grid, lps_from_patient, make_grid, make_trunk
from vertebro.phantoms.posterior import N_CAPSULE
from vertebro.phantoms.scanner import scan
from vertebro.phantoms.settings import PhantomSettings
from vertebro.phantoms.spine import PhantomVertebra, make_spine
from vertebro.phantoms.truth import PhantomTruth, VoxelCounts, make_truth
from vertebro.progress import Progress, silent

_BODY_REACH_MM = ((-58.0, -95.0, -62.0), (58.0, 32.0, 45.0))
"""A box in the construction frame that holds any vertebra."""


@dataclass(frozen=True, eq=False, slots=True)
class Phantom:
    """A synthetic CT, its labels, and the truth about it."""

    volume: Volume
    labels: LabelVolume
    """VerSe numbers; subregions 41–50 (49 the body's rim, 50 its core)."""
    truth: PhantomTruth
    canal: NDArray[np.uint8]
    """(i, j, k): 1 in the spinal canal, bone that bulges into it taken off."""
    skin: NDArray[np.uint8]
    """(i, j, k): 1 inside the skin."""


def make_phantom(settings: PhantomSettings = PhantomSettings(), *, progress: Progress = silent) -> Phantom:  # noqa: B008 - frozen
    """Make a synthetic patient.

    Parameters
    ----------
    settings : PhantomSettings
        The same settings give the same bytes.
    progress : Progress

    Returns
    -------
    Phantom

    Examples
    --------
    >>> settings = PhantomSettings(levels=("L1", "L2"), spacing_mm=(3.0, 3.0, 3.0), field_of_view_mm=(120, 140))
    >>> patient = make_phantom(settings)
    >>> patient.labels.level_names
    ('L1', 'L2')
    >>> round(patient.truth.levels["L1"].heights_mm.posterior, 1) > 20.0
    True
    """
    generator = np.random.Generator(np.random.PCG64(settings.seed))
    progress(0.0, "placing vertebrae")
    spine = make_spine(settings, generator)
    trunk = make_trunk(settings)
    grid = make_grid(settings, spine, trunk)
    world = lps_from_patient(settings)
    canvas = Canvas.empty(grid.shape, compose(invert_affine(world), grid.lps_from_voxel))
    progress(0.05, "painting soft tissue")
    _paint_surroundings(canvas, settings, spine, trunk)
    finishes = [make_finish(vertebra, settings) for vertebra in spine]
    for index, vertebra in enumerate(spine):
        progress(0.35 + 0.4 * index / len(spine), f"painting {vertebra.name}")
        _paint_vertebra(canvas, spine, index, finishes[index], settings)
    canvas.canal[canvas.labels != 0] = 0
    counts = {
        vertebra.name: _count(canvas, vertebra, finish, grid)
        for vertebra, finish in zip(spine, finishes, strict=True)
    }
    progress(0.8, "adding the scanner's blur and noise")
    scan(canvas.hu, settings.spacing_mm, settings.blur_mm, settings.noise_hu, generator)
    final = finish_grid(grid, settings)
    truth = make_truth(spine, settings, world, final, counts)
    progress(1.0, "done")
    return _assemble(canvas, final, spine, settings, truth)


def _centreline(spine: tuple[PhantomVertebra, ...]) -> NDArray[np.float64]:
    """Rows (z, x, y of the bodies, y of the canal) at even steps of z, ascending."""
    bodies = np.array([vertebra.patient_from_body[:3, 3] for vertebra in spine])[::-1]
    canals = np.array(
        [apply_affine(vertebra.patient_from_body, vertebra.posterior.canal_centre) for vertebra in spine]
    )[::-1]
    if len(bodies) == 1:
        bodies = np.vstack([bodies - (0, 0, 30.0), bodies + (0, 0, 30.0)])
        canals = np.vstack([canals - (0, 0, 30.0), canals + (0, 0, 30.0)])
    z = np.linspace(bodies[0, 2], bodies[-1, 2], 200)
    return np.column_stack(
        [
            z,
            np.interp(z, bodies[:, 2], bodies[:, 0]),
            np.interp(z, bodies[:, 2], bodies[:, 1]),
            np.interp(z, canals[:, 2], canals[:, 1]),
        ]
    )


def _canal_points(spine: tuple[PhantomVertebra, ...]) -> NDArray[np.float64]:
    """Rows (x, y, z, half width, half depth) of the canal, ascending, run on beyond both ends."""
    rows = []
    for vertebra in spine:
        part = vertebra.posterior
        for z in (vertebra.shape[bk.Z_SUPERIOR], 0.0, vertebra.shape[bk.Z_INFERIOR]):
            centre = apply_affine(vertebra.patient_from_body, part.canal_centre + np.array([0.0, 0.0, z]))
            rows.append([*centre, part.canal_half_width_mm, part.canal_half_depth_mm])
    ends = []
    for row, vertebra, sign in ((rows[0], spine[0], 1.0), (rows[-1], spine[-1], -1.0)):
        axis = vertebra.patient_from_body[:3, 2]
        ends.append([*(np.array(row[:3]) + sign * 80.0 * axis), row[3], row[4]])
    points = np.array([ends[1], *rows[::-1], ends[0]])
    return np.asarray(points[np.argsort(points[:, 2], kind="stable")])


def _paint_surroundings(
    canvas: Canvas, settings: PhantomSettings, spine: tuple[PhantomVertebra, ...], trunk: Trunk
) -> None:
    if settings.with_soft_tissue:
        outline = np.array(
            [trunk.half_width_mm, trunk.half_depth_mm, trunk.centre_y_mm, settings.fat_mm, 2.0]
        )
        soft_tissue.paint_trunk(
            canvas.hu, canvas.patient_from_voxel, _centreline(spine), outline, settings.seed
        )
        canvas.skin[:] = canvas.hu > -900.0
    cord_end = next((v.patient_from_body[2, 3] for v in spine if v.name == "L1"), None)
    if cord_end is None:
        cord_end = 1e9 if spine[0].name[0] != "T" else -1e9
    soft_tissue.paint_canal(
        canvas.hu, canvas.canal, canvas.patient_from_voxel, _canal_points(spine), float(cord_end)
    )
    for upper, lower in zip(spine, spine[1:], strict=False):
        _paint_disc(canvas, upper, lower)


def _paint_disc(canvas: Canvas, upper: PhantomVertebra, lower: PhantomVertebra) -> None:
    bottom = apply_affine(upper.patient_from_body, (0.0, 0.0, upper.shape[bk.Z_INFERIOR]))
    top = apply_affine(lower.patient_from_body, (0.0, 0.0, lower.shape[bk.Z_SUPERIOR]))
    axis_z = (bottom - top) / np.linalg.norm(bottom - top)
    axis_x = upper.patient_from_body[:3, 0] - axis_z * float(upper.patient_from_body[:3, 0] @ axis_z)
    axis_x = axis_x / np.linalg.norm(axis_x)
    frame = rigid_from_axes(0.5 * (bottom + top), [axis_x, np.cross(axis_z, axis_x), axis_z])
    half_width = float(upper.shape[bk.HALF_WIDTH_INFERIOR]) * 0.99
    half_depth = 0.5 * float(upper.shape[bk.DEPTH_INFERIOR]) * 1.02
    half_height = 0.5 * float(np.linalg.norm(bottom - top)) + 8.0
    reach = (half_width + 2.0, half_depth + 2.0, half_height)
    start, stop, disc_from_voxel = canvas.box(frame, tuple(-r for r in reach), reach)
    soft_tissue.paint_disc(canvas.hu, start, stop, disc_from_voxel, half_width, half_depth, half_height)


def _paint_vertebra(
    canvas: Canvas,
    spine: tuple[PhantomVertebra, ...],
    index: int,
    finish: NDArray[np.float64],
    settings: PhantomSettings,
) -> None:
    vertebra = spine[index]
    start, stop, body_from_voxel = canvas.box(vertebra.patient_from_body, *_BODY_REACH_MM)
    above = np.zeros((0, N_CAPSULE))
    if index > 0:
        above = _carry_capsules(spine[index - 1], vertebra)
    part = vertebra.posterior
    canal = np.array([*part.canal_centre[:2], part.canal_half_width_mm, part.canal_half_depth_mm])
    paint.paint_vertebra(
        canvas.hu,
        canvas.labels,
        canvas.subregions,
        start,
        stop,
        body_from_voxel,
        vertebra.shape,
        finish,
        part.capsules,
        above,
        canal,
        vertebra.sizes.verse_label,
        settings.seed * 1009 + vertebra.sizes.verse_label,
    )


def _carry_capsules(source: PhantomVertebra, target: PhantomVertebra) -> NDArray[np.float64]:
    """The capsules of one vertebra in another's frame."""
    to_target = compose(invert_affine(target.patient_from_body), source.patient_from_body)
    rows = source.posterior.capsules.copy()
    rows[:, 0:3] = apply_affine(to_target, rows[:, 0:3])
    rows[:, 3:6] = apply_affine(to_target, rows[:, 3:6])
    rows[:, 8:11] = rows[:, 8:11] @ to_target[:3, :3].T
    return rows


def _count(
    canvas: Canvas, vertebra: PhantomVertebra, finish: NDArray[np.float64], grid: VolumeGeometry
) -> VoxelCounts:
    """Volumes that only the grid can tell."""
    start, stop, body_from_voxel = canvas.box(vertebra.patient_from_body, *_BODY_REACH_MM)
    box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    is_body = (canvas.labels[box] == vertebra.sizes.verse_label) & (canvas.subregions[box] >= 49)
    voxel_ml = grid.voxel_volume_mm3 / 1000.0
    volume_ml = float(np.count_nonzero(is_body)) * voxel_ml
    if finish[paint.CLEFT_A] <= 0.0:
        return VoxelCounts(volume_ml, 0.0, None)
    index = np.argwhere(is_body) + start
    points = apply_affine(body_from_voxel, index)
    is_gas = paint.cleft_mask(vertebra.shape, finish, points)
    if not is_gas.any():
        return VoxelCounts(volume_ml, 0.0, None)
    centre = apply_affine(grid.lps_from_voxel, index[is_gas].mean(axis=0))
    return VoxelCounts(volume_ml, float(np.count_nonzero(is_gas)) * voxel_ml, centre)


def _assemble(
    canvas: Canvas,
    final: FinalGrid,
    spine: tuple[PhantomVertebra, ...],
    settings: PhantomSettings,
    truth: PhantomTruth,
) -> Phantom:
    facts = ImageFacts(
        source_kind="phantom",
        patient_id=f"PHANTOM-{settings.seed}",
        patient_name="Phantom",
        sex="O",
        study_description="Synthetic spine",
        series_description=f"{spine[0].name} to {spine[-1].name}",
        body_part="SPINE",
        manufacturer="vertebro",
        kernel="synthetic",
        slice_thickness_mm=settings.spacing_mm[2],
        slice_spacing_mm=settings.spacing_mm[2],
        contrast_agent="synthetic" if settings.with_contrast else "",
    )
    labels = np.asarray(final.array(canvas.labels), dtype=np.uint8)
    present = set(np.unique(labels).tolist())
    names = {v.sizes.verse_label: v.name for v in spine if v.sizes.verse_label in present}
    return Phantom(
        Volume(np.asarray(final.array(canvas.hu.astype(np.int16)), dtype=np.int16), final.geometry, facts),
        LabelVolume(
            labels,
            final.geometry,
            names,
            convention="verse",
            extent="vertebra",
            subregions=final.subregions(canvas.subregions),
        ),
        truth,
        np.asarray(final.array(canvas.canal), dtype=np.uint8),
        np.asarray(final.array(canvas.skin), dtype=np.uint8),
    )
