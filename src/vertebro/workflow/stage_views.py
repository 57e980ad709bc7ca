"""Stage ``views``: the X-ray pictures to work from, and each needle placed step by step.

For every level that may be treated (the worst three): AP and lateral square to the level, and the
view down each recommended needle. For the worst: where the tip is at each step, in AP and lateral.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vertebro.case import (
    CArmPose,
    Finding,
    FluoroView,
    LevelAssessment,
    LevelPlan,
    NeedlePath,
    Picture,
    Placement,
    PlanView,
    PlanViews,
    Side,
    TreatmentPlan,
    ViewKind,
)
from vertebro.devices import load_c_arm
from vertebro.fluoroscopy import (
    Anatomy,
    FluoroscopySettings,
    LiveView,
    image_axes,
    prepare_anatomy,
    render_view,
)
from vertebro.imaging import Volume
from vertebro.io.case_folder import CaseFolder
from vertebro.io.dicom_secondary_capture import write_secondary_captures
from vertebro.io.png import write_png
from vertebro.planning import placement_of
from vertebro.progress import Progress
from vertebro.workflow.stage_dicom import content_time
from vertebro.workflow.stages import Inputs, StageResult
from vertebro.workflow.view_poses import (
    barrel_pose,
    frontal_pose,
    lateral_pose,
    needle_rod,
    target_levels,
)

MOST_LEVELS = 3
"""More levels than this are not treated in one session as a rule (CIRSE guidelines 2017)."""
STEP_HALF_WIDTH_MM = 42.0
"""Half the width of a step's picture, at the isocentre: a vertebra with part of its neighbours."""
_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))


def run(inputs: Inputs, settings: FluoroscopySettings, *, seed: int, progress: Progress) -> StageResult:
    """Take the views and the pictures of each step."""
    plan: TreatmentPlan = inputs["plan"]
    levels = target_levels(inputs["assessment"], inputs["options"].levels)[:MOST_LEVELS]
    if not levels:
        return StageResult(PlanViews({}), (), {"n_views": 0.0})
    progress(0.0, "Preparing simulated X-rays (the first time on a machine takes up to half a minute)")
    anatomy = prepare_anatomy(inputs["ct"], settings.beam)
    taken: dict[str, tuple[PlanView, ...]] = {}
    for number, level in enumerate(levels):
        progress(0.1 + 0.6 * number / len(levels), f"Taking X-ray views of {level.name}")
        taken[level.name] = _views_of(level, plan.levels.get(level.name), anatomy, settings, (seed, number))
    progress(0.7, f"Placing needles step by step at {levels[0].name}")
    placements = _placements(levels[0], inputs, anatomy, settings)
    findings = _unique(view for views in taken.values() for view in views)
    n_views = sum(len(views) for views in taken.values())
    return StageResult(PlanViews(taken, placements), findings, {"n_views": float(n_views)})


def _views_of(
    level: LevelAssessment,
    plan: LevelPlan | None,
    anatomy: Anatomy,
    settings: FluoroscopySettings,
    seed: tuple[int, int],
) -> tuple[PlanView, ...]:
    """AP and lateral with the needles to place; then the view down each recommended needle."""
    wanted: list[tuple[ViewKind, Side | None, CArmPose, tuple[NeedlePath, ...]]] = []
    needles = plan.needles if plan else ()
    wanted.append((ViewKind.AP, None, frontal_pose(level), needles))
    wanted.append((ViewKind.LATERAL, None, lateral_pose(level), needles))
    planned = plan.paths if plan else ()
    wanted += [
        (ViewKind.BARREL, path.side, barrel_pose(path), (path,)) for path in planned if path.recommended
    ]
    views = []
    for number, (kind, side, pose, paths) in enumerate(wanted):
        rng = np.random.default_rng((*seed, number))
        rods = [needle_rod(path) for path in paths]
        image = render_view(anatomy, pose, settings, instruments=rods, rng=rng)
        views.append(plan_view(level.name, kind, side, image))
    return tuple(views)


