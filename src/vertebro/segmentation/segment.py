"""From a bare CT to labelled vertebrae."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.case.segmentation import NameAnchor, Naming, SegmentedLevel, SpineSegmentation
from vertebro.findings import Finding, finding
from vertebro.geometry import apply_affine
from vertebro.imaging import LabelVolume, ScalarVolume, Volume
from vertebro.progress import Progress, scaled, silent
from vertebro.segmentation.bodies import canal_points, outline_bodies
from vertebro.segmentation.body_surface import BodySurface
from vertebro.segmentation.canal import COARSE_STEP_MM, CanalPath, trace_canal
from vertebro.segmentation.column_outline import Column, trace_column
from vertebro.segmentation.confidence import WEAK_EDGE, LevelQuality, level_quality
from vertebro.segmentation.disc_planes import DiscPlane, disc_evidence, find_discs
from vertebro.segmentation.ends import NOT_SEEN, with_ends
from vertebro.segmentation.level_names import VERSE_NUMBERS, LevelEvidence, propose_names
from vertebro.segmentation.masks import LiftedMasks, canal_mask, lift_labels, skin_mask
from vertebro.segmentation.posterior import grow_posterior, paint_bodies
from vertebro.segmentation.settings import SegmentationSettings
from vertebro.segmentation.surroundings import is_cut, rib_evidence, sacrum_evidence
from vertebro.segmentation.work import SpineWork
from vertebro.segmentation.working_grid import WorkingImage, to_working_grid

FIRST_UNNAMED = 101
"""Label of the first level where nothing names it."""
AROUND_MM = np.array([75.0, 85.0, 45.0])
"""How far around the column the fine grid reaches: left–right, front–back, along."""
LEAST_SPINE_LIKENESS = 1.0
"""Halfway between the least of the spines tried and the most of what is none (assumed)."""
SACRUM_SURE, RIB_SURE = 0.5, 0.6
LOWEST_CHECKED = 4
"""How many of the lowest bodies may be the sacrum's."""
LEAST_SHELL_HU = 130.0
"""Cortex and endplates, blurred, read above this; muscle, vessels without contrast and discs below."""
_DEFAULT = SegmentationSettings()


def segment_spine(
    volume: Volume,
    settings: SegmentationSettings = _DEFAULT,
    *,
    names: tuple[tuple[NDArray[np.float64], str], ...] = (),
    progress: Progress = silent,
) -> SpineSegmentation:
    """Find, outline and name the vertebrae of a CT.

    Parameters
    ----------
    volume : Volume
        A CT in Hounsfield units.
    settings : SegmentationSettings
    names : tuple of (position, name)
        Levels that a person named: a world position (3,) in or near the body, and e.g. ``"L1"``.
    progress : Progress

    Returns
    -------
    SpineSegmentation
        Without levels, and with a finding that says why, where no spine is found.

    Notes
    -----
    The same volume and settings give the same labels. Nothing is downloaded.
    """
    progress(0.0, "looking for the spinal canal")
    coarse = to_working_grid(volume, COARSE_STEP_MM)
    reason = _why_no_ct(volume, coarse)
    canal = CanalPath(np.zeros((0, 3)), np.zeros(0)) if reason else trace_canal(coarse)
    if not reason and (canal.length_mm < settings.least_canal_mm or len(canal.scores) < 6):
        reason = "no spinal canal was found"
    if reason:
        return _nothing(volume, coarse, reason)
    progress(0.1, "following the column")
    column = trace_column(coarse, canal)
    fine = to_working_grid(_around(volume, column), settings.fine_step_mm)
    progress(0.25, "finding the discs")
    evidence = disc_evidence(fine, column)
    found = find_discs(evidence)
    boundaries = with_ends(found, evidence, column)
    discs = boundaries.discs
    if len(discs) < 2:
        return _nothing(volume, coarse, "no disc was found along the spinal canal")
    bodies = outline_bodies(
        fine,
        column,
        list(boundaries.planes),
        [disc.s_mm for disc in discs],
        scaled(progress, 0.3, 0.6),
    )
    if not names and spine_likeness(discs, bodies) < LEAST_SPINE_LIKENESS:
        return _nothing(volume, coarse, "what lies along the canal is no row of vertebrae")
    progress(0.6, "sharing out arches and processes")
    painted = grow_posterior(fine, bodies, paint_bodies(bodies, fine))
    kept = _kept(fine, bodies)
    work = SpineWork(coarse, fine, canal, column, evidence, discs, tuple(bodies), kept, painted, given=names)
    return finish(volume, work, settings, names, scaled(progress, 0.75, 1.0))


