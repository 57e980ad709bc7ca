"""The reference page of a JSON format, made from its schema so that the two cannot part."""

from __future__ import annotations

from typing import Any

from vertebro.reporting.documents import load_schema


def page_from_schema(name: str) -> str:
    """The reference page of a published schema, as Markdown.

    Parameters
    ----------
    name : str
        One of :data:`vertebro.reporting.documents.SCHEMAS`.

    Examples
    --------
    >>> page_from_schema("manifest").splitlines()[2]
    '# `manifest.json`'
    """
    schema = load_schema(name)
    version = schema["properties"]["schema_version"]["const"]
    parts = [
        "<!-- Made from the schema by tools/schema_pages.py; change the schema instead. -->",
        "",
        f"# `{schema['title']}`",
        "",
        schema["description"],
        "",
        f"Format version {version}. The schema itself (JSON Schema 2020-12) ships with the package: "
        f'`vertebro.reporting.load_schema("{name}")`. `vertebro.reporting.validate_document` '
        "checks a document against it. Keys are sorted and numbers rounded to three decimals, so the same "
        "case gives the same bytes.",
        "",
        *_object(name, "", schema),
    ]
    for key, definition in schema["$defs"].items():
        parts += _object(name, key, definition)
    return "\n".join(parts).rstrip() + "\n"


def _object(schema: str, name: str, definition: dict[str, Any]) -> list[str]:
    """The heading and table of one kind of object; the file itself has no name."""
    lines = [f"({_anchor(schema, name)})=", f"## {name}", "", definition["description"], ""] if name else []
    required = definition.get("required", [])
    lines += ["| field | type | meaning |", "|---|---|---|"]
    for field, entry in definition["properties"].items():
        optional = "" if field in required else " (optional)"
        lines.append(f"| `{field}`{optional} | {_type(schema, entry)} | {_cell(entry['description'])} |")
    return [*lines, ""]


def _type(schema: str, entry: dict[str, Any]) -> str:
    if "$ref" in entry:
        name = entry["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{_anchor(schema, name)})"
    if "anyOf" in entry:
        return " or ".join(dict.fromkeys(_type(schema, choice) for choice in entry["anyOf"]))
    if "const" in entry:
        return f"always {entry['const']}"
    if "enum" in entry:
        return ", ".join("null" if value is None else f"`{value}`" for value in entry["enum"])
    kind = entry["type"]
    if kind == "array":
        return f"list of {_type(schema, entry['items'])}"
    if kind == "object" and isinstance(entry.get("additionalProperties"), dict):
        return f"object: name to {_type(schema, entry['additionalProperties'])}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _anchor(schema: str, name: str) -> str:
    return f"{schema}-json-{name.replace('_', '-')}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
