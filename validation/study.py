"""What a validation returns, and the page made from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Study:
    """The outcome of one comparison."""

    columns: tuple[str, ...]
    """Table heads, with units."""
    rows: Sequence[tuple[str, ...]]
    is_accepted: bool
    """Whether every result lies within the acceptance band."""
    verdict: str
    """One or two plain sentences: what agrees, what does not, why."""
    figures: tuple[tuple[str, str], ...] = ()
    """(file name beside the page, what it shows)."""
    method: str = ""
    """How it was done, so that a reader could do it again."""


def page(title: str, source: str, acceptance: str, study: Study) -> str:
    """The page of one validation, in Markdown.

    >>> study = Study(("quantity", "ours, mm"), [("height", "20.1")], True, "It agrees.")
    >>> print(page("Heights", "Author 2020", "within 0.5 mm", study).splitlines()[0])
    # Heights
    """
    parts = [
        f"# {title}",
        "<!-- Written by `make validate`; change validation/ instead. -->",
        f"**Compared with:** {source}",
        f"**Acceptance band:** {acceptance}",
        f"**Outcome:** {'within the band' if study.is_accepted else 'OUTSIDE the band'}. {study.verdict}",
    ]
    if study.method:
        parts.append(f"## Method\n\n{study.method}")
    parts.append("## Results\n\n" + _table(study.columns, study.rows))
    parts.extend(f"![{caption}]({name})\n\n*{caption}*" for name, caption in study.figures)
    return "\n\n".join(parts) + "\n"


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)
