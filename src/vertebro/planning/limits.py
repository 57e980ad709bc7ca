"""The hard limits of a path, in words: which it breaks, and by how much.

Frame: the vertebra's (right, anterior, superior), mm, suffix ``_v``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.planning.settings import AccessSettings

_WALLS = ("medial", "lateral", "superior", "inferior")
_ENTERED = {"canal": "the canal", "foramen": "the opening of a nerve beside the pedicle"}
_TIP_NEIGHBOURS = {
    "superior_endplate": "the upper endplate",
    "inferior_endplate": "the lower endplate",
    "cleft": "the wall of the gas cleft",
}
_ROUNDING_MM = 0.05
"""Less than can be said in a tenth of a millimetre is no breach of a limit that the search sought out."""


def tip_shortfall_mm(
    margins: Mapping[str, float | None], settings: AccessSettings, reserve_mm: float = 0.0
) -> dict[str, float]:
    """How much a tip lacks of what it must keep from endplates and cleft walls; only what it lacks.

    With a reserve, how much it lacks of the limits and so much more.

    Examples
    --------
    >>> short = tip_shortfall_mm({"superior_endplate": 0.25, "cleft": None}, AccessSettings())
    >>> short
    {'superior_endplate': 0.75}
    """
    limits = {
        "superior_endplate": settings.endplate_margin_mm,
        "inferior_endplate": settings.endplate_margin_mm,
        "cleft": settings.cleft_margin_mm,
    }
    return {
        name: limit + reserve_mm - value
        for name, limit in limits.items()
        if (value := margins.get(name)) is not None and value < limit + reserve_mm
    }


@dataclass(frozen=True, eq=False, slots=True)
class TipPlace:
    """Where a tip lies in its body, from the back wall at mid-height in the midline."""

    tip_v: NDArray[np.float64]
    back_mm: float
    depth_mm: float
    """From the back to the front wall."""

    @property
    def fraction(self) -> float:
        """Share of the body's depth: 0 at the back wall, 1 at the front wall."""
        return (float(self.tip_v[1]) - self.back_mm) / self.depth_mm


def broken_limits(
    margins: Mapping[str, float | None], place: TipPlace, neighbour_mm: float, settings: AccessSettings
) -> tuple[str, ...]:
    """Hard limits that a path breaks, whoever proposed it.

    Parameters
    ----------
    margins : mapping
        As in :attr:`~vertebro.case.NeedlePath.margins_mm`.
    place : TipPlace
    neighbour_mm : float
        Way of the axis through other labelled bones before the entry.
    settings : AccessSettings

    Returns
    -------
    tuple of str
        Each says by how much; empty for a path that may be used.
    """
    texts = [
        f"the cannula breaks the {name} wall by {-value:.1f} mm"
        for name in _WALLS
        if (value := margins[name]) is not None and value < 0.0
    ]
    texts += [
        f"the cannula enters {place_name} by {-value:.1f} mm"
        for name, place_name in _ENTERED.items()
        if (value := margins.get(name)) is not None and value < 0.0
    ]
    texts += _broken_by_tip(margins, place, settings)
    if neighbour_mm > settings.neighbour_crossing_mm:
        texts.append(f"the way to the bone crosses {neighbour_mm:.0f} mm of a neighbouring bone")
    return tuple(texts)


def _broken_by_tip(
    margins: Mapping[str, float | None], place: TipPlace, settings: AccessSettings
) -> list[str]:
    texts = []
    ahead = margins["anterior_wall"]
    if ahead is None or ahead < settings.anterior_wall_margin_mm:
        short = settings.anterior_wall_margin_mm - (ahead or 0.0)
        texts.append(f"the tip is {short:.1f} mm too near the anterior wall")
    texts += [
        f"the tip is {short:.1f} mm too near {_TIP_NEIGHBOURS[name]}"
        for name, short in tip_shortfall_mm(margins, settings).items()
        if short > _ROUNDING_MM
    ]
    if place.fraction < 0.0:
        texts.append("the tip lies behind the body")
    beyond_mm = (place.fraction - settings.deepest_fraction) * place.depth_mm
    if beyond_mm > _ROUNDING_MM:
        share = 100.0 * settings.deepest_fraction
        texts.append(
            f"the tip lies {beyond_mm:.1f} mm further forward than {share:.0f} % of the body's depth"
        )
    return texts


def short_of_midline(lateral_mm: float, place: TipPlace, settings: AccessSettings) -> str:
    """What keeps a tip from filling a body alone; empty where it reaches the midline's anterior third.

    Parameters
    ----------
    lateral_mm : float
        Distance of the tip from the midline on the needle's own side; negative beyond it.
    place : TipPlace
    settings : AccessSettings
    """
    aside = abs(lateral_mm) - settings.unipedicular_offset_mm
    behind = (settings.anterior_third_fraction - place.fraction) * place.depth_mm
    texts = []
    if aside > _ROUNDING_MM:
        texts.append(f"stays {abs(lateral_mm):.1f} mm beside the midline, {aside:.1f} mm too far")
    if behind > _ROUNDING_MM:
        texts.append(f"stays {behind:.1f} mm behind the anterior third")
    return " and ".join(texts)
