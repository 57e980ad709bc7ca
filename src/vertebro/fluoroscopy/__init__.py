"""Simulated fluoroscopy: what a C-arm would show of this patient, from any side, live.

Frames: world LPS mm; image (column, row) with whole numbers at pixel centres, row 0 on top.
"""

from vertebro.fluoroscopy.dose import AlertLevel, DoseTally, alert_levels
from vertebro.fluoroscopy.instruments import (
    Ellipsoid,
    Fill,
    Instrument,
    Rod,
    Substance,
    balloon_contrast,
    barium_cement,
    steel,
    zirconia_cement,
)
from vertebro.fluoroscopy.live import LivePair, LiveView
from vertebro.fluoroscopy.pose_geometry import cone_beam, image_axes, triangulate
from vertebro.fluoroscopy.render import render_view
from vertebro.fluoroscopy.settings import BeamModel, BeamSettings, DisplaySettings, FluoroscopySettings
from vertebro.fluoroscopy.tissue import Anatomy, prepare_anatomy

__all__ = [
    "AlertLevel",
    "Anatomy",
    "BeamModel",
    "BeamSettings",
    "DisplaySettings",
    "DoseTally",
    "Ellipsoid",
    "Fill",
    "FluoroscopySettings",
    "Instrument",
    "LivePair",
    "LiveView",
    "Rod",
    "Substance",
    "alert_levels",
    "balloon_contrast",
    "barium_cement",
    "cone_beam",
    "image_axes",
    "prepare_anatomy",
    "render_view",
    "steel",
    "triangulate",
    "zirconia_cement",
]
