"""Where a result came from: inputs by hash, settings, versions, seed, run time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vertebro.findings import JsonScalar


@dataclass(frozen=True, slots=True)
class InputFile:
    """One input of a case: what role it plays and the hash of its bytes."""

    role: str
    """``"ct"``, ``"labels"``, …"""
    path: str
    """As given by the person, for their own orientation; not part of any hash."""
    sha256: str
    n_files: int = 1
    options: Mapping[str, JsonScalar] = field(default_factory=dict)
    """What was chosen while reading it: series, convention."""


@dataclass(frozen=True, slots=True)
class StageRecord:
    """One stage as it was run."""

    name: str
    key: str
    """Hash of inputs, settings, version, backend and seed: same key, same result."""
    settings: Mapping[str, object]
    seed: int
    backend: str
    outputs: Mapping[str, str]
    """Path inside the case folder to SHA-256 of the file."""
    started_utc: str
    run_time_s: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is needed to know what a case folder holds and to make it again."""

    vertebro_version: str
    schema_version: int
    inputs: tuple[InputFile, ...]
    stages: tuple[StageRecord, ...]
    platform: Mapping[str, str]
    state: str = "complete"
    """``"complete"``, ``"running"``, ``"cancelled"`` or ``"failed"``."""
