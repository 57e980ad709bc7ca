"""Raising the load until the bone fails: the load-displacement curve and where it breaks."""

from __future__ import annotations

from vertebro.errors import SolverError
from vertebro.mechanics.settings import MechanicsSettings
from vertebro.mechanics.states import Curve, Pressed
from vertebro.progress import Progress, silent


def load_curve(pressed: Pressed, settings: MechanicsSettings, progress: Progress = silent) -> Curve:
    """The curve of one state."""
    raise SolverError("the load curve is not available")
