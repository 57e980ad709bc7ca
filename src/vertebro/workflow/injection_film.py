"""The film of an injection: AP and lateral fluoroscopy side by side while the cement goes in.

The needles are steel, the cement carries its product's contrast, the anatomy is the patient's CT; the
physics are those of every simulated view. Grain is drawn from a seed, so that a film repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vertebro.case import Assessment, LevelInjection, LevelPlan, Picture
from vertebro.devices.cements import load_cement
from vertebro.fluoroscopy import (
    Anatomy,
    Fill,
    FluoroscopySettings,
    Instrument,
    LiveView,
    Substance,
    barium_cement,
    zirconia_cement,
)
from vertebro.workflow.view_poses import frontal_pose, lateral_pose, needle_rod

HALF_WIDTH_MM = 48.0
"""Half the width of each picture at the isocentre: the level with its neighbours."""
FRAME_MS = 350
LAST_FRAME_MS = 2500
_MARGIN_PX = 4


def cement_substance(product: str) -> Substance:
    """What a product's cement is to X-rays.

    Examples
    --------
    >>> cement_substance("generic").name
    'cement'
    """
    cement = load_cement(product)
    share = cement.opacifier_mass_fraction.value
    return zirconia_cement(share) if cement.opacifier == "zirconium_dioxide" else barium_cement(share)


def film_frames(
    anatomy: Anatomy,
    assessment: Assessment,
    plan: LevelPlan | None,
    injection: LevelInjection,
    settings: FluoroscopySettings,
    seed: int,
) -> list[NDArray[np.uint8]]:
    """(rows, columns) pictures, AP on the left and lateral on the right, one for each kept moment."""
    level = assessment.levels[injection.name]
    sides = {needle.side for needle in injection.needles}
    paths = [path for path in plan.needles if path.side.value in sides] if plan else []
    rods = [needle_rod(path) for path in paths]
    substance = cement_substance(injection.product)
    views = [
        LiveView(anatomy, pose, settings, rng=np.random.default_rng((seed, number)))
        for number, pose in enumerate((frontal_pose(level), lateral_pose(level)))
    ]
    centre = level.lps_from_vertebra[:3, 3]
    frames = [_pair(views, rods, centre, f"{injection.name}   0.0 mL   0 s")]
    for frame in injection.frames:
        fill = Fill(
            np.asarray(frame.fraction.values), frame.fraction.geometry.lps_from_voxel.copy(), substance
        )
        text = f"{injection.name}   {frame.injected_ml:.1f} mL   {frame.time_s:.0f} s"
        frames.append(_pair(views, [*rods, fill], centre, text))
    return frames


def write_film(path: str | Path, frames: list[NDArray[np.uint8]]) -> None:
    """Write pictures as an animated GIF; the same pictures give the same bytes."""
    images = [Image.fromarray(frame) for frame in frames]
    durations = [FRAME_MS] * (len(images) - 1) + [LAST_FRAME_MS]
    images[0].save(
        path, "GIF", save_all=True, append_images=images[1:], duration=durations, loop=0, optimize=False
    )


def _pair(
    views: list[LiveView], instruments: Sequence[Instrument], centre: NDArray[np.float64], text: str
) -> NDArray[np.uint8]:
    halves = []
    for view, name in zip(views, ("AP", "lateral"), strict=True):
        projection = view.projection
        whole = Picture(view.frame(instruments), projection.beam.projection_matrix())
        plane = projection.plane
        pixel_mm = projection.pixel_mm * plane.source_isocentre_mm / plane.source_detector_mm
        column, row = whole.project(centre)
        part = whole.cropped((float(column), float(row)), round(HALF_WIDTH_MM / pixel_mm))
        halves.append(_named(part.pixels, name))
    gap = np.zeros((halves[0].shape[0], _MARGIN_PX), np.uint8)
    both = np.hstack([halves[0], gap, halves[1]])
    return _named(both, text, bottom=True)


def _named(picture: NDArray[np.uint8], text: str, *, bottom: bool = False) -> NDArray[np.uint8]:
    image = Image.fromarray(np.ascontiguousarray(picture))
    draw = ImageDraw.Draw(image)
    place = (6, image.height - 16) if bottom else (6, 4)
    draw.text(place, text, fill=255, stroke_width=1, stroke_fill=0)
    return np.asarray(image)
