"""Holding a dataclass read from a file against its own annotations, so that no later code is surprised."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def require_declared_types(noun: DataclassInstance) -> None:
    """Check that every field holds what its annotation says, the entries of tuples and maps included.

    A whole number will do for a float. Of an array, the kind of its numbers is checked, not its size.

    Raises
    ------
    TypeError
        For the first field that does not fit.

    Examples
    --------
    >>> from vertebro.case import Estimate
    >>> require_declared_types(Estimate(1.0, 0.5, 1.5, "mm", "a ruler"))
    """
    declared = _declared(type(noun))
    for item in fields(noun):
        if not _fits(getattr(noun, item.name), declared[item.name]):
            raise TypeError(f"{item.name} of {type(noun).__name__}")


@cache
def _declared(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: object, hint: Any) -> bool:
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in {types.UnionType, Union}:
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    if origin is np.ndarray:
        return isinstance(value, np.ndarray) and _fits_dtype(value, parts)
    if origin is tuple:
        return isinstance(value, tuple) and _fits_tuple(value, parts)
    if origin is not None and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(key, parts[0]) and _fits(entry, parts[1]) for key, entry in value.items()
        )
    if hint is float:
        return isinstance(value, float | int) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _fits_tuple(value: tuple[object, ...], parts: tuple[Any, ...]) -> bool:
    if len(parts) == 2 and parts[1] is Ellipsis:
        return all(_fits(entry, parts[0]) for entry in value)
    return len(value) == len(parts) and all(map(_fits, value, parts))


def _fits_dtype(value: np.ndarray[Any, Any], parts: tuple[Any, ...]) -> bool:
    wanted = get_args(parts[1])
    return not wanted or not isinstance(wanted[0], type) or np.issubdtype(value.dtype, wanted[0])
