"""How sure an outline is, from what it was found with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vertebro.segmentation.body_surface import BodySurface
from vertebro.segmentation.disc_planes import DiscPlane
from vertebro.segmentation.surroundings import metal_share
from vertebro.segmentation.working_grid import WorkingImage

WEAK_EDGE = 0.35
"""Fall of CT values across the surface, of the level's usual one, below which a place is not seen."""


@dataclass(frozen=True, eq=False, slots=True)
class LevelQuality:
    """Confidence of one level and what it rests on."""

    confidence: float
    facts: Mapping[str, float]
    reason: str


def level_quality(image: WorkingImage, body: BodySurface, discs: tuple[DiscPlane, DiscPlane]) -> LevelQuality:
    """Judge one outlined level.

    Parameters
    ----------
    image : WorkingImage
    body : BodySurface
    discs : (DiscPlane, DiscPlane)
        Below and above it.

    Returns
    -------
    LevelQuality
    """
    weak = float((body.edge < WEAK_EDGE).mean())
    disc = float(min(disc.strength for disc in discs))
    frame = body.frame
    size = 2.0 * frame.half_height_mm / frame.expected_mm
    metal = metal_share(image, body)
    facts = {
        "weak_edge_share": weak,
        "weaker_disc": disc,
        "height_over_usual": float(size),
        "metal_share": metal,
    }
    terms = {
        "much of its surface shows no edge": 4.0 * max(weak - 0.3, 0.0) * 2.0,
        "a disc beside it is hardly seen": 0.6 * max(1.0 - disc, 0.0) if disc > -5.0 else 0.5,
        "its height is unusual": 2.0 * max(abs(float(np.log(size))) - 0.25, 0.0),
        "there is metal": 20.0 * metal,
    }
    worst = max(terms, key=lambda name: terms[name])
    confidence = float(np.exp(-0.5 * sum(terms.values())))
    return LevelQuality(confidence, facts, worst)
