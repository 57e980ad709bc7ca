"""From settings to a synthetic CT with labels and known truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vertebro.geometry import apply_affine, compose, invert_affine, rigid_from_axes
from vertebro.imaging import ImageFacts, LabelVolume, Volume, VolumeGeometry
from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms import bone_kernels as paint
from vertebro.phantoms import canal_kernels
from vertebro.phantoms import trunk_kernels as tk
from vertebro.phantoms.canvas import Canvas
from vertebro.phantoms.finish import make_finish
from vertebro.phantoms.grid import FinalGrid, Trunk, finish_grid, lps_from_patient, make_grid, make_trunk
from vertebro.phantoms.landmarks import canal_points, centreline, level_heights_mm
from vertebro.phantoms.organs import make_organs
from vertebro.phantoms.other_bones import make_pelvis, make_ribs
from vertebro.phantoms.posterior import N_CAPSULE
from vertebro.phantoms.scanner import scan
from vertebro.phantoms.settings import PhantomSettings
from vertebro.phantoms.spine import PhantomVertebra, make_spine
from vertebro.phantoms.truth import PhantomTruth, VoxelCounts, make_truth
from vertebro.progress import Progress, silent


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


_DEFAULT = PhantomSettings()


def make_phantom(settings: PhantomSettings = _DEFAULT, *, progress: Progress = silent) -> Phantom:
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
    >>> patient = make_phantom(PhantomSettings(levels=("L1", "L2"), spacing_mm=(3.0, 3.0, 3.0)))
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


def _paint_surroundings(
    canvas: Canvas, settings: PhantomSettings, spine: tuple[PhantomVertebra, ...], trunk: Trunk
) -> None:
    """Everything but the vertebrae: they are painted over it."""
    heights = level_heights_mm(spine, settings.body_scale)
    if settings.with_soft_tissue:
        _paint_trunk(canvas, settings, spine, trunk, heights)
        for chain in make_ribs(spine, settings, trunk):
            _paint_chain(canvas, chain, settings)
        if heights["S1"] > canvas.lowest_z_mm() - 60.0:
            s1_y = spine[-1].patient_from_body[1, 3]
            for chain in make_pelvis(heights, settings, float(s1_y)):
                _paint_chain(canvas, chain, settings)
    lower = [-45.0, -80.0, -1e4]
    upper = [45.0, 40.0, 1e4]
    centre = np.array([vertebra.patient_from_body[:3, 3] for vertebra in spine])
    lower[0], upper[0] = lower[0] + centre[:, 0].min(), upper[0] + centre[:, 0].max()
    lower[1], upper[1] = lower[1] + centre[:, 1].min(), upper[1] + centre[:, 1].max()
    start, stop, _ = canvas.box(np.eye(4), tuple(lower), tuple(upper))
    canal_kernels.paint_canal(
        canvas.hu, canvas.canal, start, stop, canvas.patient_from_voxel, canal_points(spine), heights["L1"]
    )
    for above, below in pairwise(spine):
        _paint_disc(canvas, above, below)


def _paint_trunk(
    canvas: Canvas,
    settings: PhantomSettings,
    spine: tuple[PhantomVertebra, ...],
    trunk: Trunk,
    heights: Mapping[str, float],
) -> None:
    values = np.zeros(tk.N_TRUNK)
    values[tk.HALF_WIDTH], values[tk.HALF_DEPTH] = trunk.half_width_mm, trunk.half_depth_mm
    values[tk.CENTRE_Y], values[tk.BACK_Y] = trunk.centre_y_mm, trunk.back_y_mm
    values[tk.FAT_MM], values[tk.SCALE] = settings.fat_mm, settings.body_scale
    for entry, level in ((tk.T9_Z, "T9"), (tk.L1_Z, "L1"), (tk.L4_Z, "L4"), (tk.S1_Z, "S1")):
        values[entry] = heights[level]
    values[tk.VESSEL_HU] = 180.0 if settings.with_contrast else 42.0
    values[tk.HAS_TABLE] = float(settings.with_table)
    generator = np.random.Generator(np.random.PCG64([settings.seed, 1]))
    organs = make_organs(heights, trunk.half_width_mm, settings.with_contrast, generator)
    tk.paint_trunk(
        canvas.hu, canvas.skin, canvas.patient_from_voxel, centreline(spine), values, organs, settings.seed
    )


def _paint_chain(canvas: Canvas, chain: NDArray[np.float64], settings: PhantomSettings) -> None:
    tones = np.array([1.3 * settings.cortex_mm, settings.cortex_hu, settings.trabecular_hu + 90.0])
    for owner, row in enumerate(chain):
        reach = max(row[6], row[7]) * row[11] + 4.0
        lower = np.minimum(row[0:3], row[3:6]) - reach
        upper = np.maximum(row[0:3], row[3:6]) + reach
        start, stop, patient_from_voxel = canvas.box(np.eye(4), tuple(lower), tuple(upper))
        paint.paint_capsules(canvas.hu, start, stop, patient_from_voxel, chain, tones, owner)


def _paint_disc(canvas: Canvas, upper: PhantomVertebra, lower: PhantomVertebra) -> None:
    bottom = apply_affine(upper.patient_from_body, (0.0, 0.0, upper.shape[bk.Z_INFERIOR]))
    top = apply_affine(lower.patient_from_body, (0.0, 0.0, lower.shape[bk.Z_SUPERIOR]))
    axis_z = (bottom - top) / np.linalg.norm(bottom - top)
    axis_x = upper.patient_from_body[:3, 0] - axis_z * float(upper.patient_from_body[:3, 0] @ axis_z)
    axis_x = axis_x / np.linalg.norm(axis_x)
    frame = rigid_from_axes(0.5 * (bottom + top), [axis_x, np.cross(axis_z, axis_x), axis_z])
    reach = (
        float(upper.shape[bk.HALF_WIDTH_INFERIOR]),
        0.5 * float(upper.shape[bk.DEPTH_INFERIOR]) * 1.02,
        0.5 * float(np.linalg.norm(bottom - top)) + 8.0,
    )
    start, stop, disc_from_voxel = canvas.box(
        frame, tuple(-r - 2.0 for r in reach), tuple(r + 2.0 for r in reach)
    )
    canal_kernels.paint_disc(canvas.hu, start, stop, disc_from_voxel, np.array(reach))


def _paint_vertebra(
    canvas: Canvas,
    spine: tuple[PhantomVertebra, ...],
    index: int,
    finish: NDArray[np.float64],
    settings: PhantomSettings,
) -> None:
    vertebra = spine[index]
    start, stop, body_from_voxel = canvas.box(vertebra.patient_from_body, *_reach(vertebra))
    above = np.zeros((0, N_CAPSULE))
    if index > 0:
        above = _carry_capsules(spine[index - 1], vertebra)
    part = vertebra.posterior
    no_passing = float(vertebra.name != "S1")
    canal = np.array([*part.canal_centre[:2], part.canal_half_width_mm, part.canal_half_depth_mm, no_passing])
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


def _reach(vertebra: PhantomVertebra) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Lower and upper corner of a box in the construction frame that holds the vertebra."""
    p, rows = vertebra.shape, vertebra.posterior.capsules
    wide = float(max(p[bk.HALF_WIDTH_SUPERIOR], p[bk.HALF_WIDTH_INFERIOR])) + 3.0
    deep = float(max(p[bk.DEPTH_SUPERIOR], p[bk.DEPTH_INFERIOR]))
    tall = 0.5 * float(vertebra.whole[bk.Z_SUPERIOR] - vertebra.whole[bk.Z_INFERIOR]) + 8.0
    thick = np.maximum(rows[:, 6], rows[:, 7])[:, None]
    along_long_axis = np.abs(rows[:, 8:11]) * (rows[:, 11:12] - 1.0).clip(min=0.0) * thick
    grow = thick + along_long_axis + 2.0
    lower = np.minimum(rows[:, 0:3], rows[:, 3:6]) - grow
    upper = np.maximum(rows[:, 0:3], rows[:, 3:6]) + grow
    body_lower = np.array([-wide, p[bk.BACK_Y] - p[bk.RETROPULSION] - 5.0, -tall])
    body_upper = np.array([wide, p[bk.BACK_Y] + deep + 5.0, tall])
    return (
        tuple(np.minimum(lower.min(axis=0), body_lower)),
        tuple(np.maximum(upper.max(axis=0), body_upper)),
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
    start, stop, body_from_voxel = canvas.box(vertebra.patient_from_body, *_reach(vertebra))
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
        patient_name="Phantom^Synthetic",
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
