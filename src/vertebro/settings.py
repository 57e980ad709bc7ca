"""Settings: frozen dataclasses whose every field carries its unit, range and source.

Declare a field with :func:`setting`, call :func:`validate` in ``__post_init__``, and write the whole
object to the manifest with :func:`to_json`. The reference page of all settings is made from this
metadata.
"""

from __future__ import annotations

from dataclasses import field, fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from vertebro.errors import SettingsError, require_range

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def setting(
    default: Any,
    doc: str,
    *,
    lower: float | None = None,
    upper: float | None = None,
    unit: str = "",
    source: str = "",
) -> Any:
    """Declare a settings field with its documentation, allowed range, unit and source.

    Parameters
    ----------
    default : immutable value
    doc : str
        One plain sentence.
    lower, upper : float, optional
        Closed range of a numeric setting (of each entry, for a tuple of numbers).
    unit : str
        ``"mm"``, ``"hu"``, ``"percent"``, …
    source : str
        Where the number comes from: a citation, or ``"assumed"`` with the reason.
    """
    return field(
        default=default,
        metadata={"doc": doc, "lower": lower, "upper": upper, "unit": unit, "source": source},
    )


def validate(settings: DataclassInstance) -> None:
    """Check every declared range.

    Raises
    ------
    SettingsError
        For the first field outside its range (``settings.range``).
    """
    for item in fields(settings):
        lower, upper = item.metadata.get("lower"), item.metadata.get("upper")
        if lower is None and upper is None:
            continue
        value = getattr(settings, item.name)
        for number in value if isinstance(value, tuple) else (value,):
            if number is None:
                continue
            require_range(
                item.name,
                number,
                float("-inf") if lower is None else lower,
                float("inf") if upper is None else upper,
                unit=item.metadata.get("unit", ""),
            )


def to_json(settings: DataclassInstance) -> dict[str, object]:
    """All values of a settings object as JSON-ready data, nested settings included."""

    def plain(value: object) -> object:
        if is_dataclass(value) and not isinstance(value, type):
            return to_json(value)
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, tuple | list):
            return [plain(entry) for entry in value]
        if isinstance(value, dict):
            return {str(key): plain(entry) for key, entry in value.items()}
        if value is None or isinstance(value, str | int | float | bool):
            return value
        raise SettingsError(
            "settings.type",
            got=f"a setting of type {type(value).__name__}",
            needed="numbers, text, enums, tuples or nested settings",
            remedy="Use a plain type for the field.",
        )

    return {item.name: plain(getattr(settings, item.name)) for item in fields(settings)}
