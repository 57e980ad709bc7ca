"""Results as tables and lines on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vertebro.cli.console import say

if TYPE_CHECKING:
    from vertebro.case import Assessment, Estimate, Finding, LevelPlan, NeedlePath, TreatmentPlan

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


def show_plan(plan: TreatmentPlan) -> None:
    """The recommended paths in one table, then for each level what is advised and why."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("Level", "Side", "Way", "Size"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Med.", "Lat.", "Sup.", "Inf.", "Canal", "Front", "Axial", "Sag.", "Err"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Grade")
    for name, level in plan.levels.items():
        for path in level.paths:
            if path.recommended:
                table.add_row(name, *_path_cells(path))
    if table.row_count:
        console.print(table)
        console.print("Bone left beside the cannula and ahead of its tip in mm; inclination; error allowed.")
    for name, level in plan.levels.items():
        for line in _plan_lines(name, level):
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _path_cells(path: NeedlePath) -> list[str]:
    names = ("medial", "lateral", "superior", "inferior", "canal", "anterior_wall")
    margins = [path.margins_mm[name] for name in names]
    cells = [
        path.side.value,
        path.approach.value.removesuffix("pedicular"),
        path.device.removesuffix(" cannula"),
    ]
    cells += ["–" if value is None else f"{value:.1f}" for value in margins]
    cells += [f"{path.axial_angle_deg:.0f}°", f"{path.sagittal_angle_deg:.0f}°", f"{path.tolerance_mm:.1f}"]
    return [*cells, path.gertzbein_robbins]


def _plan_lines(name: str, level: LevelPlan) -> list[str]:
    cement = level.cement_ml
    amount = "" if cement.value is None else f" Cement {cement.lower:.1f} to {cement.upper:.1f} mL."
    lines = [
        f"{name}: {level.procedure.advice.value}. Access: {level.access}, {level.access_reason}.{amount}"
    ]
    lines += [f"   {reason.text} [{reason.source}]" for reason in level.procedure.reasons]
    lines += [f"   Needed: {text}" for text in level.procedure.still_needed]
    return lines + [f"   {_MARKS[item.severity.value]}: {item.message}" for item in level.findings]


def show_path(path: NeedlePath) -> None:
    """One path with all its numbers, one to a line."""
    from vertebro.cli.console import show

    verdict = "keeps to every limit" if path.recommended else "; ".join((*path.broken_limits, *path.traded))
    show(f"{path.side.value} {path.approach.value}, {path.device}: {verdict}")
    for name, value in path.margins_mm.items():
        show(f"  {name.replace('_', ' '):14} {'–' if value is None else f'{value:6.1f} mm'}")
    show(f"  {'grade':14} {path.gertzbein_robbins}")
    show(f"  {'inclination':14} {path.axial_angle_deg:.0f}° axial, {path.sagittal_angle_deg:.0f}° sagittal")
    show(f"  {'may err by':14} {path.tolerance_mm:.1f} mm, {path.tolerance_deg:.1f}°")
