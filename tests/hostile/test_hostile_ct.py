"""Damaged and malicious CT files end in a volume or a plain error: no traceback, no hang, no flood.

Every case is made here by a seeded generator from small whole files. Each group is read in one
child process with 4 GB of address space.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from synthetic_dicom import Series, encoded, enhanced_dataset, slice_dataset, write_series
from vertebro.imaging import VolumeGeometry
from vertebro.io import save_nifti

SMALL = Series(n=4, rows=16, columns=16, row_spacing_mm=5.0, column_spacing_mm=5.0)
MEMORY_MEGABYTES = 4096
LONGEST_S = 20.0
SCRIPT = Path(__file__).with_name("read_under_limits.py")


def slices() -> list[bytes]:
    return [encoded(slice_dataset(SMALL, index)) for index in range(SMALL.n)]


def put(folder: Path, files: list[bytes]) -> Path:
    folder.mkdir(parents=True)
    for index, content in enumerate(files):
        (folder / f"{index}").write_bytes(content)
    return folder


def read_all(paths: list[Path]) -> list[dict[str, object]]:
    """How each path ended, read one after the other in a child with little memory."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(MEMORY_MEGABYTES)],
        input="".join(f"{path}\n" for path in paths),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (
        f"the reader died after {len(reports)} of {len(paths)}: {done.stderr[-2000:]}"
    )
    assert len(reports) == len(paths)
    return reports


def assert_all_end_well(paths: list[Path], at_least: int) -> list[str]:
    """Every path ends in a volume or an input error in time; returns how."""
    assert len(paths) >= at_least
    reports = read_all(paths)
    bad = [report for report in reports if str(report["end"]).startswith(("!", "bad"))]
    assert bad == []
    assert [report for report in reports if float(str(report["seconds"])) > LONGEST_S] == []
    return [str(report["end"]) for report in reports]


def flipped(content: bytes, rng: np.random.Generator, stop: int, count: int) -> bytes:
    """Some bytes before ``stop`` replaced by random ones."""
    changed = bytearray(content)
    for at in rng.integers(0, min(stop, len(content)), count):
        changed[at] = int(rng.integers(0, 256))
    return bytes(changed)


def test_truncated_and_flipped_dicom(tmp_path: Path) -> None:
    rng = np.random.default_rng(20260102)
    whole, paths = slices(), []
    for case in range(30):
        cut = int(rng.integers(0, len(whole[0])))
        paths.append(put(tmp_path / f"cut{case}", [content[:cut] for content in whole]))
    for case in range(70):
        count = int(rng.integers(1, 30))
        start = len(whole[0]) - 512
        paths.append(put(tmp_path / f"flip{case}", [flipped(file, rng, start, count) for file in whole]))
    for case in range(20):
        files = [*whole[:3], flipped(whole[3], rng, len(whole[3]), 200)]
        paths.append(put(tmp_path / f"one{case}", files))

    ends = assert_all_end_well(paths, 120)

    assert len(set(ends)) > 3  # the mutations reach different depths


EDITS: dict[str, Callable[[FileDataset], object]] = {
    **{
        f"{keyword}={value}": (lambda dataset, k=keyword, v=value: setattr(dataset, k, v))
        for keyword, values in {
            "Rows": (0, 1, 17, 65535),
            "Columns": (0, 15, 65535),
            "BitsAllocated": (0, 1, 8, 12, 32, 64, 65535),
            "BitsStored": (0, 1, 8, 17, 999),
            "HighBit": (0, 3, 15, 200),
            "PixelRepresentation": (1, 7),
            "SamplesPerPixel": (0, 3),
            "NumberOfFrames": (0, 4, 1000000),
            "PhotometricInterpretation": ("RGB", ""),
            "PixelSpacing": ([0, 0], [-1, -1], [1e-9, 1e9], 1.0, []),
            "ImagePositionPatient": ([0, 0, 0], [1e30, 0, 0], [0, 0], []),
            "ImageOrientationPatient": ([0] * 6, [1, 0, 0, 1, 0, 0], [1, 0, 0], [9, 9, 9, 9, 9, 9]),
            "RescaleSlope": (0, -1, 1e30, 1e-30),
            "RescaleIntercept": (1e30, -1e30, 0.25),
            "PixelPaddingValue": (0, 65535),
            "PixelData": (b"", b"\0\0", bytes(100000)),
        }.items()
        for value in values
    },
    "no pixels": lambda dataset: delattr(dataset, "PixelData"),
    "no position": lambda dataset: delattr(dataset, "ImagePositionPatient"),
    "no rows": lambda dataset: delattr(dataset, "Rows"),
    "no class": lambda dataset: delattr(dataset, "SOPClassUID"),
}


