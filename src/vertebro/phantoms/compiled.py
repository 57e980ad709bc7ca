"""Numba's compiler with types that a type checker can follow.

Compiled code is kept beside the sources. Numba does not notice when a function *called* from another
file changes: after editing a kernel, remove ``__pycache__/*.nb?`` of this package.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a kernel on first use and keep it on disk."""
    return cast("Callable[Arguments, Result]", njit(cache=True)(function))


def compiled_parallel(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a kernel whose ``prange`` loops run on all cores; each voxel is independent of the others."""
    return cast("Callable[Arguments, Result]", njit(cache=True, parallel=True)(function))
