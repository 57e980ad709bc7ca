"""The assessment of a spine: which levels, in what order, and everything known of each.

Levels are lifted once, measured on their own axes, compared with one another, and graded. What
cannot be measured is a missing estimate with its reason or a finding, never an exception.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.assessment.angles import angle_sigma_deg, endplate_angle
from vertebro.assessment.density import density_findings
from vertebro.assessment.expected_heights import (
    LevelMeasure,
    expected_heights,
    is_own_expectation,
    spine_order,
    typical_heights,
)
from vertebro.assessment.grading import Grading, grade_level, ungraded
from vertebro.assessment.heights import measure_dimensions, missing_heights
from vertebro.assessment.level_anatomy import MeasuredLevel, find_seeds, measure_level, tangents_of
from vertebro.assessment.settings import AssessmentSettings
from vertebro.assessment.tissue_facts import ShapeFacts, TissueFacts, tissue_facts
from vertebro.case import (
    Assessment,
    Estimate,
    Finding,
    Heights,
    LevelAssessment,
    finding,
    parse_level,
)
from vertebro.case.level import Level
from vertebro.errors import SettingsError
from vertebro.geometry import apply_affine
from vertebro.imaging import LabelVolume, Volume
from vertebro.progress import Progress, map_in_threads, scaled, silent


@dataclass(frozen=True, eq=False, slots=True)
class _Context:
    """What all levels share while facts are put together."""

    measured: list[MeasuredLevel]
    expected: dict[str, Heights]
    orders: list[int]
    settings: AssessmentSettings


def assess_levels(
    volume: Volume,
    labels: LabelVolume,
    settings: AssessmentSettings | None = None,
    *,
    levels: Iterable[str] | None = None,
    progress: Progress = silent,
) -> Assessment:
    """Measure and grade every labelled thoracic and lumbar level of a CT.

    Parameters
    ----------
    volume : Volume
        CT, HU.
    labels : LabelVolume
        Whole vertebrae or bodies, on any grid in the same world.
    settings : AssessmentSettings, optional
    levels : iterable of str, optional
        Levels to report; all labelled levels still serve as neighbours.
    progress : callable
        Told how far the work is; may raise :class:`~vertebro.errors.Cancelled`.

    Returns
    -------
    Assessment
        Levels from cranial to caudal. Nothing measurable gives an empty assessment with findings.

    Raises
    ------
    SettingsError
        If ``levels`` holds something that is neither a level's name nor one of the labels' names.

    Notes
    -----
    World LPS, mm. Time grows with the number of levels, not with the volume's size.

    Examples
    --------
    >>> import numpy as np
    >>> from vertebro.imaging import VolumeGeometry
    >>> grid = VolumeGeometry.from_spacing((60, 60, 40), (1.0, 1.0, 1.0))
    >>> body = np.zeros(grid.shape, np.uint8)
    >>> body[10:50, 15:45, 8:33] = 20
    >>> ct = Volume(np.where(body, 150, 0).astype(np.int16), grid)
    >>> box = assess_levels(ct, LabelVolume(body, grid, {20: "L1"}))
    >>> round(box.levels["L1"].heights_mm.middle.value, 1)
    25.0
    """
    settings = settings or AssessmentSettings()
    names, findings = _wanted(labels, levels)
    assessable, skipped = _assessable(labels)
    findings += skipped
    progress(0.0, "finding the levels")
    seeds, seed_findings = find_seeds(labels, assessable, settings)
    findings += seed_findings
    tried = map_in_threads(
        lambda pair: measure_level(pair[0], pair[1], volume, labels, settings),
        list(zip(seeds, tangents_of(seeds), strict=True)),
        scaled(progress, 0.05, 0.5),
        lambda pair: f"measuring {pair[0].name}",
    )
    findings += [_no_body(seed.name) for seed, level in zip(seeds, tried, strict=True) if level is None]
    measured = [level for level in tried if level is not None]
    context = _compare(measured, settings)
    facts, calibration = tissue_facts(
        volume,
        labels,
        [level.anatomy for level in measured if names is None or level.anatomy.name in names],
        [level.anatomy for level in measured],
        settings.tissue,
        scaled(progress, 0.5, 0.95),
    )
    done: dict[str, LevelAssessment] = {}
    for index, level in enumerate(measured):
        name = level.anatomy.name
        if names is None or name in names:
            done[name] = _level_assessment(context, index, facts[name])
    findings += [*calibration.findings, *density_findings(done.values(), calibration, settings.tissue)]
    progress(1.0, "assessed")
    return Assessment(
        done,
        labels.geometry,
        _body_labels(labels, measured),
        tuple(findings),
        calibration=calibration.density_law(),
    )


def _wanted(labels: LabelVolume, levels: Iterable[str] | None) -> tuple[set[str] | None, list[Finding]]:
    """Names asked for, and findings for those that are not labelled."""
    if levels is None:
        return None, []
    names: set[str] = set()
    present = set(labels.names.values())
    for text in levels:
        names.add(text if text in present else _level_name(text))
    missing = sorted(names - present)
    return names, [
        finding("assess.not_found", f"{name} is not among the labelled levels.", where=name)
        for name in missing
    ]


def _level_name(text: str) -> str:
    try:
        return parse_level(text).value
    except SettingsError as error:
        raise SettingsError(
            error.code, got=error.got, needed=error.needed, remedy=error.remedy, fields=("levels",)
        ) from None


def _assessable(labels: LabelVolume) -> tuple[dict[int, str], list[Finding]]:
    """Labels that are measured: T and L levels, and names that are no known level."""
    known = {level.value: level for level in Level}
    wanted: dict[int, str] = {}
    findings: list[Finding] = []
    skipped = []
    for label, name in labels.names.items():
        if name in wanted.values():
            continue
        if name in known and not known[name].is_assessable:
            skipped.append(name)
            continue
        if name not in typical_heights():
            findings.append(
                finding(
                    "assess.unknown_level",
                    f"{name} is no known level; level-typical proportions do not apply.",
                    where=name,
                )
            )
        wanted[label] = name
    if skipped:
        findings.append(
            finding(
                "assess.skipped", f"Not assessed, being neither thoracic nor lumbar: {', '.join(skipped)}."
            )
        )
    return wanted, findings


def _no_body(name: str) -> Finding:
    return finding(
        "assess.no_body",
        f"No vertebral body could be made out in the label of {name}; the level was not assessed.",
        where=name,
    )


def _compare(measured: list[MeasuredLevel], settings: AssessmentSettings) -> _Context:
    """Expected heights of all levels from one another."""
    orders = spine_order([level.anatomy.name for level in measured])
    measures = [
        LevelMeasure(
            level.anatomy.name,
            order,
            {
                "anterior": level.anatomy.heights_mm.anterior,
                "middle": level.anatomy.heights_mm.middle,
                "posterior": level.anatomy.heights_mm.posterior,
            },
            level.anatomy.complete,
        )
        for level, order in zip(measured, orders, strict=True)
    ]
    expected, _ = expected_heights(measures, settings) if measures else ({}, frozenset())
    return _Context(measured, expected, orders, settings)


def _level_assessment(context: _Context, index: int, facts: TissueFacts) -> LevelAssessment:
    """Everything of one level in one noun."""
    level = context.measured[index]
    anatomy, settings = level.anatomy, context.settings
    expected = context.expected.get(anatomy.name, missing_heights("no level to compare with"))
    grading, grade_findings = _grade(context, index, expected)
    voxel = anatomy.source_spacing_mm[2]
    step = anatomy.patch.spacing_mm[0]
    shape = ShapeFacts(
        expected_heights_mm=expected,
        dimensions=measure_dimensions(anatomy.body, level.first_mm, step, max(anatomy.source_spacing_mm[:2])),
        grading=grading,
        wedge_angle_deg=_wedge_angle(level, voxel),
        kyphosis_deg=_kyphosis(context, index),
        findings=(*anatomy.findings, *grade_findings),
    )
    return facts.complete(anatomy, shape, settings)


def _grade(context: _Context, index: int, expected: Heights) -> tuple[Grading, list[Finding]]:
    anatomy = context.measured[index].anatomy
    if not anatomy.complete:
        return ungraded("not graded: the body is cut by the field of view"), []
    if not anatomy.heights_mm.anterior.is_known:
        return ungraded(f"not graded: {anatomy.heights_mm.anterior.basis}"), []
    findings = []
    if is_own_expectation(expected):
        findings.append(
            finding(
                "assess.no_neighbour",
                f"{anatomy.name} has no complete, sound neighbour to compare with.",
                where=anatomy.name,
            )
        )
    grading = grade_level(anatomy.heights_mm, expected, context.settings)
    return grading, findings


def _wedge_angle(level: MeasuredLevel, voxel_mm: float) -> Estimate:
    anatomy = level.anatomy
    sup, inf = anatomy.superior_endplate, anatomy.inferior_endplate
    if sup is None or inf is None:
        return Estimate.missing("deg", "an endplate is cut by the field of view or could not be fitted")
    depth = anatomy.depth_mm.value or 30.0
    sigma = np.hypot(angle_sigma_deg(sup, depth, voxel_mm), angle_sigma_deg(inf, depth, voxel_mm))
    return endplate_angle(
        sup,
        inf,
        anatomy.lps_from_vertebra[:3, 0],
        float(np.hypot(sigma, 0.4)),
        "between robust planes through both endplates, sagittal; positive where the front is lower",
    )


def _kyphosis(context: _Context, index: int) -> Estimate:
    """Upper endplate of the level above against lower endplate of the level below."""
    order = context.orders
    if (
        index == 0
        or index == len(order) - 1
        or order[index] - order[index - 1] != 1
        or order[index + 1] - order[index] != 1
    ):
        return Estimate.missing("deg", "the level above or below is not labelled")
    above, here, below = (context.measured[index + step].anatomy for step in (-1, 0, 1))
    if above.superior_endplate is None or below.inferior_endplate is None:
        return Estimate.missing("deg", "the level above or below is cut by the field of view")
    voxel = here.source_spacing_mm[2]
    sigma = np.hypot(
        angle_sigma_deg(above.superior_endplate, 30.0, voxel),
        angle_sigma_deg(below.inferior_endplate, 30.0, voxel),
    )
    return endplate_angle(
        above.superior_endplate,
        below.inferior_endplate,
        here.lps_from_vertebra[:3, 0],
        float(np.hypot(sigma, 0.5)),
        f"upper endplate of {above.name} against lower endplate of {below.name}, sagittal; positive kyphotic",
    )


def _body_labels(labels: LabelVolume, measured: list[MeasuredLevel]) -> NDArray[np.uint8] | NDArray[np.int16]:
    """The label of each voxel of the labels' grid that belongs to a body."""
    bodies = np.zeros_like(labels.labels)
    for level in measured:
        box = level.seed.box
        start = np.array([part.start for part in box])
        index = np.argwhere(labels.labels[box] == level.anatomy.label) + start
        patch = level.anatomy.patch
        place = np.round(
            apply_affine(patch.voxel_from_lps, apply_affine(labels.geometry.lps_from_voxel, index))
        ).astype(int)
        inside = np.all((place >= 0) & (place < np.array(patch.shape)), axis=1)
        of_body = np.zeros(len(index), dtype=bool)
        of_body[inside] = level.anatomy.body[tuple(place[inside].T)]
        bodies[tuple(index[of_body].T)] = level.anatomy.label
    return bodies
