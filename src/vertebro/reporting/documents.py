"""The results for other programs: JSON checked against a published schema before it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from vertebro.case import Assessment, BalloonResult, InjectionResult, Manifest, MechanicsResult, TreatmentPlan
from vertebro.errors import InputError
from vertebro.reporting.files import write_whole

SCHEMAS = ("assessment", "balloon", "injection", "manifest", "mechanics", "plan")
"""Names of the published schemas."""


def load_schema(name: str) -> dict[str, Any]:
    """A published JSON Schema (draft 2020-12) of one of :data:`SCHEMAS`.

    Returns
    -------
    dict
        A fresh copy.

    Raises
    ------
    InputError
        If there is no schema of that name (``report.schema_name``).

    Examples
    --------
    >>> load_schema("assessment")["title"]
    'assessment.json'
    """
    if name not in SCHEMAS:
        raise InputError(
            "report.schema_name",
            got=f"the schema name {name[:40]!r}",
            needed=f"one of {', '.join(SCHEMAS)}",
            remedy="Choose one of those.",
            fields=("name",),
        )
    text = _schema_text(name)
    return dict(json.loads(text))


@cache
def _schema_text(name: str) -> str:
    place = resources.files("vertebro.reporting").joinpath("schemas", f"{name}.schema.json")
    return place.read_text(encoding="utf-8")


def validate_document(document: Mapping[str, Any], name: str) -> None:
    """Check a document against a published schema.

    Raises
    ------
    InputError
        For the first place that does not fit (``report.schema``).

    Examples
    --------
    >>> validate_document({"schema_version": 1, "levels": {}, "findings": []}, "assessment")
    """
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - only when a document is checked
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    problem = best_match(Draft202012Validator(load_schema(name)).iter_errors(document))
    if problem is None:
        return
    place = "/".join(str(part) for part in problem.absolute_path) or "the top"
    raise InputError(
        "report.schema",
        got=f"a document whose {place} does not fit the {name} schema: {problem.message[:200]}",
        needed=f"a document as docs/reference/{name}-json.md describes it",
        remedy="Write it with the vertebro version that the schema belongs to.",
        fields=(place,),
    )


def assessment_json(assessment: Assessment) -> dict[str, Any]:
    """The assessment as the documented JSON, checked against its schema.

    Raises
    ------
    InputError
        If something in it does not fit the schema (``report.schema``).

    Examples
    --------
    >>> import numpy as np
    >>> from vertebro.imaging import VolumeGeometry
    >>> grid = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 1.0, 1.0))
    >>> assessment_json(Assessment({}, grid, np.zeros((2, 2, 2), np.uint8)))["schema_version"]
    1
    """
    document = dict(assessment.to_json())
    validate_document(document, "assessment")
    return document


def manifest_json(manifest: Manifest) -> dict[str, Any]:
    """The manifest as the documented JSON, checked against its schema.

    Raises
    ------
    InputError
        If something in it does not fit the schema (``report.schema``).

    Examples
    --------
    >>> manifest_json(Manifest("0.1.0", state="complete"))["state"]
    'complete'
    """
    document = dict(manifest.to_json())
    validate_document(document, "manifest")
    return document


def plan_json(plan: TreatmentPlan) -> dict[str, Any]:
    """The treatment plan as the documented JSON, checked against its schema.

    Raises
    ------
    InputError
        If something in it does not fit the schema (``report.schema``).

    Examples
    --------
    >>> plan_json(TreatmentPlan({}))["levels"]
    {}
    """
    document = dict(plan.to_json())
    validate_document(document, "plan")
    return document


def injection_json(result: InjectionResult) -> dict[str, Any]:
    """The injections as the documented JSON, checked against its schema.

    Raises
    ------
    InputError
        If something in it does not fit the schema (``report.schema``).

    Examples
    --------
    >>> injection_json(InjectionResult({}))["levels"]
    {}
    """
    document = dict(result.to_json())
    validate_document(document, "injection")
    return document


def balloon_json(result: BalloonResult) -> dict[str, Any]:
    """The balloons as the documented JSON, checked against its schema.

    Raises
    ------
    InputError
        If something in it does not fit the schema (``report.schema``).

    Examples
    --------
    >>> balloon_json(BalloonResult({}))["levels"]
    {}
    """
    document = dict(result.to_json())
    validate_document(document, "balloon")
    return document


def mechanics_json(result: MechanicsResult) -> dict[str, Any]:
    """The mechanics as the documented JSON, checked against its schema.

    Raises
    ------
    InputError
        If something in it does not fit the schema (``report.schema``).

    Examples
    --------
    >>> mechanics_json(MechanicsResult({}))["levels"]
    {}
    """
    document = dict(result.to_json())
    validate_document(document, "mechanics")
    return document


def json_text(document: Mapping[str, Any]) -> str:
    r"""JSON text of which there is only one for each content: sorted keys, no NaN, a line end.

    Examples
    --------
    >>> json_text({"b": 1, "a": 2})
    '{\n  "a": 2,\n  "b": 1\n}\n'
    """
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(document: Mapping[str, Any], path: str | Path) -> Path:
    """Write a document as :func:`json_text`; a crash leaves the old file or the new one, never half."""
    return write_whole(path, json_text(document).encode("utf-8"))
