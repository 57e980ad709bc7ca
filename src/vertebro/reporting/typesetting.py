"""The one door to typst: sources in memory in, PDF or PNG bytes out, no network, no clock."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def typeset(sources: Mapping[str, bytes], **options: Any) -> bytes:
    """Set ``main.typ`` among ``sources`` (file name to bytes).

    Parameters
    ----------
    sources : mapping of str to bytes
    options
        ``format``, ``ppi`` and ``pdf_standards`` of :func:`typst.compile`.
    """
    import typst  # noqa: PLC0415 - only when something is set

    result = typst.compile(dict(sources), font_paths=font_folders(), timestamp=0, **options)
    assert isinstance(result, bytes)
    return result


def font_folders() -> list[str]:
    """Where DejaVu Sans lies: matplotlib's wheel carries it, so that figures look alike everywhere.

    The text's own font comes with typst. A name in a script that neither has falls back to the
    fonts of the machine.
    """
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        return []
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    return [str(folder)] if folder.is_dir() else []
