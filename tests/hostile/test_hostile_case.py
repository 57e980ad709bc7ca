"""Case folders that somebody has damaged or made to do harm."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import resource
import shutil
import signal
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from small_patient import write_small_patient
from vertebro.case import Assessment
from vertebro.errors import InputError, ReadError
from vertebro.imaging import Volume
from vertebro.io.case_folder import MAX_ARRAYS_BYTES, CaseFolder
from vertebro.workflow import rerun_case, run_case

UNTIL = ("assessment",)
DAMAGED_MANIFESTS = (
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{}",
    b"\xff\xfe",
    b"[" * 200_000,
    b'{"schema_version": 1e999}',
    b'{"schema_version": NaN}',
    b'{"schema_version": "2"}',
    b'{"schema_version": 99}',
)
DAMAGED_VALUES = (None, True, 5, -1, 1e300, "x", "../../x", [], [5], {}, {"x": 5}, {"/etc/passwd": "0" * 64})


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_small_patient(tmp_path_factory.mktemp("patient"))


@pytest.fixture(scope="module")
def finished(patient: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    case = tmp_path_factory.mktemp("finished") / "case"
    run_case(patient[0], case, labels=patient[1], stages=UNTIL)
    return case


@pytest.fixture
def case(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "case"))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(case: Path) -> dict:
    return json.loads((case / "manifest.json").read_text())


def _write(case: Path, manifest: object) -> None:
    (case / "manifest.json").write_text(json.dumps(manifest))


def _vouch(case: Path, stage: str, relative: str, sha256: str) -> None:
    """Let the manifest name a file as a stage's own."""
    manifest = _read(case)
    record = next(item for item in manifest["stages"] if item["name"] == stage)
    record["outputs"][relative] = sha256
    _write(case, manifest)


@pytest.mark.parametrize("content", DAMAGED_MANIFESTS, ids=lambda content: repr(content[:24]))
def test_a_damaged_manifest_is_refused_in_words(case: Path, content: bytes) -> None:
    (case / "manifest.json").write_bytes(content)

    with pytest.raises(ReadError) as caught:
        rerun_case(case, stages=UNTIL)

    assert caught.value.code in {"case.damaged", "case.newer"}


@pytest.mark.parametrize("value", DAMAGED_VALUES, ids=repr)
def test_a_value_of_the_wrong_kind_anywhere_is_refused_or_harmless(case: Path, value: object) -> None:
    whole = _read(case)
    places: list[tuple] = [(key,) for key in whole] + [("options", key) for key in whole["options"]]
    places += [("inputs", 0, key) for key in whole["inputs"][0]]
    places += [("stages", 2, key) for key in whole["stages"][2]]

    for place in places:
        manifest = json.loads(json.dumps(whole))
        holder = manifest
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = value
        _write(case, manifest)
        try:
            rerun_case(case, stages=("ct",))
        except InputError as problem:
            assert problem.code.partition(".")[0] in {"case", "level", "context"}, (place, problem)  # noqa: PT017


def test_a_manifest_of_absurd_length_is_refused(case: Path) -> None:
    with (case / "manifest.json").open("r+b") as stream:
        stream.truncate(1 << 40)

    with pytest.raises(ReadError) as caught:
        rerun_case(case, stages=UNTIL)

    assert caught.value.code == "case.damaged"


@pytest.mark.parametrize(
    "relative", ["../mine.txt", "{outside}", "state/../../mine.txt", "link.txt", "notes.txt"]
)
def test_no_file_is_removed_that_a_stage_does_not_write(
    patient: tuple[Path, Path], case: Path, relative: str
) -> None:
    outside = case.parent / "mine.txt"
    outside.write_bytes(b"mine")
    (case / "notes.txt").write_bytes(b"mine")
    (case / "link.txt").symlink_to(outside)
    _vouch(case, "assessment", relative.format(outside=outside), _sha256(b"mine"))
    manifest = _read(case)
    for record in manifest["stages"]:
        record["key"] = "outdated"  # so that every stage is cleared away
    _write(case, manifest)

    run_case(patient[0], case, labels=patient[1], stages=UNTIL)

    assert outside.read_bytes() == b"mine"
    assert (case / "notes.txt").read_bytes() == b"mine"
    assert (case / "link.txt").is_symlink()
    assert sorted(path.name for path in case.parent.iterdir()) == ["case", "mine.txt"]


def test_a_link_to_elsewhere_is_not_written_through(patient: tuple[Path, Path], case: Path) -> None:
    outside = case.parent / "mine.txt"
    outside.write_bytes(b"mine")
    (case / "assessment.json").unlink()
    (case / "assessment.json").symlink_to(outside)

    with pytest.raises(InputError) as caught:
        run_case(patient[0], case, labels=patient[1], stages=UNTIL)

    assert caught.value.code == "case.outside"
    assert outside.read_bytes() == b"mine"


def test_a_state_folder_that_leads_elsewhere_is_not_used(case: Path) -> None:
    elsewhere = case.parent / "elsewhere"
    (case / "state").rename(elsewhere)
    (case / "state").symlink_to(elsewhere)

    with pytest.raises(ReadError) as caught:
        rerun_case(case, stages=UNTIL)

    assert caught.value.code == "case.damaged"


def test_inputs_inside_the_case_folder_are_left_alone(patient: tuple[Path, Path], case: Path) -> None:
    labels = case / "state" / "labels.npz"

    with pytest.raises(InputError) as caught:
        run_case(patient[0], case, labels=labels, stages=UNTIL)

    assert caught.value.code == "case.holds_input"
    assert labels.is_file()