def plan_view(level: str, kind: ViewKind, side: Side | None, image: FluoroView) -> PlanView:
    """A simulated image as a view of the plan."""
    plane = load_c_arm(image.c_arm).plane(image.plane)
    right, down = image_axes(image.pose)
    return PlanView(
        level=level,
        kind=kind,
        side=side,
        picture=Picture(image.pixels, image.projection_matrix),
        pose=image.pose,
        c_arm=image.c_arm,
        pixel_at_isocentre_mm=image.pixel_mm * plane.source_isocentre_mm / plane.source_detector_mm,
        orientation=(direction_letters(right), direction_letters(down)),
        tube_voltage_kv=image.dose.tube_voltage_kv,
        dose=image.dose,
        findings=image.findings,
    )


def direction_letters(direction_lps: np.ndarray) -> str:
    """A direction in DICOM's letters, the strongest first; parts below a third of it are left out.

    Examples
    --------
    >>> direction_letters(np.array([0.8, -0.6, 0.0])), direction_letters(np.array([0.0, 0.1, -1.0]))
    ('LA', 'F')
    """
    largest = float(np.abs(direction_lps).max())
    order = np.argsort(-np.abs(direction_lps), kind="stable")
    return "".join(
        _LETTERS[axis][0 if direction_lps[axis] > 0 else 1]
        for axis in order
        if abs(float(direction_lps[axis])) > largest / 3
    )


def _placements(
    level: LevelAssessment, inputs: Inputs, anatomy: Anatomy, settings: FluoroscopySettings
) -> tuple[Placement, ...]:
    plan: LevelPlan | None = inputs["plan"].levels.get(level.name)
    paths = plan.needles if plan else ()
    if not paths:
        return ()
    frontal = LiveView(anatomy, frontal_pose(level), settings)
    lateral = LiveView(anatomy, lateral_pose(level), settings)
    body = level.lps_from_vertebra[:3, 3]
    placed = []
    for path in paths:
        plain = placement_of(
            path,
            inputs["labels"],
            inputs["assessment"],
            level.name,
            frontal.projection.beam.projection_matrix(),
        )
        middle = (path.entry_bone_lps_mm + path.target_lps_mm) / 2
        steps = tuple(
            replace(
                step,
                ap=_step_picture(frontal, path, step.tip_lps_mm, body),
                lateral=_step_picture(lateral, path, step.tip_lps_mm, middle),
            )
            for step in plain.steps
        )
        placed.append(replace(plain, steps=steps))
    return tuple(placed)


def _step_picture(view: LiveView, path: NeedlePath, tip: np.ndarray, centre: np.ndarray) -> Picture:
    """The needle with its tip at a point, in the part of the view around another."""
    projection = view.projection
    whole = Picture(view.frame([needle_rod(path, tip)]), projection.beam.projection_matrix())
    plane = projection.plane
    pixel_mm = projection.pixel_mm * plane.source_isocentre_mm / plane.source_detector_mm
    column, row = whole.project(centre)
    return whole.cropped((float(column), float(row)), round(STEP_HALF_WIDTH_MM / pixel_mm))


def _unique(views: Iterable[PlanView]) -> tuple[Finding, ...]:
    found: dict[tuple[str, str], Finding] = {}
    for view in views:
        for item in view.findings:
            found.setdefault((item.code, item.message), item)
    return tuple(found.values())


def save(result: PlanViews, folder: CaseFolder) -> list[Path]:
    """Keep the views losslessly, as PNG, and as DICOM secondary captures."""
    written = list(folder.save_noun("views", result))
    views = [view for entry in result.levels.values() for view in entry]
    if not views:
        return written
    for view in views:
        place = Path(f"views/{_file_word(view)}.png")
        across = 1.0 / view.pixel_at_isocentre_mm
        with folder.replacing(place) as path:
            write_png(path, view.picture.pixels, pixels_per_mm=(across, across))
        written.append(place)
    volume = folder.load_noun("ct", Volume)
    places = [Path(f"dicom/view-{_file_word(view)}.dcm") for view in views]
    write_secondary_captures(
        [folder.path(place) for place in places], volume, views, when=content_time(volume.facts)
    )
    return [*written, *places]


def _file_word(view: PlanView) -> str:
    level = "".join(letter if letter.isalnum() else "_" for letter in view.level)
    return f"{level}-{view.name}"


def load(folder: CaseFolder) -> Any:
    """Load the views that were kept."""
    return folder.load_noun("views", PlanViews)
