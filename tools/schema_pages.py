"""Write the reference pages of the JSON formats from their schemas.

Run it after a change to a schema: ``.venv/bin/python -m tools.schema_pages``. A test compares the
committed pages with the schemas.
"""

from __future__ import annotations

from pathlib import Path

from vertebro.reporting.documents import SCHEMAS
from vertebro.reporting.schema_page import page_from_schema

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"


def page_path(name: str) -> Path:
    """Where the page of a schema lies."""
    return REFERENCE / f"{name}-json.md"


if __name__ == "__main__":
    for schema in SCHEMAS:
        page_path(schema).write_text(page_from_schema(schema), encoding="utf-8")
        print(page_path(schema))
