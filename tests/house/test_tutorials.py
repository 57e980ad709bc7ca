"""The tutorials' code runs, and shows what the text says it shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "docs" / "tutorials"
PAGES = sorted(path for path in TUTORIALS.glob("*.md") if path.name != "index.md")


def _run(page: Path) -> dict[str, Any]:
    """Run all Python blocks of a page, one after the other, in one namespace."""
    names: dict[str, Any] = {}
    for number, block in enumerate(
        re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    ):
        exec(compile(block, f"{page.name}, block {number + 1}", "exec"), names)
    return names


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_code_of_every_tutorial_runs(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    names = _run(page)

    assert names
    assert capsys.readouterr().out


@pytest.mark.slow
def test_the_first_report_finds_the_fracture_it_made() -> None:
    names = _run(TUTORIALS / "first-report.md")
    assessment, truth = names["assessment"], names["truth"]

    worst = max(assessment.levels.values(), key=lambda level: level.height_loss_percent.value)
    assert worst.name == "L1"
    assert worst.genant_shape.value == "wedge"
    assert worst.heights_mm.anterior.value == pytest.approx(truth.heights_mm.anterior, abs=1.0)
    assert max(level.genant_grade for level in assessment.levels.values()) == worst.genant_grade
