"""Progress and its parts."""

from __future__ import annotations

import pytest

from vertebro.errors import Cancelled
from vertebro.progress import scaled, silent


def test_silent_says_nothing() -> None:
    silent(0.5, "anything")


def test_parts_of_parts_map_onto_the_whole() -> None:
    seen: list[tuple[float, str]] = []
    second_half = scaled(lambda fraction, text: seen.append((fraction, text)), 0.5, 1.0)

    for fraction in (0.0, 0.5, 1.0):
        scaled(second_half, 0.0, 0.5)(fraction, "part")

    assert seen == [(0.5, "part"), (0.625, "part"), (0.75, "part")]


def test_a_wish_to_stop_comes_through() -> None:
    def stop(fraction: float, text: str) -> None:
        raise Cancelled(f"at {fraction}")

    with pytest.raises(Cancelled, match=r"at 0\.25"):
        scaled(stop, 0.0, 0.5)(0.5, "half of it")