def finish(
    volume: Volume,
    work: SpineWork,
    settings: SegmentationSettings,
    names: tuple[tuple[NDArray[np.float64], str], ...],
    progress: Progress,
) -> SpineSegmentation:
    """Names, confidence, findings and the arrays on the CT's grid, from the work done so far."""
    progress(0.0, "naming levels")
    found = [_judge(volume, work, index) for index in reversed(work.kept)]
    if not found:
        return _nothing(volume, work.coarse, "no vertebra could be made out along the spinal canal")
    naming = propose_names(_evidence(work, found, names), settings.name_at_least)
    called = naming.best_guess if naming.is_proposed else tuple(f"unnamed {i + 1}" for i in range(len(found)))
    numbers = [VERSE_NUMBERS.get(name, FIRST_UNNAMED + index) for index, name in enumerate(called)]
    progress(0.3, "drawing labels")
    lifted = lift_labels(_compact(work, found), work.fine, [one.body for one in found], volume.geometry)
    table = np.array([0, *numbers], dtype=np.uint8)
    labels = table[lifted.numbers]
    levels = {
        name: _level(one, name, number) for one, name, number in zip(found, called, numbers, strict=True)
    }
    findings = tuple(_findings(found, called, naming, settings))
    line = canal_points(work.column)
    progress(0.8, "drawing canal and skin")
    return SpineSegmentation(
        labels=_label_volume(volume, labels, lifted, levels, findings),
        levels=levels,
        naming=naming,
        canal=canal_mask(work.fine, line, work.painted, volume.geometry),
        skin=skin_mask(work.coarse, volume.geometry),
        confidence=ScalarVolume(lifted.confidence, volume.geometry, "confidence", "1"),
        canal_line_lps_mm=line,
        findings=findings,
        work=work,
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Found:
    """A body that became a level."""

    index: int
    body: BodySurface
    is_cut: bool
    quality: LevelQuality


def _judge(volume: Volume, work: SpineWork, index: int) -> _Found:
    body = work.bodies[index]
    cut = is_cut(work.fine, body, volume.geometry)
    pair = (work.discs[index], work.discs[index + 1])
    return _Found(index, body, cut, level_quality(work.fine, body, pair))


def _kept(fine: WorkingImage, bodies: list[BodySurface]) -> tuple[int, ...]:
    """Bodies that are vertebrae: not the sacrum's nor below it, of bone, and with enough of them in view."""
    first = 0
    for index in range(min(LOWEST_CHECKED, len(bodies))):
        above = bodies[index + 1 : index + 3]
        if any(rib_evidence(fine, body) > RIB_SURE for body in above):
            break
        if is_vertebra(fine, bodies[index]) and sacrum_evidence(fine, bodies[index]) >= SACRUM_SURE:
            first = index + 1
    return tuple(index for index in range(first, len(bodies)) if is_vertebra(fine, bodies[index]))


def spine_likeness(discs: tuple[DiscPlane, ...], bodies: list[BodySurface]) -> float:
    """How much a chain looks like a spine: clear discs, and bodies with edges all round.

    Parameters
    ----------
    discs : tuple of DiscPlane
    bodies : list of BodySurface

    Returns
    -------
    float
        On the trial's images 1.1 to 4 for spines, below 0.9 for pelvis, thighs and single tubes.
    """
    strength = [disc.strength for disc in discs if disc.strength > NOT_SEEN]
    weak = [float((body.edge < WEAK_EDGE).mean()) for body in bodies]
    if not strength:
        return 0.0
    return float(np.median(strength) - 3.0 * (np.median(weak) - 0.2))


def is_vertebra(fine: WorkingImage, body: BodySurface) -> bool:
    """Whether a body is one of bone, with at least a quarter of it in the image."""
    inside = np.stack(np.meshgrid(*[np.linspace(-0.6, 0.6, 7)] * 3, indexing="ij"), axis=-1)
    in_view = float((fine.sample(body.frame.lps_from_box(inside)) > -900.0).mean())
    return in_view > 0.25 and body.shell_hu > LEAST_SHELL_HU


def _evidence(
    work: SpineWork, found: list[_Found], names: tuple[tuple[NDArray[np.float64], str], ...]
) -> list[LevelEvidence]:
    centres = np.array([one.body.frame.lps_from_level[:3, 3] for one in found])
    given: dict[int, str] = {}
    for position, name in names:
        given[int(np.linalg.norm(centres - position, axis=1).argmin())] = name
    lowest = found[-1].index
    sacrum = lowest > 0 and sacrum_evidence(work.fine, work.bodies[lowest - 1]) >= SACRUM_SURE
    return [
        LevelEvidence(
            rib_evidence(work.fine, one.body),
            one.body.frame.half_width_mm,
            sacrum and position == len(found) - 1,
            given.get(position, ""),
        )
        for position, one in enumerate(found)
    ]


def _compact(work: SpineWork, found: list[_Found]) -> NDArray[np.uint8]:
    """The painted labels renumbered 1…n from cranial to caudal, others dropped."""
    table = np.zeros(len(work.bodies) + 1, dtype=np.uint8)
    for number, one in enumerate(found, start=1):
        table[one.index + 1] = number
    return table[work.painted]


def _level(one: _Found, name: str, number: int) -> SegmentedLevel:
    frame = one.body.frame
    return SegmentedLevel(
        name=name,
        label=number,
        lps_from_vertebra=frame.lps_from_level,
        half_size_mm=np.array([frame.half_width_mm, frame.half_depth_mm, frame.half_height_mm]),
        is_cut=one.is_cut,
        confidence=one.quality.confidence,
        facts=one.quality.facts,
    )


def _label_volume(
    volume: Volume,
    labels: NDArray[np.uint8],
    lifted: LiftedMasks,
    levels: dict[str, SegmentedLevel],
    findings: tuple[Finding, ...],
) -> LabelVolume:
    present = set(np.unique(labels).tolist())
    return LabelVolume(
        labels,
        volume.geometry,
        {level.label: name for name, level in levels.items() if level.label in present},
        convention="verse",
        extent="vertebra",
        subregions=lifted.subregions,
        findings=findings,
        source={"kind": "segmented", "algorithm": "vertebro"},
    )


def _findings(
    found: list[_Found],
    called: tuple[str, ...],
    naming: Naming,
    settings: SegmentationSettings,
) -> list[Finding]:
    findings = [_naming_finding(naming, called)]
    for one, name in zip(found, called, strict=True):
        if one.is_cut:
            findings.append(finding("segment.cut", f"{name} reaches the border of the scan.", where=name))
        elif one.quality.confidence < settings.ask_below:
            findings.append(
                finding(
                    "segment.uncertain",
                    f"The outline of {name} is uncertain: {one.quality.reason}.",
                    where=name,
                    evidence={"confidence": round(one.quality.confidence, 2)},
                )
            )
        if one.quality.facts["metal_share"] > 0.01:
            findings.append(finding("segment.metal", f"Metal or cement in or beside {name}.", where=name))
    return findings


def _naming_finding(naming: Naming, called: tuple[str, ...]) -> Finding:
    evidence: dict[str, str | float | bool | int | None] = {
        "anchor": naming.anchor.value,
        "probability": round(naming.probability, 2),
        "best_guess": " ".join(naming.best_guess),
    }
    if naming.anchor is NameAnchor.GIVEN:
        return finding("segment.named", f"Levels {called[0]} to {called[-1]}, as named.", evidence=evidence)
    if naming.is_proposed:
        return finding(
            "segment.names_proposed",
            f"Levels were named {called[0]} to {called[-1]} by the {naming.anchor.value}; check one.",
            evidence=evidence,
        )
    return finding(
        "segment.name_one_level",
        f"{len(called)} vertebrae were found, but nothing in view says which they are: name one level.",
        evidence=evidence,
    )


def _why_no_ct(volume: Volume, coarse: WorkingImage) -> str:
    """Why this cannot be a CT of a body; empty where it can."""
    if volume.facts.modality not in ("CT", ""):
        return f"the image is no CT but {volume.facts.modality}"
    values = coarse.hu[coarse.hu > -900.0]
    if values.size < 500:
        return "the image is empty"
    if any(entry.code == "image.not_ct_like" for entry in volume.findings) or float(values.min()) >= -20.0:
        return "the values are not those of a CT: there is neither air nor fat"
    return ""


def _around(volume: Volume, column: Column) -> Volume:
    """The part of the CT around the column."""
    points = column.curve.points_lps_mm
    lower, upper = points.min(axis=0) - AROUND_MM, points.max(axis=0) + AROUND_MM
    corners = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    index = apply_affine(volume.geometry.voxel_from_lps, lower + corners * (upper - lower))
    start = np.clip(np.floor(index.min(axis=0)).astype(int) - 1, 0, np.array(volume.shape) - 1)
    stop = np.clip(np.ceil(index.max(axis=0)).astype(int) + 2, start + 1, volume.shape)
    return volume.crop(
        (int(start[0]), int(start[1]), int(start[2])), (int(stop[0]), int(stop[1]), int(stop[2]))
    )


def _nothing(volume: Volume, coarse: WorkingImage, reason: str) -> SpineSegmentation:
    empty = np.zeros(volume.shape, dtype=np.uint8)
    told = finding("segment.no_spine", f"No vertebra was labelled: {reason}.")
    return SpineSegmentation(
        labels=LabelVolume(
            empty, volume.geometry, {}, convention="verse", extent="vertebra", findings=(told,)
        ),
        levels={},
        naming=Naming(NameAnchor.NONE, 0.0, False),
        canal=empty,
        skin=skin_mask(coarse, volume.geometry),
        confidence=ScalarVolume(np.ones(volume.shape, dtype=np.float32), volume.geometry, "confidence", "1"),
        canal_line_lps_mm=np.zeros((0, 3)),
        findings=(told,),
    )
