"""Findings and their registry."""

from __future__ import annotations

import copy
import json
import pickle
import re
import tomllib
from importlib import resources

import pytest

from vertebro.findings import Finding, FindingKind, Severity, finding, registry


def test_a_finding_takes_its_severity_from_the_registry() -> None:
    found = finding("image.metal", "Metal at L4.", where="L4", evidence={"max_hu": 3071})

    assert found == Finding("image.metal", Severity.WARN, "Metal at L4.", "L4", {"max_hu": 3071})


def test_a_case_may_be_graver_than_usual() -> None:
    assert finding("image.metal", "All over.", severity=Severity.BLOCK).severity is Severity.BLOCK


def test_an_unknown_code_is_a_programmer_s_error() -> None:
    with pytest.raises(KeyError, match=r"image\.no_such_thing"):
        finding("image.no_such_thing", "What?")


def test_evidence_is_copied_and_cannot_be_changed() -> None:
    evidence: dict[str, str | int | float | bool | None] = {"n": 1}
    found = finding("image.metal", "Metal.", evidence=evidence)
    evidence["n"] = 2

    assert found.evidence["n"] == 1
    with pytest.raises(TypeError):
        found.evidence["n"] = 3  # type: ignore[index]


def test_json_has_every_part() -> None:
    found = finding("image.metal", "Metal.", where="L4", evidence={"n": 1, "side": "left", "sure": None})

    assert json.loads(json.dumps(found.to_json())) == {
        "code": "image.metal",
        "severity": "warn",
        "message": "Metal.",
        "where": "L4",
        "evidence": {"n": 1, "side": "left", "sure": None},
    }


def test_findings_cross_process_borders() -> None:
    found = finding("image.metal", "Metal.", evidence={"n": 1})

    assert pickle.loads(pickle.dumps(found)) == found
    assert copy.deepcopy(found) == found


def test_the_registry_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        registry()["new.code"] = registry()["image.metal"]  # type: ignore[index]


@pytest.mark.parametrize("kind", registry().values(), ids=lambda kind: kind.code)
def test_every_row_of_the_registry_reads_well(kind: FindingKind) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", kind.code)
    assert kind.title[0].isupper() or kind.title[0].isdigit()
    assert not kind.title.endswith(".")
    for text in (kind.meaning, kind.remedy):
        assert text[0].isupper() or text[0].isdigit()
        assert text.endswith("."), text
        assert "  " not in text


def test_no_two_codes_have_the_same_title_and_meaning() -> None:
    texts = [(kind.title, kind.meaning) for kind in registry().values()]

    assert len(set(texts)) == len(texts)


def test_the_registry_file_has_only_known_columns() -> None:
    text = resources.files("vertebro").joinpath("findings.toml").read_text(encoding="utf-8")
    columns = {column for rows in tomllib.loads(text).values() for row in rows.values() for column in row}

    assert columns <= {"severity", "title", "meaning", "remedy", "source"}