def _npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


def _npz(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _header(shape: str, descr: str = "'<i2'") -> str:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"


HOSTILE_ARRAYS = {
    "nothing": b"",
    "no zip": b"PK\x03\x04 and then nothing of the kind",
    "no array": _npz({"a0.npy": b"text"}),
    "empty zip": _npz({}),
    "absurd shape": _npz({"a0.npy": _npy(_header("(1000000, 1000000, 1000000)"))}),
    "negative shape": _npz({"a0.npy": _npy(_header("(-1, 2, 2)"))}),
    "more numbers than any": _npz({"a0.npy": _npy(_header(f"({10**30},)"))}),
    "pickle": _npz({"a0.npy": _npy(_header("(1,)", "'|O'"), b"cos\nsystem\n(S'true'\ntR.")}),
    "code": _npz({"a0.npy": _npy("__import__('os').abort()")}),
    "deep header": _npz({"a0.npy": _npy("(" * 5000)}),
    "short body": _npz({"a0.npy": _npy(_header("(9, 9, 9)"), b"1234")}),
    "text for numbers": _npz({"a0.npy": _npy(_header("(2, 2, 2)", "'<U4'"), b"\0" * 128)}),
    "one axis": _npz({"a0.npy": _npy(_header("(8,)"), b"\0" * 16)}),
}


@pytest.mark.parametrize("kind", HOSTILE_ARRAYS)
def test_hostile_arrays_are_refused(case: Path, kind: str) -> None:
    path = case / "state" / "ct.npz"
    path.write_bytes(HOSTILE_ARRAYS[kind])
    _vouch(case, "ct", "state/ct.npz", _sha256(path.read_bytes()))

    with _memory_limited(1 << 30), pytest.raises(ReadError) as caught:
        rerun_case(case, stages=("ct",)).result("ct")

    assert caught.value.code == "case.damaged"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_truncated_arrays_are_refused(case: Path, share: float) -> None:
    path = case / "state" / "ct.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])

    with pytest.raises(ReadError) as caught:
        CaseFolder(case).load_noun("ct", Volume)

    assert caught.value.code == "case.damaged"


def test_more_arrays_than_any_result_has_are_refused_unread(case: Path) -> None:
    path = case / "state" / "ct.npz"
    forged = bytearray(_npz({"a0.npy": b"\0" * 4096}))
    at = forged.rindex(b"PK\x01\x02") + 24  # the size that the archive's directory states
    assert int.from_bytes(forged[at : at + 4], "little") == 4096
    forged[at : at + 4] = (MAX_ARRAYS_BYTES + 1).to_bytes(4, "little")
    path.write_bytes(forged)

    with _memory_limited(1 << 30), pytest.raises(ReadError) as caught:
        CaseFolder(case).load_noun("ct", Volume)

    assert "more arrays" in str(caught.value.__cause__.__cause__)


def test_a_result_of_another_kind_is_refused(case: Path) -> None:
    for suffix in ("json", "npz"):
        shutil.copy(case / "state" / f"labels.{suffix}", case / "state" / f"assessment.{suffix}")

    with pytest.raises(ReadError):
        CaseFolder(case).load_noun("assessment", Assessment)


@pytest.mark.parametrize(
    "value", [None, True, "x", [1, 2], {}, {"@": "map", "items": []}, {"@": "Volume"}], ids=repr
)
def test_a_field_of_the_wrong_kind_is_refused(case: Path, value: object) -> None:
    state = case / "state" / "assessment.json"
    whole = json.loads(state.read_text())
    level = whole["fields"]["levels"]["items"][0][1]["fields"]
    for name in ("heights_mm", "label", "findings", "density", "genant_shape", "lps_from_vertebra"):
        state.write_text(json.dumps(whole))
        assert CaseFolder(case).load_noun("assessment", Assessment).levels
        kept, level[name] = level[name], value
        state.write_text(json.dumps(whole))
        level[name] = kept

        with pytest.raises(ReadError):
            CaseFolder(case).load_noun("assessment", Assessment)


def test_two_runs_do_not_share_a_folder(patient: tuple[Path, Path], case: Path) -> None:
    before = (case / "manifest.json").read_bytes()
    other_run = os.open(case, os.O_RDONLY)
    fcntl.flock(other_run, fcntl.LOCK_EX)
    try:
        with pytest.raises(InputError) as caught:
            run_case(patient[0], case, labels=patient[1], stages=UNTIL)
    finally:
        os.close(other_run)

    assert caught.value.code == "case.in_use"
    assert (case / "manifest.json").read_bytes() == before
    assert run_case(patient[0], case, labels=patient[1], stages=UNTIL).ran == ()


def test_a_full_disk_is_said_in_words_and_leaves_whole_files(
    patient: tuple[Path, Path], tmp_path: Path
) -> None:
    case = tmp_path / "case"

    with _files_limited(60_000), pytest.raises(InputError) as caught:
        run_case(patient[0], case, labels=patient[1], stages=UNTIL)

    assert caught.value.code == "case.not_writable"
    assert _read(case)["state"] == "failed"
    assert not list(case.rglob("*.part*"))
    assert run_case(patient[0], case, labels=patient[1], stages=UNTIL).manifest.state == "complete"


@contextmanager
def _memory_limited(extra_bytes: int) -> Iterator[None]:
    """Allow this process so much more address space than it has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + extra_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def _files_limited(n_bytes: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, as on a disk that is about to be full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
