"""Where the real CTs for tests are, and the clear sentence when they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"


def real_data(*parts: str) -> Path:
    """The path of a real image, or skip the test where the folder is absent."""
    path = FOLDER.joinpath(*parts)
    if not path.exists():
        name = "/".join(parts)
        pytest.skip(f"real image {name} not found: put the data folder at ../shared/data beside the project")
    return path
