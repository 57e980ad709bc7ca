"""Findings: what was noticed about data or a patient, as data.

A finding is neither an exception nor a log line. Every stage returns its findings beside its
result; they go into the case folder, the report and, later, the clinic's screens. Their codes
stand in one registry, ``findings.toml``, from which the documentation and the tests are made.

This module sits below :mod:`vertebro.imaging` because an image carries what was noticed while it
was read (``docs/adr/0005-findings-sit-at-the-bottom.md``).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import resources
from types import MappingProxyType

JsonScalar = str | int | float | bool | None


class Severity(StrEnum):
    """How much a finding should weigh with the reader."""

    INFO = "info"
    """Good to know; results stand."""
    WARN = "warn"
    """Results are less certain; the message says how."""
    BLOCK = "block"
    """The thing concerned must not be used until a person has looked."""


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One row of the registry: what a code means, whatever the case."""

    code: str
    severity: Severity
    title: str
    meaning: str
    """What it means for the result, in plain words."""
    remedy: str
    """What the reader can do."""
    source: str = ""
    """Where the threshold or rule comes from, where there is one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something noticed, with where and on what evidence.

    Make one with :func:`finding`, which checks the code against the registry.
    """

    code: str
    severity: Severity
    message: str
    where: str = ""
    """Level (``"L1"``), series, file name or slice range; empty when it concerns everything."""
    evidence: Mapping[str, JsonScalar] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "evidence", MappingProxyType(dict(self.evidence)))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle through a plain dict: a mapping proxy cannot be pickled."""
        return (Finding, (self.code, self.severity, self.message, self.where, dict(self.evidence)))

    def to_json(self) -> dict[str, object]:
        """The finding as JSON-ready data."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "where": self.where,
            "evidence": dict(self.evidence),
        }


@cache
def registry() -> Mapping[str, FindingKind]:
    """Every known finding code and what it means.

    Examples
    --------
    >>> registry()["image.metal"].severity.value
    'warn'
    """
    text = resources.files("vertebro").joinpath("findings.toml").read_text(encoding="utf-8")
    kinds: dict[str, FindingKind] = {}
    for area, rows in tomllib.loads(text).items():
        for name, row in rows.items():
            code = f"{area}.{name}"
            kinds[code] = FindingKind(code=code, severity=Severity(row.pop("severity")), **row)
    return MappingProxyType(kinds)


def finding(
    code: str,
    message: str,
    *,
    where: str = "",
    evidence: Mapping[str, JsonScalar] | None = None,
    severity: Severity | None = None,
) -> Finding:
    """Make a finding of a registered code.

    Parameters
    ----------
    code : str
        A code of :func:`registry`.
    message : str
        What was seen in this case and what it means for the result. Never a patient's name.
    where : str
        Level, series, file or slices.
    evidence : mapping
        The numbers behind it, JSON-ready.
    severity : Severity, optional
        Overrides the registry's severity where the case is milder or graver than usual.

    Raises
    ------
    KeyError
        If the code is not in the registry (a programmer's error).

    Examples
    --------
    >>> finding("image.metal", "Metal at the left hip.").severity.value
    'warn'
    """
    kind = registry()[code]
    return Finding(code, severity or kind.severity, message, where, evidence or {})
