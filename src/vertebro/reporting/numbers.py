"""Numbers as a reader sees them: rounded to what was measured, with unit and interval."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from vertebro.case import Estimate
from vertebro.reporting.content import NumberText

_DISPLAY: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        "mm": ("\u00a0mm", 1),
        "deg": ("°", 1),
        "percent": ("\u00a0%", 0),
        "hu": ("\u00a0HU", 0),
        "ml": ("\u00a0mL", 1),
        "mg/cc": ("\u00a0mg/cm³", 0),
        "mg_cc": ("\u00a0mg/cm³", 0),
    }
)
"""How a unit is written and how many decimals its numbers get."""


def plain_number(value: float, decimals: int) -> str:
    """A number with a true minus sign and no negative zero.

    Examples
    --------
    >>> plain_number(-0.04, 1), plain_number(-3.25, 1)
    ('0.0', '−3.2')
    """
    text = f"{value:.{decimals}f}"
    if float(text) == 0.0:
        text = text.lstrip("-")
    return text.replace("-", "\u2212")


def number_text(estimate: Estimate, *, missing: str, note: int = 0) -> NumberText:
    r"""An estimate in words.

    Parameters
    ----------
    estimate : Estimate
    missing : str
        What stands in place of a value that could not be had.
    note : int
        Number of the note that holds its basis.

    Examples
    --------
    >>> text = number_text(Estimate(18.24, 17.6, 18.8, "mm", "fit"), missing="not measured")
    >>> text.value.replace("\u00a0", " "), text.interval
    ('18.2 mm', '17.6–18.8')
    """
    if estimate.value is None or estimate.lower is None or estimate.upper is None:
        return NumberText(missing, "", estimate.basis, is_known=False, note=note)
    suffix, decimals = _DISPLAY.get(estimate.unit.lower(), (f"\u00a0{estimate.unit}", 1))
    interval = range_text(estimate.lower, estimate.upper, decimals)
    value = plain_number(estimate.value, decimals) + suffix
    return NumberText(value, interval, estimate.basis, is_known=True, note=note)


def range_text(lower: float, upper: float, decimals: int) -> str:
    """An interval; written with "to" where a minus sign would be taken for a dash.

    Examples
    --------
    >>> range_text(1.0, 2.0, 1), range_text(-1.0, 2.0, 1)
    ('1.0–2.0', '−1.0 to 2.0')
    """
    low, high = plain_number(lower, decimals), plain_number(upper, decimals)
    return f"{low} to {high}" if "\u2212" in low + high else f"{low}–{high}"


def with_interval(number: NumberText) -> str:
    """The value and its interval in one breath."""
    return f"{number.value} ({number.interval})" if number.interval else number.value


def date_text(dicom_date: str) -> str:
    """A DICOM date as an ISO date, or as it is where it is no date.

    Examples
    --------
    >>> date_text("19500302"), date_text("about 1950")
    ('1950-03-02', 'about 1950')
    """
    if len(dicom_date) == 8 and dicom_date.isdigit():
        return f"{dicom_date[:4]}-{dicom_date[4:6]}-{dicom_date[6:]}"
    return dicom_date


def person_text(dicom_name: str) -> str:
    """A DICOM person name as people write it in lists: family name, given names.

    Examples
    --------
    >>> person_text("Doe^Jane^Mary^Dr")
    'Doe, Jane Mary'
    """
    alphabetic = dicom_name.split("=", maxsplit=1)[0] or dicom_name.strip("=")
    parts = [part.strip() for part in alphabetic.split("^")]
    family, given = parts[0], " ".join(part for part in parts[1:3] if part)
    return ", ".join(part for part in (family, given) if part)
