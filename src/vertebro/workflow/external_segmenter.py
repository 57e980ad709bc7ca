"""Segmenters that run outside: TotalSegmentator, or any program that turns a NIfTI CT into NIfTI labels.

They run as their own process in their own environment; nothing of theirs is imported. Their usage
statistics are switched off, and nothing is downloaded: where weights are missing, that is said.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from vertebro.errors import InputError
from vertebro.imaging import LabelVolume, Volume
from vertebro.io.labels import read_labels
from vertebro.io.nifti_labels import write_ct_nifti
from vertebro.progress import Progress, silent

BUILT_IN = "builtin"
TOTALSEGMENTATOR = "totalsegmentator"
AUTOMATIC = "auto"
_PROGRAM = "TotalSegmentator"
_WEIGHTS = Path(".totalsegmentator/nnunet/results")
"""Where TotalSegmentator keeps its weights, below the home folder."""
_VERTEBRAE = (
    *(f"C{i}" for i in range(1, 8)),
    *(f"T{i}" for i in range(1, 13)),
    *(f"L{i}" for i in range(1, 6)),
)
_LAST_WORDS = 400


@dataclass(frozen=True, slots=True)
class Segmenter:
    """A program to call."""

    name: str
    command: tuple[str, ...]
    """With ``{ct}`` and ``{labels}`` where the two files go."""
    environment: tuple[tuple[str, str], ...] = ()


def chosen_segmenter(asked: str, weights: Path | None = None) -> Segmenter | None:
    """The program that a person's choice means; None for the built-in segmentation.

    Parameters
    ----------
    asked : str
        ``"auto"``, ``"builtin"``, ``"totalsegmentator"``, or a command with ``{ct}`` and ``{labels}``.
    weights : path, optional
        Folder of TotalSegmentator's weights; its usual place without it.

    Raises
    ------
    InputError
        If the program or its weights are missing, or the command names no places for the files
        (``segment.segmenter``).

    Examples
    --------
    >>> chosen_segmenter("builtin") is None
    True
    >>> chosen_segmenter("cp {ct} {labels}").command
    ('cp', '{ct}', '{labels}')
    """
    if asked == BUILT_IN:
        return None
    place = weights or Path.home() / _WEIGHTS
    if asked == AUTOMATIC:
        there = shutil.which(_PROGRAM) and _has_weights(place)
        return _totalsegmentator(place) if there else None
    if asked == TOTALSEGMENTATOR:
        if shutil.which(_PROGRAM) is None:
            raise _unusable(
                "TotalSegmentator, which is not installed here",
                "Install it in an environment of its own and put its 'TotalSegmentator' on the PATH, "
                "or leave --segmenter away to use the built-in segmentation.",
            )
        if not _has_weights(place):
            raise _unusable(
                f"TotalSegmentator without weights: {place} holds none",
                "Copy its weights there from a machine that has them (the Dataset29… folders), or name their "
                "folder with --weights. Nothing is downloaded here.",
            )
        return _totalsegmentator(place)
    words = tuple(shlex.split(asked))
    if not any("{ct}" in word for word in words) or not any("{labels}" in word for word in words):
        raise _unusable(
            f"the segmenter '{asked[:60]}'",
            "Say auto, builtin, totalsegmentator, or a command with {ct} and {labels} where its files go.",
        )
    if shutil.which(words[0]) is None:
        raise _unusable(f"the program '{words[0]}', which is not found", "Check its name and the PATH.")
    return Segmenter(Path(words[0]).name, words)


def run_segmenter(segmenter: Segmenter, volume: Volume, progress: Progress = silent) -> LabelVolume:
    """Run a program on a CT and read its labels.

    Raises
    ------
    InputError
        If the program fails or leaves no labels (``segment.segmenter``).
    Cancelled
        If ``progress`` raises it; the program is stopped.
    """
    with tempfile.TemporaryDirectory(prefix="vertebro-") as folder:
        root = Path(folder)
        ct, labels, said = root / "ct.nii.gz", root / "labels.nii.gz", root / "said"
        write_ct_nifti(ct, volume)
        home = root / "home"
        home.mkdir()
        (home / "config.json").write_text(
            json.dumps({"totalseg_id": "local", "send_usage_stats": False, "prediction_counter": 0})
        )
        command = [
            word.replace("{ct}", str(ct)).replace("{labels}", str(labels)) for word in segmenter.command
        ]
        settings = dict(segmenter.environment) | {"TOTALSEG_HOME_DIR": str(home)}
        with said.open("wb") as out:
            code = _run_until_done(command, settings, out, segmenter.name, progress)
        if code or not labels.exists():
            words = said.read_text(errors="replace").strip()[-_LAST_WORDS:]
            told = f"{segmenter.name}, which ended with code {code}" + (
                f" and said: {words}" if words else ""
            )
            raise _unusable(told, "Run the command by hand to see more, or use the built-in segmentation.")
        return read_labels(labels, volume)


def _run_until_done(
    command: list[str], settings: dict[str, str], out: object, name: str, progress: Progress
) -> int:
    """Run a process, reporting while it runs; it ends with us, whatever happens."""
    prefix = [] if not settings else ["env", *(f"{key}={value}" for key, value in settings.items())]
    process = subprocess.Popen(
        [*prefix, *command],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,  # type: ignore[call-overload]
    )
    started = time.monotonic()
    try:
        while process.poll() is None:
            waited = time.monotonic() - started
            progress(1.0 - 60.0 / (60.0 + waited), f"{name} is working, {waited:.0f} s so far")
            time.sleep(0.2)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    return int(process.returncode)


def _totalsegmentator(weights: Path) -> Segmenter:
    wanted = [f"vertebrae_{name}" for name in _VERTEBRAE] + ["sacrum"]
    command = (_PROGRAM, "-i", "{ct}", "-o", "{labels}", "--ml", "--roi_subset", *wanted)
    return Segmenter(_PROGRAM, command, (("TOTALSEG_WEIGHTS_PATH", str(weights)),))


def _has_weights(place: Path) -> bool:
    return place.is_dir() and any(place.glob("Dataset29*"))


def _unusable(got: str, remedy: str) -> InputError:
    return InputError(
        "segment.segmenter",
        got=got,
        needed="a segmenter that can be run here",
        remedy=remedy,
        fields=("segmenter",),
    )
