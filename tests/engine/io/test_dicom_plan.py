"""The needle plan as DICOM objects: strict, in the CT's frame, and with the plan's own numbers."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import datetime

import highdicom
import numpy as np
import pydicom
import pytest

from external_tools import require_tool
from spine_labels import ct_of, labelled
from vertebro.case import (
    MARGINS_AROUND,
    MARGINS_OF_TIP,
    Approach,
    Estimate,
    LevelPlan,
    NeedlePath,
    ProcedureAdvice,
    ProcedureAdviceKind,
    Side,
    TreatmentPlan,
)
from vertebro.errors import InputError
from vertebro.geometry import apply_affine
from vertebro.io.dicom_plan import write_plan_seg, write_plan_sr

WHEN = datetime(2026, 1, 2, 3, 4, 5)


def needle(side: Side, entry, target, *, skin=None) -> NeedlePath:
    entry, target = np.array(entry, float), np.array(target, float)
    margins = {name: 1.0 + number for number, name in enumerate((*MARGINS_AROUND, *MARGINS_OF_TIP))}
    return NeedlePath(
        side=side,
        approach=Approach.TRANSPEDICULAR,
        device="11 G cannula",
        access="bipedicular",
        recommended=True,
        entry_skin_lps_mm=None if skin is None else np.array(skin, float),
        entry_bone_lps_mm=entry,
        isthmus_lps_mm=entry,
        target_lps_mm=target,
        margins_mm=margins | {"cleft": None},
        tightest="medial",
        tightest_lps_mm=entry,
        gertzbein_robbins="A",
        axial_angle_deg=12.5,
        sagittal_angle_deg=-3.25,
        end_on_view_deg=(0.0, 0.0),
        length_tissue_mm=None if skin is None else float(np.linalg.norm(np.array(skin) - entry)),
        length_bone_mm=float(np.linalg.norm(target - entry)),
        tolerance_deg=4.0,
        tolerance_mm=2.0,
        pedicle_width_mm=8.0,
        pedicle_height_mm=12.0,
        score=0.0,
    )


@pytest.fixture
def case():
    labels = labelled(("T12", "L1"), spacing_mm=2.0)
    centre = apply_affine(labels.geometry.lps_from_voxel, (np.array(labels.labels.shape) - 1) / 2.0)

    def at(x, y, z):
        return centre + np.array([x, y, z], float)

    left = needle(Side.LEFT, at(14, 14, 0), at(2, -6, 0), skin=at(20, 24, 0))
    right = needle(Side.RIGHT, at(-14, 14, 0), at(-6, -6, 0))
    advice = ProcedureAdvice(ProcedureAdviceKind.EITHER, ())
    level = LevelPlan("L1", advice, Estimate.missing("ml", "test"), (left, right), "bipedicular", "test")
    return ct_of(labels.labels, labels.geometry), labels, TreatmentPlan({"L1": level})


def errors_of(path) -> tuple[int, list[str]]:
    tool = require_tool("dciodvfy", "apt-get install dicom3tools")
    run = subprocess.run([tool, path], capture_output=True, text=True, check=False)
    return run.returncode, [x for x in (run.stdout + run.stderr).splitlines() if x.startswith("Error")]


def segments(path):
    """Label to the LPS points of its voxels."""
    seg = highdicom.seg.Segmentation.from_dataset(pydicom.dcmread(path))
    volume = seg.get_volume(combine_segments=True, relabel=False)
    return {
        seg.get_segment_description(n).segment_label: apply_affine(
            volume.affine, np.argwhere(volume.array == n)
        )
        for n in seg.segment_numbers
    }


def test_both_objects_pass_the_validator(tmp_path, case):
    volume, labels, plan = case
    write_plan_seg(tmp_path / "seg.dcm", volume, labels, plan, when=WHEN)
    write_plan_sr(tmp_path / "sr.dcm", volume, plan, when=WHEN)

    assert errors_of(tmp_path / "seg.dcm") == (0, [])
    assert errors_of(tmp_path / "sr.dcm") == (0, [])


def test_segments_lie_on_their_needles_in_the_world(tmp_path, case):
    volume, labels, plan = case
    write_plan_seg(tmp_path / "seg.dcm", volume, labels, plan, when=WHEN)

    found = segments(tmp_path / "seg.dcm")

    assert set(found) == {"L1 left cannula", "L1 left tip", "L1 right cannula", "L1 right tip"}
    for path in plan.levels["L1"].paths:
        tip = found[f"L1 {path.side.value} tip"]
        assert np.linalg.norm(tip.mean(axis=0) - path.target_lps_mm) < 1.0
        way = path.entry_bone_lps_mm - path.target_lps_mm
        way /= np.linalg.norm(way)
        offset = found[f"L1 {path.side.value} cannula"] - path.target_lps_mm
        aside = np.linalg.norm(offset - (offset @ way)[:, None] * way, axis=1)
        assert aside.max() <= 0.5 * np.linalg.norm(labels.geometry.spacing_mm) + 0.01
        assert (offset @ way).max() > path.length_bone_mm - 2.0
        gaps = np.diff(np.sort(offset @ way))
        assert gaps.max() < 2.5  # unbroken on 2 mm voxels


def test_report_gives_the_plans_numbers_side_and_line(tmp_path, case):
    volume, _, plan = case
    write_plan_sr(tmp_path / "sr.dcm", volume, plan, when=WHEN)

    report = highdicom.sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(tmp_path / "sr.dcm"))
    groups = {g.tracking_identifier: g for g in report.content.get_image_measurement_groups()}
    left, right = groups["L1 left needle"], groups["L1 right needle"]

    numbers = {m.name.value: (m.value, m.unit.value) for m in left.get_measurements()}
    assert numbers["MARGIN_CANAL"] == (5.0, "mm")
    assert numbers["AXIAL_ANGLE"] == (12.5, "deg")
    assert numbers["SAGITTAL_ANGLE"] == (-3.25, "deg")
    assert "MARGIN_CLEFT" not in numbers
    assert "PATH_IN_TISSUE" in numbers
    assert "PATH_IN_TISSUE" not in {m.name.value for m in right.get_measurements()}
    assert left.finding_sites[0].value.value == "66794005"
    assert left.finding_sites[0].laterality.value == "7771000"
    marks = {e.name.value: e.value.value for e in right.get_qualitative_evaluations()}
    assert marks == {
        "NEEDLE_SIDE": "RIGHT", "NEEDLE_APPROACH": "TRANSPEDICULAR", "NEEDLE_USE": "TO_PLACE",
        "BREACH_GRADE": "GR_A",
    }  # fmt: skip
    dataset = pydicom.dcmread(tmp_path / "sr.dcm")
    lines = [element.value for element in dataset.iterall() if element.keyword == "GraphicData"]
    path = plan.levels["L1"].paths[0]
    np.testing.assert_allclose(lines[0], [*path.entry_bone_lps_mm, *path.target_lps_mm], atol=1e-3)


def test_same_input_gives_the_same_bytes(tmp_path, case):
    volume, labels, plan = case
    for name in ("a", "b"):
        write_plan_seg(tmp_path / f"{name}.seg", volume, labels, plan, when=WHEN)
        write_plan_sr(tmp_path / f"{name}.sr", volume, plan, when=WHEN)

    for kind in ("seg", "sr"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_a_plan_without_a_path_is_refused(tmp_path, case):
    volume, labels, plan = case
    level = plan.levels["L1"]
    none = TreatmentPlan(
        {"L1": replace(level, paths=tuple(replace(p, recommended=False) for p in level.paths))}
    )

    with pytest.raises(InputError, match="without any recommended"):
        write_plan_seg(tmp_path / "seg.dcm", volume, labels, none, when=WHEN)
    with pytest.raises(InputError, match="without any recommended"):
        write_plan_sr(tmp_path / "sr.dcm", volume, none, when=WHEN)
