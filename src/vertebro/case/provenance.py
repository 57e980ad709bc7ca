"""Where a result came from: inputs by hash, options, settings, versions, seed, run time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class InputFile:
    """One input of a case: what role it plays and the hash of its bytes."""

    role: str
    """``"ct"``, ``"labels"``, …"""
    path: str
    """As given by the person, for their own orientation; not part of any hash."""
    sha256: str
    """Hash of the file, or of the names and bytes of all files of a folder."""
    n_files: int = 1

    def to_json(self) -> dict[str, object]:
        """The input as JSON-ready data."""
        return {"role": self.role, "path": self.path, "sha256": self.sha256, "n_files": self.n_files}


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One stage as it was run."""

    name: str
    key: str
    """Hash of inputs, options, settings, version, backend and seed: same key, same result."""
    settings: Mapping[str, object]
    seed: int
    backend: str
    outputs: Mapping[str, str]
    """Path inside the case folder to SHA-256 of the file."""
    started_utc: str
    run_time_s: float
    stats: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """The record as JSON-ready data."""
        return {
            "name": self.name,
            "key": self.key,
            "settings": dict(self.settings),
            "seed": self.seed,
            "backend": self.backend,
            "outputs": dict(self.outputs),
            "started_utc": self.started_utc,
            "run_time_s": round(self.run_time_s, 3),
            "stats": dict(self.stats),
        }


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is needed to know what a case folder holds and to make it again."""

    vertebro_version: str
    inputs: tuple[InputFile, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    """What the person asked for: series, label convention, levels."""
    stages: tuple[StageRecord, ...] = ()
    platform: Mapping[str, str] = field(default_factory=dict)
    """Python, operating system and the versions of the numerical libraries."""
    state: str = "running"
    """``"complete"``, ``"running"``, ``"cancelled"`` or ``"failed"``."""
    schema_version: int = 1

    def stage(self, name: str) -> StageRecord | None:
        """The record of a stage, or None where it has not been run."""
        return next((record for record in self.stages if record.name == name), None)

    def with_stage(self, record: StageRecord) -> Manifest:
        """The manifest with that stage's record added or replaced."""
        others = tuple(kept for kept in self.stages if kept.name != record.name)
        return replace(self, stages=(*others, record))

    def without_stage(self, name: str) -> Manifest:
        """The manifest without that stage's record."""
        return replace(self, stages=tuple(kept for kept in self.stages if kept.name != name))

    def to_json(self) -> dict[str, object]:
        """The manifest as JSON-ready data (``docs/reference/manifest-json.md``)."""
        return {
            "schema_version": self.schema_version,
            "vertebro_version": self.vertebro_version,
            "state": self.state,
            "inputs": [item.to_json() for item in self.inputs],
            "options": dict(self.options),
            "platform": dict(self.platform),
            "stages": [record.to_json() for record in self.stages],
        }
