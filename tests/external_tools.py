"""Programs that some tests need and that pip cannot install.

A laptop without them skips those tests with a sentence that says how to get them; on CI, which
installs them, a missing one is a failure, so that no check vanishes unseen.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def require_tool(name: str, how_to_install: str) -> Path:
    """The path of a program, or a skip (a failure where ``CI`` is set) that says how to get it.

    >>> require_tool("sh", "apt-get install dash").name
    'sh'
    """
    found = shutil.which(name)
    if found is not None:
        return Path(found)
    sentence = f"This test needs the program {name}; install it with: {how_to_install}"
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(sentence)
    pytest.fail(sentence)
