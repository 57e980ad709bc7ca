"""Balloon kyphoplasty: cavity, compacted rim, pressure against volume, height regained."""

from vertebro.balloon.inflate import balloon_levels, inflate_balloons
from vertebro.balloon.settings import BalloonSettings

__all__ = ["BalloonSettings", "balloon_levels", "inflate_balloons"]
