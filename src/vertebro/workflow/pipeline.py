"""Running a case: each stage once, in order, reusing what is still valid, stopping cleanly."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import vertebro
from vertebro import settings as settings_module
from vertebro.case import ClinicalContext, InputFile, Manifest, StageRecord
from vertebro.errors import Cancelled, InputError, ReadError
from vertebro.io.case_folder import CaseFolder
from vertebro.progress import Progress, scaled, silent
from vertebro.workflow.cache import remove_outputs, valid_record
from vertebro.workflow.manifest import (
    hash_file,
    hash_input,
    new_manifest,
    read_manifest,
    stage_key,
    write_manifest,
)
from vertebro.workflow.stages import STAGES, Stage, stage_named

BACKEND = "cpu"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a person asks of a run, beside the inputs."""

    series: str | None = None
    """UID, or the beginning of one, of the DICOM series to read; None takes the best."""
    label_convention: str | None = None
    """``"verse"``, ``"totalsegmentator"``, …; None recognises it."""
    segmenter: str = "auto"
    """What finds the vertebrae where no labels are given: ``"auto"``, ``"builtin"``,
    ``"totalsegmentator"``, or a command with ``{ct}`` and ``{labels}``."""
    weights: str | None = None
    """Folder of TotalSegmentator's weights; None means its usual place."""
    corrections: tuple[str, ...] = ()
    """What a person corrected in the built-in segmentation, in order
    (:func:`vertebro.case.read_correction`)."""
    levels: tuple[str, ...] = ()
    """Levels to assess; empty means all."""
    context: ClinicalContext = field(default_factory=ClinicalContext)
    """What a clinician knows that the images do not show."""
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings object by stage name, where not the defaults; each stage's record holds them whole."""

    def to_json(self) -> dict[str, object]:
        """The options as JSON-ready data, without the settings."""
        return {
            "series": self.series,
            "label_convention": self.label_convention,
            "segmenter": self.segmenter,
            "weights": self.weights,
            "corrections": list(self.corrections),
            "levels": list(self.levels),
            "context": self.context.to_json(),
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], settings: Mapping[str, Any]) -> RunOptions:
        """The options that a manifest holds, with settings of now."""
        return cls(
            series=stored.get("series"),
            label_convention=stored.get("label_convention"),
            segmenter=str(stored.get("segmenter") or "auto"),
            weights=stored.get("weights"),
            corrections=tuple(stored.get("corrections") or ()),
            levels=tuple(stored.get("levels") or ()),
            context=ClinicalContext.from_json(stored.get("context") or {}),
            seed=int(stored.get("seed") or 0),
            settings=settings,
        )


@dataclass(frozen=True, eq=False)
class CaseRun:
    """A finished run: where it lies, what was done, and its results, loaded when asked for."""

    folder: CaseFolder
    manifest: Manifest
    ran: tuple[str, ...]
    reused: tuple[str, ...]
    _results: dict[str, Any] = field(default_factory=dict)

    def result(self, stage: str) -> Any:
        """The result of a stage, e.g. ``"ct"``, ``"labels"`` or ``"assessment"``."""
        if stage not in self._results:
            self._results[stage] = stage_named(stage).load_module().load(self.folder)
        return self._results[stage]


def run_case(
    ct: str | PathLike[str],
    case: str | PathLike[str],
    *,
    labels: str | PathLike[str] | None = None,
    stages: Iterable[str] = (),
    options: RunOptions | None = None,
    progress: Progress = silent,
) -> CaseRun:
    """Run a CT through the stages into a case folder.

    Parameters
    ----------
    ct : path
        DICOM folder, zip, disc or file, or NIfTI.
    case : path
        Case folder: new, empty, or of an earlier run, whose still valid results are reused.
    labels : path, optional
        Vertebra labels.
    stages : iterable of str
        Stages wanted (what they need is run too); empty means every stage.
    options : RunOptions, optional
    progress : Progress

    Returns
    -------
    CaseRun

    Raises
    ------
    InputError
        If an input cannot be used. The folder then holds a valid manifest with ``state: failed``.
    Cancelled
        If ``progress`` raised it, or Ctrl-C was pressed; the manifest says ``state: cancelled``.

    Examples
    --------
    >>> run_case("no/such/ct.nii.gz", "never-made")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    vertebro.errors.ReadError: Got the path no/such/ct.nii.gz, where there is nothing. ...
    """
    progress(0.0, "Looking at the inputs")
    inputs = [hash_input("ct", Path(ct))]
    if labels is not None:
        inputs.append(hash_input("labels", Path(labels)))
    _refuse_overlap(Path(case), inputs)
    folder = CaseFolder.open_for_writing(case)
    earlier = _earlier_manifest(folder)
    options = options or RunOptions()
    manifest = replace(new_manifest(), inputs=tuple(inputs), options=options.to_json())
    if earlier is not None:
        manifest = replace(manifest, stages=earlier.stages)
    return _Run(folder, manifest, options, progress).run(stages)


