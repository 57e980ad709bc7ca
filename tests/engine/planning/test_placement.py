"""The steps of a needle: in order, on the needle, and saying what the AP view shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import vertebro as vb
from small_patient import small_phantom
from vertebro.case import Approach, PlacementStage, Side
from vertebro.devices import load_c_arm
from vertebro.devices.cannulas import cannula_named
from vertebro.fluoroscopy import cone_beam
from vertebro.geometry import apply_affine, invert_affine
from vertebro.imaging import LabelVolume
from vertebro.planning import AccessSettings, placement_of
from vertebro.planning.access import beside_pedicle
from vertebro.planning.paths import make_path
from vertebro.planning.plan import make_level_site
from vertebro.planning.search import Aim, find_axis
from vertebro.reporting.plan_text import step_sentences
from vertebro.reporting.wording import load_words
from vertebro.workflow.view_poses import frontal_pose


@pytest.fixture(scope="module")
def case():
    patient = small_phantom()
    assessment = vb.assess_levels(patient.volume, patient.labels)
    plan = vb.plan_treatment(patient.volume, patient.labels, assessment)
    beam = cone_beam(frontal_pose(assessment.levels["L1"]), load_c_arm("mobile_c_arm").plane(), (512, 512))
    return patient.labels, assessment, plan.levels["L1"], beam.projection_matrix()


@pytest.fixture(params=["left", "right"])
def placed(request, case):
    labels, assessment, plan, matrix = case
    path = plan.best(request.param)
    return path, placement_of(path, labels, assessment, "L1", matrix), assessment.levels["L1"]


def test_steps_lie_on_the_needle_in_order_of_depth(placed):
    path, placement, _ = placed
    assert [step.stage for step in placement.steps] == list(PlacementStage)
    depths = [step.depth_mm for step in placement.steps]
    assert depths == sorted(depths)
    assert np.allclose(placement.steps[0].tip_lps_mm, path.entry_bone_lps_mm)
    assert np.allclose(placement.steps[-1].tip_lps_mm, path.target_lps_mm)
    for step in placement.steps:
        offset = step.tip_lps_mm - path.entry_bone_lps_mm
        assert np.linalg.norm(offset) == pytest.approx(step.depth_mm, abs=1e-6)


def test_back_wall_lies_between_pedicle_and_target(placed):
    _, placement, level = placed
    by_stage = {step.stage: step for step in placement.steps}
    wall = by_stage[PlacementStage.WALL]
    assert wall.before_wall_mm == 0.0
    assert (
        by_stage[PlacementStage.PEDICLE].before_wall_mm >= 0.0 > by_stage[PlacementStage.FINAL].before_wall_mm
    )
    _, anterior, _ = apply_affine(invert_affine(level.lps_from_vertebra), wall.tip_lps_mm)
    depth = level.dimensions.depth_middle_mm.require()
    assert anterior == pytest.approx(-depth / 2, abs=4.0)


def test_ring_surrounds_the_isthmus_on_the_needles_own_side(placed):
    path, placement, level = placed
    assert placement.pedicle_ring_lps_mm is not None
    own = apply_affine(invert_affine(level.lps_from_vertebra), placement.pedicle_ring_lps_mm)
    centre = apply_affine(invert_affine(level.lps_from_vertebra), path.isthmus_lps_mm)
    assert own[:, 0].min() < centre[0] < own[:, 0].max()
    assert own[:, 2].min() < centre[2] < own[:, 2].max()
    assert np.all(own[:, 0] > 0) if path.side is Side.RIGHT else np.all(own[:, 0] < 0)


def test_inner_border_is_crossed_only_in_the_body(placed):
    _, placement, _ = placed
    gaps = [step.lateral_of_medial_border_mm for step in placement.steps]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[2] > 0.0


def test_entry_is_on_the_outer_half_of_the_clock(placed):
    path, placement, _ = placed
    hour = placement.steps[0].clock_hour
    assert hour in ((1, 2, 3, 4, 5) if path.side is Side.LEFT else (7, 8, 9, 10, 11))


def test_without_pedicles_in_the_labels_no_ring_is_claimed(case):
    labels, assessment, plan, matrix = case
    bodies = LabelVolume(assessment.bodies, assessment.geometry, labels.names, extent="body")
    placement = placement_of(plan.best("left"), bodies, assessment, "L1", matrix)
    assert placement.pedicle_ring_lps_mm is None
    assert all(step.lateral_of_medial_border_mm is None for step in placement.steps)
    assert all(step.clock_hour is None for step in placement.steps)


def test_a_path_that_starts_past_its_isthmus_keeps_its_order(case):
    labels, assessment, plan, matrix = case
    path = plan.best("left")
    short = replace(path, entry_bone_lps_mm=(path.isthmus_lps_mm + path.target_lps_mm) / 2)
    depths = [step.depth_mm for step in placement_of(short, labels, assessment, "L1", matrix).steps]
    assert depths[0] == 0.0
    assert depths == sorted(depths)


@pytest.fixture(scope="module")
def beside(case):
    """A path along the left pedicle's outer wall, and its placement."""
    labels, assessment, _, matrix = case
    settings = AccessSettings()
    site = make_level_site(labels, assessment, assessment.levels["L1"], settings)
    assert site is not None
    pedicle = beside_pedicle(site, site.pedicles[Side.LEFT])
    aim = Aim(Side.LEFT, -4.0, 12.0, 0.0, Approach.PARAPEDICULAR)
    cannula = cannula_named("13 G cannula")
    found = find_axis(site, pedicle, aim, cannula, settings)
    assert found is not None
    path = make_path(site, pedicle, found, cannula, settings, None)
    return path, placement_of(path, labels, assessment, "L1", matrix), site.pedicles[Side.LEFT]


def test_beside_a_pedicle_the_ring_is_still_the_pedicles(beside, case):
    _, placement, pedicle = beside
    level = case[1].levels["L1"]
    assert placement.pedicle_ring_lps_mm is not None
    own = apply_affine(invert_affine(level.lps_from_vertebra), placement.pedicle_ring_lps_mm)
    assert own[:, 0].mean() == pytest.approx(pedicle.centre_v[0], abs=2.5)
    assert np.ptp(own[:, 0]) == pytest.approx(pedicle.width_mm, abs=3.0)


def test_beside_a_pedicle_the_steps_have_words_of_their_own(beside):
    path, placement, _ = beside
    words = load_words("en")
    assert placement.approach is Approach.PARAPEDICULAR
    said = step_sentences(placement, path.margins_mm["anterior_wall"], words)
    assert "beside the pedicle" in said[0]
    assert "outer side" in said[1]
    assert "within the pedicle" not in " ".join(said)
    through = step_sentences(replace(placement, approach=Approach.TRANSPEDICULAR), 5.0, words)
    assert through[:2] != said[:2]


def test_beside_a_pedicle_the_needle_passes_on_its_outer_side(beside):
    _, placement, pedicle = beside
    entry = placement.steps[0]
    assert entry.lateral_of_medial_border_mm is not None
    assert entry.lateral_of_medial_border_mm > pedicle.width_mm - 1.0
