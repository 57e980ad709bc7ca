"""Programs that tests need: found, skipped on a laptop, missed on CI."""

from __future__ import annotations

from pathlib import Path

import pytest

from external_tools import require_tool


def test_a_program_that_is_there_is_found() -> None:
    assert require_tool("sh", "apt-get install dash") == Path(require_tool("sh", "")).absolute()


def test_a_missing_program_skips_on_a_laptop_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match=r"needs the program no-such-tool; .*apt-get install it"):
        require_tool("no-such-tool", "apt-get install it")


def test_a_missing_program_fails_on_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="needs the program no-such-tool"):
        require_tool("no-such-tool", "apt-get install it")