def rerun_case(
    case: str | PathLike[str],
    *,
    stages: Iterable[str] = (),
    settings: Mapping[str, Any] | None = None,
    context: ClinicalContext | None = None,
    corrections: tuple[str, ...] | None = None,
    progress: Progress = silent,
) -> CaseRun:
    """Run stages again from what a case folder holds; the original files are not needed.

    Parameters
    ----------
    case : path
    stages : iterable of str
        Stages wanted (what they need is run too); empty means every stage.
    settings : mapping, optional
        Settings object by stage name, where not the defaults.
    context : ClinicalContext, optional
        What a clinician knows now; the case's own without it.
    corrections : tuple of str, optional
        All corrections of the built-in segmentation, in order; the case's own without them.
    progress : Progress

    Returns
    -------
    CaseRun

    Raises
    ------
    ReadError
        If the folder is no case, or its images are missing or damaged.
    """
    folder = CaseFolder.open_existing(case)
    manifest = read_manifest(folder)
    options = _options_of(manifest, settings or {})
    if context is not None:
        options = replace(options, context=context)
    if corrections is not None:
        options = replace(options, corrections=corrections)
    fresh = replace(
        manifest,
        options=options.to_json(),
        vertebro_version=vertebro.__version__,
        platform=new_manifest().platform,
    )
    return _Run(folder, fresh, options, progress, from_folder=True).run(stages)


def stored_options(case: str | PathLike[str]) -> RunOptions:
    """The options that a case was run with.

    Raises
    ------
    ReadError
        If the folder is no case.
    """
    manifest = read_manifest(CaseFolder.open_existing(case))
    return _options_of(manifest, {})


def _options_of(manifest: Manifest, settings: Mapping[str, Any]) -> RunOptions:
    """The options that a case was run with; a case of which they or its CT cannot be told is damaged."""
    try:
        if any(item.role == "ct" for item in manifest.inputs):
            return RunOptions.from_json(manifest.options, settings)
        raise ValueError("no CT")
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as problem:
        raise ReadError(
            "case.damaged",
            got="a damaged manifest.json, which does not tell the CT or the options of the run",
            needed="the manifest as vertebro wrote it",
            remedy="Run the case again into a new folder.",
        ) from problem


