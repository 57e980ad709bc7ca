"""Damaged and malicious label files end in labels or a plain error: no traceback, no hang, no flood.

Every case is made here by a seeded generator from small whole files. Each group is read in one child
process with 4 GB of address space.
"""

from __future__ import annotations

import gzip
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from spine_labels import ct_of, draw, grid_for, labelled
from vertebro.imaging import VolumeGeometry
from vertebro.io import save_nifti, write_ct_nifti, write_seg

MEMORY_MEGABYTES = 4096
LONGEST_S = 20.0
SCRIPT = Path(__file__).with_name("read_labels_under_limits.py")
NAMES = ("T12", "L1", "L2")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small CT, NIfTI labels and a segmentation, all sound."""
    folder = tmp_path_factory.mktemp("whole")
    labels = labelled(NAMES, spacing_mm=4.0)
    volume = ct_of(labels.labels, labels.geometry)
    write_ct_nifti(folder / "ct.nii", volume)
    save_nifti(folder / "labels.nii", labels.labels, labels.geometry)
    write_seg(folder / "seg.dcm", volume, labels, when=datetime(2026, 1, 2))
    return folder


def ends_of(paths: list[Path], whole: Path, at_least: int) -> list[str]:
    """Every path ends in labels or an input error in time; returns how."""
    assert len(paths) >= at_least
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(MEMORY_MEGABYTES), str(whole / "ct.nii")],
        input="".join(f"{path}\n" for path in paths),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"died after {len(reports)} of {len(paths)}: {done.stderr[-2000:]}"
    assert len(reports) == len(paths)
    assert [report for report in reports if report["end"].startswith(("!", "bad"))] == []
    assert [report for report in reports if report["seconds"] > LONGEST_S] == []
    return [report["end"] for report in reports]


def flipped(content: bytes, rng: np.random.Generator, stop: int, count: int) -> bytes:
    changed = bytearray(content)
    for at in rng.integers(0, min(stop, len(content)), count):
        changed[at] = int(rng.integers(0, 256))
    return bytes(changed)


def packed_zeros(start: bytes, count: int, wbits: int) -> bytes:
    """``start`` and many zeros, deflated."""
    packer = zlib.compressobj(1, zlib.DEFLATED, wbits)
    zeros = bytes(2**24)
    parts = [packer.compress(start), *(packer.compress(zeros) for _ in range(count // 2**24)), packer.flush()]
    return b"".join(parts)


def test_truncated_and_flipped_files(tmp_path: Path, whole: Path) -> None:
    rng = np.random.default_rng(20260103)
    paths = []
    for name in ("labels.nii", "seg.dcm"):
        content = (whole / name).read_bytes()
        for case in range(25):
            path = tmp_path / f"cut{case}{name}"
            path.write_bytes(content[: int(rng.integers(0, len(content)))])
            paths.append(path)
        for case in range(60):
            path = tmp_path / f"flip{case}{name}"
            reach = 400 if name == "labels.nii" else len(content)
            path.write_bytes(flipped(content, rng, reach, int(rng.integers(1, 20))))
            paths.append(path)
    packed = gzip.compress((whole / "labels.nii").read_bytes(), mtime=0)
    for case in range(25):
        path = tmp_path / f"packed{case}.nii.gz"
        path.write_bytes(flipped(packed, rng, len(packed), int(rng.integers(1, 6))))
        paths.append(path)

    ends = ends_of(paths, whole, 190)

    assert len(set(ends)) > 8  # the mutations reach different depths
    assert "labels" in ends


def test_nifti_headers_that_lie(tmp_path: Path, whole: Path) -> None:
    content = (whole / "labels.nii").read_bytes()
    edits = [(40, f"<{len(dims)}h", dims) for dims in (
        (3, 32767, 32767, 32767), (3, 4096, 4096, 256), (3, 0, 1, 1), (3, -1, 5, 5), (9, 2, 2, 2),
        (4, 10, 10, 10, 50), (2, 64, 64), (1, 9999), (7, 2, 2, 2, 2, 2, 2, 2),
    )]  # fmt: skip
    edits += [(70, "<h", (kind,)) for kind in (0, 1, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1536, 2304, 9999)]
    edits += [(76, "<4f", (1.0, x, x, x)) for x in (0.0, -3.0, 1e30, 1e-30, float("nan"), float("inf"))]
    edits += [(280, "<4f", (x, x, x, x)) for x in (0.0, 1e30, float("nan"), float("inf"), -float("inf"))]
    edits += [(108, "<f", (x,)) for x in (0.0, -8.0, 351.0, 1e9, 1e30, float("nan"))]
    edits += [(112, "<ff", pair) for pair in ((1e30, 0.0), (0.5, 0.0), (-1.0, 0.0), (1.0, -50.0), (1.0, 1e9))]
    edits += [(252, "<hh", pair) for pair in ((0, 0), (9, 9), (-1, -1))]
    paths = []
    for case, (at, kind, values) in enumerate(edits):
        changed = bytearray(content)
        struct.pack_into(kind, changed, at, *values)
        path = tmp_path / f"{case}.nii"
        path.write_bytes(changed)
        paths.append(path)

    ends = ends_of(paths, whole, 45)

    assert len(set(ends)) > 6


def test_bombs_and_false_names(tmp_path: Path, whole: Path) -> None:
    header = bytearray((whole / "labels.nii").read_bytes()[:352])
    struct.pack_into("<4h", header, 40, 3, 800, 800, 800)
    (tmp_path / "bomb.nii.gz").write_bytes(packed_zeros(bytes(header), 2**30, 31))
    dataset = pydicom.dcmread(whole / "seg.dcm")
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    dataset.save_as(tmp_path / "deflated.dcm")
    deflated = (tmp_path / "deflated.dcm").read_bytes()
    meta_end = 144 + struct.unpack_from("<I", deflated, 140)[0]
    body = zlib.decompress(deflated[meta_end:], -15)
    (tmp_path / "bomb.dcm").write_bytes(deflated[:meta_end] + packed_zeros(body, 3 * 2**29, -15))
    (tmp_path / "nifti_called.dcm").write_bytes((whole / "labels.nii").read_bytes())
    (tmp_path / "dicom_called.nii.gz").write_bytes((whole / "seg.dcm").read_bytes())
    (tmp_path / "empty.nii").write_bytes(b"")
    (tmp_path / "text.nii.gz").write_bytes(b"not an image at all " * 40)
    (tmp_path / "zeros.dcm").write_bytes(bytes(4096))
    (tmp_path / "dicm.dcm").write_bytes(
        bytes(128) + b"DICM" + b"1.2.840.10008.1.2.840.10008.5.1.4.1.1.66.4" * 9
    )
    paths = sorted(tmp_path.iterdir())

    ends = dict(zip((path.name for path in paths), ends_of(paths, whole, 8), strict=True))

    assert ends["nifti_called.dcm"] == ends["deflated.dcm"] == "labels"
    assert ends["bomb.dcm"] == "labels.seg_damaged"
    assert ends["dicom_called.nii.gz"] == "labels"
    assert "labels" not in {ends[name] for name in ("empty.nii", "text.nii.gz", "zeros.dcm", "dicm.dcm")}


def drop(*keywords: str) -> Callable[[Dataset], None]:
    def edit(dataset: Dataset) -> None:
        for keyword in keywords:
            if keyword in dataset:
                delattr(dataset, keyword)

    return edit


def put(keyword: str, value: object) -> Callable[[Dataset], None]:
    return lambda dataset: setattr(dataset, keyword, value)


def in_frames(group: str, keyword: str, value: object) -> Callable[[Dataset], None]:
    def edit(dataset: Dataset) -> None:
        for holder in (*dataset.PerFrameFunctionalGroupsSequence, *dataset.SharedFunctionalGroupsSequence):
            if group in holder:
                setattr(holder[group][0], keyword, value)

    return edit


def in_one_frame(keyword: str, value: object) -> Callable[[Dataset], None]:
    def edit(dataset: Dataset) -> None:
        setattr(dataset.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence[0], keyword, value)

    return edit


SEG_EDITS: list[Callable[[Dataset], None]] = [
    *(put("Rows", n) for n in (0, 1, 7, 65535)),
    *(put("Columns", n) for n in (0, 1, 65535)),
    *(put("NumberOfFrames", n) for n in (0, 1, 5, 2**31 - 1)),
    *(put("BitsAllocated", n) for n in (0, 1, 8, 16, 32, 999)),
    *(put("SegmentationType", kind) for kind in ("", "FRACTIONAL", "LABELMAP", "OTHER")),
    *(put("MaximumFractionalValue", n) for n in (0, 1, 65535)),
    *(put("SamplesPerPixel", n) for n in (0, 3)),
    *(put("PixelData", content) for content in (b"", b"\0\0", bytes(10**6), b"\xff" * 10**6)),
    *(put("PatientID", text) for text in ("", "x" * 64)),
    put("SegmentSequence", []),
    put("PerFrameFunctionalGroupsSequence", []),
    put("SharedFunctionalGroupsSequence", []),
    *(
        drop(name)
        for name in (
            "Rows", "PixelData", "SegmentSequence", "PerFrameFunctionalGroupsSequence", "SegmentationType",
            "SharedFunctionalGroupsSequence", "BitsAllocated", "SOPClassUID", "NumberOfFrames",
            "FrameOfReferenceUID",
        )
    ),
    *(in_frames("PlanePositionSequence", "ImagePositionPatient", p) for p in ([], [0, 0, 0], [1e30, 0, 0])),
    *(
        in_frames("PlaneOrientationSequence", "ImageOrientationPatient", turn)
        for turn in ([], [0] * 6, [1, 0, 0, 1, 0, 0], [9] * 6)
    ),
    *(in_frames("PixelMeasuresSequence", "PixelSpacing", s) for s in ([], [0, 0], [1e-9, 1], [1e9, 1e9])),
    *(in_frames("PixelMeasuresSequence", "SpacingBetweenSlices", s) for s in (0, -4, 1e-9, 1e9, None)),
    *(in_frames("SegmentIdentificationSequence", "ReferencedSegmentNumber", n) for n in (0, 9, 65535)),
    *(in_one_frame("ImagePositionPatient", p) for p in ([0.0, 0.0, 1e7], [3.0, 1.0, 2.0], [0, 0])),
]  # fmt: skip


def test_segmentations_that_lie(tmp_path: Path, whole: Path) -> None:
    paths = []
    for case, edit in enumerate(SEG_EDITS):
        dataset = pydicom.dcmread(whole / "seg.dcm")
        edit(dataset)
        path = tmp_path / f"{case}.dcm"
        dataset.save_as(path)
        paths.append(path)

    ends = ends_of(paths, whole, 60)

    assert {"labels", "labels.seg_damaged", "labels.seg_grid"} <= set(ends)


def test_folders_with_tricks(tmp_path: Path, whole: Path) -> None:
    geometry = grid_for(2, 4.0)
    drawn = draw([31, 30], geometry)
    secret = tmp_path / "secret.txt"
    secret.write_text("untouched")
    folders = {}
    for name in ("fifo", "loop", "dangling", "deep", "twice", "odd", "unreadable", "other", "masks"):
        folders[name] = tmp_path / name
        folders[name].mkdir()
    os.mkfifo(folders["fifo"] / "vertebrae.nii.gz")
    (folders["loop"] / "vertebrae.nii.gz").symlink_to(folders["loop"])
    (folders["dangling"] / "vertebrae.nii.gz").symlink_to("/nowhere/at/all")
    (folders["deep"] / "vertebrae_L1.nii.gz").mkdir()
    for name in ("vertebrae_L1.nii.gz", "VERTEBRAE_l1.nii.gz"):
        save_nifti(folders["twice"] / name, drawn, geometry)
    for name in (
        "vertebrae_L1\n.nii.gz",
        "vertebrae_..%2f..%2fL1.nii.gz",
        "vertebrae_L9.nii.gz",
        "ct.nii.gz",
    ):
        save_nifti(folders["odd"] / name, drawn, geometry)
    (folders["unreadable"] / "vertebrae.nii.gz").symlink_to(secret)
    for level, value in (("L1", 31), ("L2", 30)):
        grid = geometry if level == "L1" else VolumeGeometry.from_spacing((2, 2, 2), (50.0, 50.0, 50.0))
        mask = drawn == value if level == "L1" else np.zeros((2, 2, 2), bool)
        save_nifti(folders["masks"] / f"vertebrae_{level}.nii.gz", mask.astype(np.uint8), grid)
    (folders["other"] / "labels.json").write_text("{}")
    before = sorted(path for path in tmp_path.rglob("*"))

    paths = [*folders.values(), tmp_path / "absent", folders["fifo"] / "vertebrae.nii.gz", Path("/dev/zero")]
    ends = dict(zip([path.name for path in paths], ends_of(paths, whole, 12), strict=True))

    assert ends["masks"] == "labels"
    assert ends["twice"] == "labels.several_files"
    assert secret.read_text() == "untouched"
    assert sorted(path for path in tmp_path.rglob("*")) == before
