"""Results as tables and lines on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vertebro.cli.console import say

if TYPE_CHECKING:
    from vertebro.case import Assessment, Estimate, Finding

_GRADES = ("normal", "mild", "moderate", "severe")
_MARKS = {"info": "note", "warn": "MIND", "block": "STOP"}


def show_assessment(assessment: Assessment) -> None:
    """One row for each level, cranial to caudal, then a sentence for each that is not normal."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("Level")
    for heading in ("Ant. mm", "Mid. mm", "Post. mm", "Loss %", "Wedge °", "Core HU"):
        table.add_column(heading, justify="right")
    table.add_column("Grade", no_wrap=True)
    for name, level in assessment.levels.items():
        heights = level.heights_mm
        numbers = (heights.anterior, heights.middle, heights.posterior)
        rest = (level.height_loss_percent, level.wedge_angle_deg, level.density.core_hu)
        if level.genant_grade is None:
            grade = "not graded"
        else:
            shape = "" if level.genant_shape.value == "none" else f" {level.genant_shape.value}"
            grade = _GRADES[level.genant_grade] + shape + ("" if level.grade_is_certain else " (?)")
        table.add_row(name, *(_cell(number, 1) for number in numbers), *(_cell(n, 0) for n in rest), grade)
    Console().print(table)
    for level in assessment.levels.values():
        if level.genant_grade is None or level.genant_grade > 0 or level.findings:
            Console().print(level.summary, markup=False, highlight=False, soft_wrap=True)


def _cell(estimate: Estimate, decimals: int) -> str:
    if estimate.value is None:
        return "–"
    return f"{estimate.value:.{decimals}f}"


def show_findings(findings: Iterable[Finding]) -> None:
    """One line for each finding, on standard error."""
    for item in findings:
        where = f" [{item.where}]" if item.where else ""
        say(f"{_MARKS[item.severity.value]}{where}: {item.message}")
