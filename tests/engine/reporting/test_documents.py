"""The documented JSON: what we write fits the schemas, and what is wrong is refused."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from reporting_cases import fracture_case, manifest
from tools.schema_pages import page_path
from vertebro.errors import InputError
from vertebro.findings import finding
from vertebro.reporting import (
    assessment_json,
    json_text,
    load_schema,
    manifest_json,
    validate_document,
    write_json,
)
from vertebro.reporting.documents import SCHEMAS
from vertebro.reporting.schema_page import page_from_schema


def objects_of(schema: dict) -> list[dict]:
    return [schema, *schema["$defs"].values()]


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_valid_and_every_field_is_described(name):
    schema = load_schema(name)

    Draft202012Validator.check_schema(schema)
    undescribed = [
        field
        for entry in objects_of(schema)
        for field, content in entry["properties"].items()
        if not content.get("description") and "const" not in content
    ]

    assert undescribed == []
    assert all(entry["additionalProperties"] is False for entry in objects_of(schema))


@pytest.mark.parametrize("name", SCHEMAS)
def test_reference_page_is_made_from_the_schema(name):
    assert page_path(name).read_text(encoding="utf-8") == page_from_schema(name), (
        "run: .venv/bin/python -m tools.schema_pages"
    )


def test_unknown_schema_name_is_refused():
    with pytest.raises(InputError) as caught:
        load_schema("../assessment")

    assert caught.value.code == "report.schema_name"


def test_assessment_json_has_the_promised_shape():
    _, _, assessment = fracture_case()

    document = assessment_json(assessment)

    level = document["levels"]["L1"]
    assert level["heights_mm"]["anterior"] == {
        "value": 13.3,
        "lower": 12.8,
        "upper": 13.8,
        "unit": "mm",
        "basis": "ruler",
    }
    assert level["genant"] == {"grade": 3, "shape": "wedge", "certain": True}
    assert document["levels"]["L2"]["complete"] is False
    assert document["levels"]["L2"]["genant"]["grade"] is None
    assert document["schema_version"] == 1


def test_assessment_json_keeps_findings():
    _, _, assessment = fracture_case()
    assessment = replace(assessment, findings=(finding("image.metal", "A rod.", evidence={"hu": 3000}),))

    document = assessment_json(assessment)

    assert document["findings"][0]["code"] == "image.metal"
    assert document["findings"][0]["evidence"] == {"hu": 3000}


DAMAGE = {
    "a missing level field": lambda d: d["levels"]["L1"].pop("cleft"),
    "a field nobody described": lambda d: d["levels"]["L1"].update(mood="good"),
    "a grade that does not exist": lambda d: d["levels"]["L1"]["genant"].update(grade=4),
    "a shape that does not exist": lambda d: d["levels"]["L1"]["genant"].update(shape="flat"),
    "a number without its interval": lambda d: d["levels"]["L1"]["wedge_angle_deg"].update(lower=None),
    "a number as text": lambda d: d["levels"]["L1"]["wedge_angle_deg"].update(value="15"),
    "an estimate without a basis": lambda d: d["levels"]["L1"]["wedge_angle_deg"].update(basis=""),
    "a bare float for an estimate": lambda d: d["levels"]["L1"].update(kyphosis_deg=3.0),
    "another format version": lambda d: d.update(schema_version=2),
    "a frame of three rows": lambda d: d["levels"]["L1"]["lps_from_vertebra"].pop(),
    "no findings": lambda d: d.pop("findings"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_assessment_schema_refuses(damage):
    document = copy.deepcopy(assessment_json(fracture_case()[2]))
    damage(document)

    with pytest.raises(InputError) as caught:
        validate_document(document, "assessment")

    assert caught.value.code == "report.schema"


def test_manifest_json_fits_and_a_wrong_hash_is_refused():
    document = manifest_json(manifest())
    assert document["inputs"][0]["sha256"] == "ab" * 32

    document["inputs"][0]["sha256"] = "not a hash"

    with pytest.raises(InputError, match="inputs/0/sha256"):
        validate_document(document, "manifest")


def test_json_text_is_the_same_for_equal_content_whatever_its_order():
    first = json_text({"b": {"y": 1, "x": "ä"}, "a": [2.5]})
    second = json_text({"a": [2.5], "b": {"x": "ä", "y": 1}})

    assert first == second
    assert json.loads(first) == {"a": [2.5], "b": {"x": "ä", "y": 1}}


def test_json_text_refuses_a_number_that_is_none():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"value": float("nan")})


def test_write_json_replaces_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "assessment.json"
    path.write_text("old", encoding="utf-8")

    write_json({"a": 1}, path)

    assert path.read_text(encoding="utf-8") == '{\n  "a": 1\n}\n'
    assert [entry.name for entry in tmp_path.iterdir()] == ["assessment.json"]