class _Run:
    """One run in progress."""

    def __init__(
        self,
        folder: CaseFolder,
        manifest: Manifest,
        options: RunOptions,
        progress: Progress,
        *,
        from_folder: bool = False,
    ) -> None:
        self.folder = folder
        self.manifest = replace(manifest, state="running")
        self.options = options
        self.progress = progress
        self.from_folder = from_folder
        self.keys: dict[str, str] = {}
        self.settings: dict[str, Any] = {}
        self.results: dict[str, Any] = {}
        self.ran: list[str] = []
        self.reused: list[str] = []

    def run(self, wanted: Iterable[str]) -> CaseRun:
        with self.folder.in_use():
            try:
                self._run_stages(_with_needs(tuple(wanted)))
            except KeyboardInterrupt as stop:
                self._end_early("cancelled")
                raise Cancelled("stopped by the keyboard; what was finished is kept") from stop
            except Cancelled:
                self._end_early("cancelled")
                raise
            except OSError as problem:
                self._end_early("failed")
                raise InputError(
                    "case.not_writable",
                    got=f"a file that could not be written or read ({problem.strerror})",
                    needed="a case folder with free space, and inputs that stay where they are",
                    remedy="Free some space or choose another folder after -o; what was finished is kept.",
                ) from problem
            except BaseException:
                self._end_early("failed")
                raise
        return CaseRun(self.folder, self.manifest, tuple(self.ran), tuple(self.reused), self.results)

    def _run_stages(self, stages: tuple[Stage, ...]) -> None:
        total = sum(stage.weight for stage in stages)
        done = 0.0
        self._plan({stage.name for stage in stages})
        write_manifest(self.folder, self.manifest)
        for stage in stages:
            part = scaled(self.progress, done / total, (done + stage.weight) / total)
            part(0.0, stage.title)
            if valid_record(self.folder, self.manifest, stage.name) is not None:
                self.reused.append(stage.name)
            else:
                self._execute(stage, part)
            done += stage.weight
        self.progress(1.0, "Done")
        self._end("complete")

    def _plan(self, wanted: set[str]) -> None:
        """Settle the stages' keys, and clear away results that no longer follow from the inputs.

        An outdated report beside a new assessment would mislead; a file that a person has changed
        since is left alone. A stage of a case that is run again keeps the settings it was made with
        unless others are given.
        """
        for stage in STAGES:
            record = self.manifest.stage(stage.name)
            if record is None and stage.name not in wanted:
                continue
            given = self.options.settings.get(stage.name)
            chosen = given or stage.default_settings()
            self.settings[stage.name] = chosen
            if self._is_kept(stage) and record is not None:
                self.keys[stage.name] = record.key
                continue
            keeps_settings = self.from_folder and record is not None and given is None
            plain = dict(record.settings) if keeps_settings and record is not None else _plain(chosen)
            self.keys[stage.name] = self._key(stage, plain)
            if record is not None and record.key != self.keys[stage.name]:
                self.manifest = self.manifest.without_stage(stage.name)
                remove_outputs(self.folder, record)

    def _is_kept(self, stage: Stage) -> bool:
        """Whether the stage read a file of the person's that a case run again does without."""
        given = {item.role for item in self.manifest.inputs}
        return self.from_folder and stage.name in given

    def _execute(self, stage: Stage, progress: Progress) -> None:
        if self._is_kept(stage):
            raise ReadError(
                "case.damaged",
                got=f"a case whose stored {stage.name} is missing or altered",
                needed="the files as vertebro wrote them",
                remedy="Run the case again from the original CT.",
            )
        self.manifest = self.manifest.without_stage(stage.name)
        started, clock = datetime.now(UTC), time.perf_counter()
        module = stage.load_module()
        settings = self.settings[stage.name]
        inputs = {name: self._result(name) for name in stage.needs}
        inputs["options"] = self.options
        inputs["paths"] = {item.role: Path(item.path) for item in self.manifest.inputs}
        inputs["manifest"] = self.manifest
        outcome = module.run(inputs, settings, seed=self.options.seed, progress=progress)
        written: list[Path] = module.save(outcome.result, self.folder)
        self.results[stage.name] = outcome.result
        record = StageRecord(
            name=stage.name,
            key=self.keys[stage.name],
            settings=_plain(settings),
            seed=self.options.seed,
            backend=BACKEND,
            outputs={path.as_posix(): hash_file(self.folder.path(path)) for path in sorted(set(written))},
            started_utc=started.isoformat(timespec="seconds"),
            run_time_s=time.perf_counter() - clock,
            stats=dict(outcome.stats),
        )
        self.manifest = self.manifest.with_stage(record)
        self.ran.append(stage.name)
        write_manifest(self.folder, self.manifest)

    def _result(self, name: str) -> Any:
        if name not in self.results:
            self.results[name] = stage_named(name).load_module().load(self.folder)
        return self.results[name]

    def _key(self, stage: Stage, plain: dict[str, object]) -> str:
        options = self.options.to_json()
        hashes = {item.role: item.sha256 for item in self.manifest.inputs}
        return stage_key(
            {
                "stage": stage.name,
                "version": vertebro.__version__,
                "backend": BACKEND,
                "seed": self.options.seed,
                "settings": plain,
                "options": {name: options[name] for name in stage.options},
                "needs": {name: self.keys.get(name, "") for name in stage.needs},
                "input": "".join(hashes.get(role, "") for role in stage.reads),
            }
        )

    def _end(self, state: str) -> None:
        self.manifest = replace(self.manifest, state=state)
        write_manifest(self.folder, self.manifest)

    def _end_early(self, state: str) -> None:
        """Say how the run ended where that can still be written; the reason it ended is what is reported."""
        with suppress(OSError):
            self._end(state)


def _with_needs(wanted: tuple[str, ...]) -> tuple[Stage, ...]:
    """The wanted stages and all they need, in order; all stages where none is named."""
    if not wanted:
        return STAGES
    needed: set[str] = set()
    pending = list(wanted)
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            pending.extend(stage_named(name).needs)
    return tuple(stage for stage in STAGES if stage.name in needed)


def _plain(settings: Any) -> dict[str, object]:
    return {} if settings is None else settings_module.to_json(settings)


def _earlier_manifest(folder: CaseFolder) -> Manifest | None:
    """The manifest of an earlier run; None where there is none or it cannot be understood."""
    if not folder.is_case:
        return None
    try:
        return read_manifest(folder)
    except ReadError:
        return None


def _refuse_overlap(case: Path, inputs: list[InputFile]) -> None:
    """Refuse inputs and case folder within each other: results would become input, or replace it."""
    root = case.resolve()
    for item in inputs:
        source = Path(item.path).resolve()
        if source.is_relative_to(root) and source != root:
            raise InputError(
                "case.holds_input",
                got=f"{item.role} that lie inside the case folder, where a run replaces what it finds",
                needed="inputs outside the case folder",
                remedy="Copy them elsewhere first, or choose another folder after -o.",
                fields=("case",),
            )
        if source.is_dir() and root.is_relative_to(source):
            raise InputError(
                "case.inside_input",
                got=f"a case folder inside the {item.role} folder",
                needed="a place of its own for the case",
                remedy="Choose another folder after -o.",
                fields=("case",),
            )