def test_wrong_values_in_dicom(tmp_path: Path) -> None:
    paths = []
    for name, edit in EDITS.items():
        files = []
        for index in range(SMALL.n):
            dataset = slice_dataset(SMALL, index)
            edit(dataset)
            buffer = io.BytesIO()
            dataset.save_as(buffer, enforce_file_format=False)
            files.append(buffer.getvalue())
        paths.append(put(tmp_path / f"{len(paths)} {name[:20]}".replace("/", ""), files))

    assert_all_end_well(paths, 55)


def replaced(old: bytes, new: bytes) -> list[bytes]:
    """All slices with a piece of their bytes replaced by another of the same length."""
    assert len(old) == len(new)
    assert all(old in content for content in slices())
    return [content.replace(old, new) for content in slices()]


def element(group: int, number: int, kind: bytes, length: int) -> bytes:
    return struct.pack("<HH2sH", group, number, kind, length)


def raw_dicom_cases() -> Iterator[tuple[str, list[bytes]]]:
    """Damage that no toolkit would write."""
    explicit = b"1.2.840.10008.1.2.1\0"
    for syntax in (
        b"1.2.840.10008.1.2\0\0\0",
        b"1.2.840.10008.1.2.2\0",
        b"1.2.840.10008.1.2.9\0",
        b"\xff" * 20,
    ):
        yield "syntax", replaced(explicit, syntax)
    yield "deflated", replaced(explicit, b"1.2.840.10008.1.2.5\0")
    number = element(0x28, 0x30, b"DS", 8) + b"5.0\\5.0 "
    for text in (
        b"nan\\nan ",
        b"inf\\inf ",
        b"-5\\-5   ",
        b"0\\0     ",
        b"five\\5  ",
        b"\0\0\0\0\0\0\0\0",
        b"1e9\\1e-9",
    ):
        yield "spacing", replaced(number, element(0x28, 0x30, b"DS", 8) + text.ljust(8))
    for kind in (b"SQ", b"UI", b"OB", b"UN", b"XX", b"\0\0", b"AT", b"FD"):
        yield "vr", replaced(number, element(0x28, 0x30, kind, 8) + number[8:])
    rows = element(0x28, 0x10, b"US", 2)
    for length in (0, 1, 0xFFFF):
        yield "length", replaced(rows, element(0x28, 0x10, b"US", length))
    pixels = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 512)
    for length in (0, 511, 0xFFFFFFFE, 0xFFFFFFFF):
        yield "pixel length", replaced(pixels, struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, length))
    at = [content.index(element(0x28, 0x30, b"DS", 8)) for content in slices()]
    nested = struct.pack("<HH2sHI", 0x27, 0x10, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    shared = struct.pack("<HH2sHI", 0x5200, 0x9229, b"SQ", 0, 0xFFFFFFFF)
    shared += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    for name, piece in (("nested", nested), ("nested groups", shared)):
        yield (
            name,
            [content[:i] + piece * 20000 + content[i:] for content, i in zip(slices(), at, strict=True)],
        )
    huge = struct.pack("<HH2sHI", 0x27, 0x10, b"UN", 0, 0xFFFFFFF0)
    yield "huge", [content[:i] + huge + content[i:] for content, i in zip(slices(), at, strict=True)]
    for keep in (0, 4, 131, 132, 140):
        yield "short", [content[:keep] for content in slices()]


def test_small_files_that_declare_huge_images_take_no_memory(tmp_path: Path) -> None:
    paths = []
    for side, n in ((16000, 2), (11000, 4), (4096, 30)):
        files = []
        for index in range(n):
            dataset = slice_dataset(SMALL, index)
            dataset.Rows = dataset.Columns = side
            files.append(encoded(dataset))
        paths.append(put(tmp_path / f"{side}", files))

    reports = read_all(paths)

    assert [report["end"] for report in reports] == ["dicom.too_few_slices", "dicom.damaged", "dicom.damaged"]
    assert all(float(str(report["peak_megabytes"])) < 300.0 for report in reports)


def test_raw_damage_in_dicom(tmp_path: Path) -> None:
    paths = [put(tmp_path / f"{i} {name}", files) for i, (name, files) in enumerate(raw_dicom_cases())]

    assert_all_end_well(paths, 33)


def test_deflated_bombs_and_damage(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    head = slices()[0]
    meta_end = head.index(element(0x8, 0x8, b"CS", 24)[:6])
    meta = bytearray(head[:meta_end].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99"))
    at = meta.index(element(0x2, 0x10, b"UI", 20))
    meta[at : at + 8] = element(0x2, 0x10, b"UI", 22)
    meta[140:144] = struct.pack("<I", struct.unpack("<I", meta[140:144])[0] + 2)

    def deflated(content: bytes) -> bytes:
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        return bytes(meta) + packer.compress(content) + packer.flush()

    good = [deflated(content[meta_end:]) for content in slices()]
    bomb = deflated(
        slices()[0][meta_end:-524]
        + struct.pack("<HH2sHI", 0x27, 0x10, b"OB", 0, 300 * 2**20)
        + bytes(300 * 2**20)
    )
    paths = [put(tmp_path / "good", good), put(tmp_path / "bomb", [bomb] * 3)]
    for case in range(8):
        paths.append(put(tmp_path / f"flip{case}", [flipped(file, rng, len(file), 4) for file in good]))
        paths.append(put(tmp_path / f"cut{case}", [file[: -20 * (case + 1)] for file in good]))

    ends = assert_all_end_well(paths, 18)

    assert ends[0] == "volume"


@pytest.mark.slow
def test_damaged_compressed_frames(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    larger = replace(SMALL, rows=64, columns=64, row_spacing_mm=1.5, column_spacing_mm=1.5)
    paths = []
    for syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
        whole = [encoded(slice_dataset(larger, index), syntax) for index in range(SMALL.n)]
        start = whole[0].index(struct.pack("<HH2s", 0x7FE0, 0x10, b"OB"))
        for case in range(4):
            files = [file[:start] + flipped(file[start:], rng, 4000, 6) for file in whole]
            paths.append(put(tmp_path / f"{syntax}-{case}", files))
        paths.append(put(tmp_path / f"{syntax}-cut", [file[: start + 60] for file in whole]))
        wrong = [
            file.replace(element(0x28, 0x10, b"US", 2) + b"\x40", element(0x28, 0x10, b"US", 2) + b"\xf0")
            for file in whole
        ]
        paths.append(put(tmp_path / f"{syntax}-rows", wrong))

    assert_all_end_well(paths, 18)


def test_damaged_enhanced_objects(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    whole = encoded(enhanced_dataset(SMALL))
    paths = [
        put(tmp_path / f"flip{case}", [flipped(whole, rng, len(whole) - 2048, 12)]) for case in range(20)
    ]
    paths += [
        put(tmp_path / f"cut{case}", [whole[: int(cut)]])
        for case, cut in enumerate(rng.integers(200, len(whole), 8))
    ]
    for count in (b"0 ", b"-1", b"99", b"x "):
        old = element(0x28, 0x8, b"IS", 2) + b"4 "
        paths.append(put(tmp_path / f"frames{count!r}", [whole.replace(old, old[:8] + count)]))

    assert_all_end_well(paths, 32)


def zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return buffer.getvalue()


def test_damaged_zips(tmp_path: Path) -> None:
    rng = np.random.default_rng(13)
    whole = zip_of({f"S/{index}": content for index, content in enumerate(slices())})
    tail = whole.index(b"PK\x01\x02")
    cases = [flipped(whole, rng, len(whole), 8) for _ in range(15)]
    cases += [whole[:tail] + flipped(whole[tail:], rng, len(whole) - tail, 5) for _ in range(15)]
    cases += [whole[: int(cut)] for cut in rng.integers(4, len(whole), 8)]
    cases.append(zip_of({"bomb": bytes(300 * 2**20)}))
    cases.append(zip_of({f"../{index}": content for index, content in enumerate(slices())}))
    cases.append(zip_of({f"{index}.zip": whole for index in range(3)}))
    cases.append(zip_of({f"{index}.dcm": slices()[0][:132] + bytes(5 * 2**20) for index in range(20)}))
    cases.append(zip_of({}))
    paths = []
    for index, content in enumerate(cases):
        paths.append(tmp_path / f"{index}.zip")
        paths[-1].write_bytes(content)

    assert_all_end_well(paths, 43)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)


def test_strange_folders(tmp_path: Path) -> None:
    junk = write_series(tmp_path / "junk", SMALL)
    rng = np.random.default_rng(17)
    for index in range(3000):
        (junk / f"junk{index}").write_bytes(rng.bytes(200) if index % 3 else b"")
    loops = write_series(tmp_path / "loops" / "a", SMALL).parent
    (loops / "again").symlink_to(loops)
    (loops / "a" / "self").symlink_to(loops / "a" / "self")
    deep = tmp_path / "deep"
    (deep / "/".join(["d"] * 60)).mkdir(parents=True)
    locked = write_series(tmp_path / "locked", SMALL)
    for file in locked.iterdir():
        file.chmod(0)
    pipes = write_series(tmp_path / "pipes", SMALL)
    os.mkfifo(pipes / "pipe")
    index = write_series(tmp_path / "index", SMALL)
    (index / "DICOMDIR").write_bytes(rng.bytes(2000))
    empty = put(tmp_path / "empty", [b"", b"", b""])
    alone = tmp_path / "index" / "DICOMDIR"
    device = Path("/dev/zero")

    ends = assert_all_end_well(
        [junk, loops, deep, locked, pipes, index, empty, alone, device, pipes / "pipe"], 10
    )

    assert ends[0] == ends[1] == ends[4] == ends[5] == ends[7] == "volume"
    assert ends[2] == ends[6] == "dicom.no_ct"
    assert ends[8] == ends[9] == "read.unreadable"


def nifti_cases(whole: bytes) -> Iterator[bytes]:
    """Damaged NIfTI-1 files, unpacked."""
    rng = np.random.default_rng(19)
    for cut in rng.integers(0, len(whole), 20):
        yield whole[: int(cut)]
    for _ in range(50):
        yield flipped(whole, rng, 352, int(rng.integers(1, 12)))

    def patched(offset: int, layout: str, *values: float) -> bytes:
        piece = struct.pack(layout, *values)
        return whole[:offset] + piece + whole[offset + len(piece) :]

    for dims in (
        (3, 0, 9, 9),
        (3, -5, 9, 9),
        (3, 32767, 32767, 32767),
        (0, 9, 9, 9),
        (99, 9, 9, 9),
        (2, 9, 9, 1),
    ):
        yield patched(40, "<8h", *dims, 1, 1, 1, 1)
    yield patched(40, "<8h", 4, 9, 9, 9, 7, 1, 1, 1)
    for kind in (0, 1, 32, 64, 128, 1536, 2304, -1, 9999):
        yield patched(70, "<h", kind)
    for number in (float("nan"), float("inf"), -1.0, 0.0, 1e30, 7.0):
        yield patched(108, "<f", number)  # where the data begin
        yield patched(112, "<f", number)  # slope
        yield patched(280, "<f", number)  # affine
        yield (
            patched(252, "<hh", 1, 0)[:76]
            + struct.pack("<4f", 1, number, 1, 1)
            + patched(252, "<hh", 1, 0)[92:]
        )
    yield patched(252, "<hh", 0, 0)
    yield patched(256, "<3f", 9.0, 9.0, 9.0)


def test_damaged_nifti(tmp_path: Path) -> None:
    hu = np.random.default_rng(1).integers(-1000, 500, (9, 9, 9)).astype(np.int16)
    save_nifti(tmp_path / "whole.nii", hu, VolumeGeometry.from_spacing((9, 9, 9), (1.0, 1.0, 1.0)))
    whole = (tmp_path / "whole.nii").read_bytes()
    paths = []
    for index, content in enumerate(nifti_cases(whole)):
        paths += [tmp_path / f"{index}.nii", tmp_path / f"{index}.nii.gz"]
        paths[-2].write_bytes(content)
        paths[-1].write_bytes(gzip.compress(content))
    rng = np.random.default_rng(23)
    packed = gzip.compress(whole)
    for index in range(15):
        paths.append(tmp_path / f"packed{index}.nii.gz")
        paths[-1].write_bytes(
            flipped(packed, rng, len(packed), 4) if index % 2 else packed[: -10 * (index + 1)]
        )

    ends = assert_all_end_well(paths, 200)

    assert len(set(ends)) > 5


def test_gzip_bombs(tmp_path: Path) -> None:
    hu = np.random.default_rng(1).integers(-1000, 500, (9, 9, 9)).astype(np.int16)
    save_nifti(tmp_path / "whole.nii", hu, VolumeGeometry.from_spacing((9, 9, 9), (1.0, 1.0, 1.0)))
    whole = (tmp_path / "whole.nii").read_bytes()
    behind, declared, unending = (
        tmp_path / "behind.nii.gz",
        tmp_path / "declared.nii.gz",
        tmp_path / "zeros.nii.gz",
    )
    behind.write_bytes(gzip.compress(whole + bytes(500 * 2**20), 1))
    declared.write_bytes(
        gzip.compress(whole[:40] + struct.pack("<8h", 3, 2000, 2000, 1000, 1, 1, 1, 1) + whole[56:])
    )
    unending.write_bytes(gzip.compress(bytes(500 * 2**20), 1))

    reports = read_all([behind, declared, unending])

    assert [report["end"] for report in reports] == ["volume", "nifti.too_large", "nifti.header"]
    assert all(float(str(report["seconds"])) < 5.0 for report in reports)
    assert all(float(str(report["peak_megabytes"])) < 600.0 for report in reports)
