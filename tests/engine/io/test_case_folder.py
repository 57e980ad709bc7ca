"""The case folder: whole files or none, nothing outside it, nothing of a person's overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vertebro.case import Assessment, Estimate, Level, finding
from vertebro.errors import InputError, ReadError
from vertebro.imaging import ImageFacts, LabelVolume, Volume, VolumeGeometry
from vertebro.io.case_folder import CaseFolder


def _volume() -> Volume:
    rng = np.random.default_rng(3)
    affine = np.diag([0.7, -0.8, 1.1, 1.0])
    affine[:3, 3] = (1 / 3, -2 / 7, 1e-9)
    hu = rng.integers(-1024, 2000, (4, 5, 6)).astype(np.int16)
    facts = ImageFacts(patient_id="X1", sop_instance_uids=("1.2", "1.3"), kvp_kv=120.0)
    note = finding("image.metal", "Metal.", evidence={"hu": 3071, "side": "left"})
    return Volume(hu, VolumeGeometry(hu.shape, affine), facts, (note,))


def test_a_noun_comes_back_bit_for_bit(tmp_path: Path) -> None:
    volume = _volume()
    folder = CaseFolder(tmp_path)

    folder.save_noun("ct", volume)
    loaded = folder.load_noun("ct", Volume)

    assert np.array_equal(loaded.hu, volume.hu)
    assert loaded.hu.dtype == volume.hu.dtype
    assert loaded.geometry == volume.geometry
    assert loaded.facts == volume.facts
    assert loaded.findings == volume.findings


def test_labels_and_assessment_come_back(tmp_path: Path) -> None:
    grid = VolumeGeometry.from_spacing((2, 3, 4), (1.0, 1.0, 1.0))
    labels = LabelVolume(
        np.full(grid.shape, 20, np.uint8), grid, {20: Level.L1.value}, source={"kind": "nifti"}
    )
    assessment = Assessment({}, grid, labels.labels, ())
    folder = CaseFolder(tmp_path)

    folder.save_noun("labels", labels)
    folder.save_noun("assessment", assessment)

    assert dict(folder.load_noun("labels", LabelVolume).names) == {20: "L1"}
    assert folder.load_noun("labels", LabelVolume).subregions is None
    assert folder.load_noun("assessment", Assessment).geometry == grid


def test_an_estimate_keeps_every_digit(tmp_path: Path) -> None:
    estimate = Estimate(1 / 3, 0.1, 2 / 3, "mm", "thirds")
    folder = CaseFolder(tmp_path)

    folder.save_noun("estimate", estimate)

    assert folder.load_noun("estimate", Estimate) == estimate


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = CaseFolder(tmp_path)

    first = [folder.path(p).read_bytes() for p in folder.save_noun("ct", _volume())]
    second = [folder.path(p).read_bytes() for p in folder.save_noun("ct", _volume())]

    assert first == second


def test_a_state_file_cannot_name_other_types(tmp_path: Path) -> None:
    folder = CaseFolder(tmp_path)
    folder.save_noun("ct", _volume())
    folder.write_json("state/ct.json", {"@": "Popen", "fields": {"args": "true"}})

    with pytest.raises(ReadError, match="missing or damaged"):
        folder.load_noun("ct", Volume)


@pytest.mark.parametrize("relative", ["../outside.json", "/etc/outside.json", "a/../../b.json"])
def test_nothing_is_written_outside(tmp_path: Path, relative: str) -> None:
    folder = CaseFolder(tmp_path / "case")

    with pytest.raises(InputError) as caught:
        folder.write_json(relative, {})

    assert caught.value.code == "case.outside"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    folder = CaseFolder(tmp_path)
    folder.write_json("a.json", {"kept": True})

    with pytest.raises(ValueError, match="JSON"):
        folder.write_json("a.json", {"bad": float("nan")})

    assert folder.read_json("a.json") == {"kept": True}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_block_that_fails_leaves_no_part_file(tmp_path: Path) -> None:
    folder = CaseFolder(tmp_path)

    def write_half() -> None:
        with folder.replacing("big.bin") as part:
            part.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()

    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_files_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(InputError) as caught:
        CaseFolder.open_for_writing(tmp_path)

    assert caught.value.code == "case.not_empty"
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_case_folder(tmp_path: Path) -> None:
    path = tmp_path / "case"
    path.write_text("x")

    with pytest.raises(InputError) as caught:
        CaseFolder.open_for_writing(path)

    assert caught.value.code == "case.not_a_folder"


def test_a_folder_without_manifest_is_no_case(tmp_path: Path) -> None:
    with pytest.raises(ReadError) as caught:
        CaseFolder.open_existing(tmp_path)

    assert caught.value.code == "case.not_found"


def test_damaged_json_is_said_to_be_damaged(tmp_path: Path) -> None:
    folder = CaseFolder(tmp_path)
    (tmp_path / "a.json").write_text("[" * 100_000)

    with pytest.raises(ReadError) as caught:
        folder.read_json("a.json")

    assert caught.value.code == "case.damaged"


def test_json_is_sorted_and_ends_in_a_newline(tmp_path: Path) -> None:
    folder = CaseFolder(tmp_path)

    folder.write_json("a.json", {"b": "é", "a": 1})

    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert list(json.loads(text)) == ["a", "b"]
    assert text.endswith("}\n")
    assert "é" in text
