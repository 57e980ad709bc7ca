"""Values of a DICOM data set as plain text and finite numbers, whatever stands there.

Absent, empty, several where one is expected, not a number, not even parseable: each has one answer
here, so that no reader further up needs to think of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vertebro.io.untrusted import PARSE_ERRORS, toolkit_errors

if TYPE_CHECKING:
    from pydicom import Dataset

MAX_TEXT = 256
"""Characters kept of a text (DICOM's own limit for such values is 64)."""


def value_of(dataset: Dataset, keyword: str) -> object:
    """The value as pydicom gives it; ``None`` if absent or unreadable (elements convert when used)."""
    try:
        value: object = dataset.get(keyword)
    except (*PARSE_ERRORS, *toolkit_errors()):
        return None
    return value


def text(dataset: Dataset, keyword: str) -> str:
    """A text value without padding; only the first of several; empty if there is none."""
    value = value_of(dataset, keyword)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        value = value[0] if len(value) else None
    if value is None:
        return ""
    plain = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    return "".join(letter for letter in plain[:MAX_TEXT] if letter.isprintable()).strip()


def number(dataset: Dataset, keyword: str) -> float | None:
    """A finite number, or ``None``."""
    try:
        result = float(text(dataset, keyword))
    except ValueError:
        return None
    return result if math.isfinite(result) else None


def numbers(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` finite numbers, or ``None``."""
    value = value_of(dataset, keyword)
    if not isinstance(value, Sequence) or isinstance(value, str | bytes) or len(value) != count:
        return None
    try:
        results = tuple(float(item) for item in value)
    except (TypeError, ValueError):
        return None
    return results if all(math.isfinite(result) for result in results) else None


def whole(dataset: Dataset, keyword: str, default: int) -> int:
    """A whole number, or the default."""
    result = number(dataset, keyword)
    return default if result is None else int(result)


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """All text values."""
    value = value_of(dataset, keyword)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(str(item).strip() for item in value)
    return (str(value).strip(),) if value else ()


def items(dataset: Dataset | None, keyword: str) -> Sequence[Dataset]:
    """The items of a sequence; none if it is absent or unreadable."""
    value = None if dataset is None else value_of(dataset, keyword)
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else ()


def first_item(dataset: Dataset | None, keyword: str) -> Dataset | None:
    """The first item of a sequence, or ``None``."""
    found = items(dataset, keyword)
    return found[0] if len(found) else None
