"""What the fracture has pressed down, and how freely it still moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.balloon.body import BodyField
from vertebro.balloon.lift import Resistance
from vertebro.balloon.settings import BalloonSettings
from vertebro.case import ClinicalContext, LevelAssessment, Mobility

_PLACES = (0.05, 0.5, 0.95)
"""Posterior, middle and anterior height, as shares of the depth from the back wall."""


@dataclass(frozen=True, eq=False, slots=True)
class Fracture:
    """Height lost, mobility, and what that means for the lift."""

    deficits_mm: NDArray[np.float64]
    """(3,): posterior, middle, anterior; 0 where nothing is lost."""
    is_known: bool
    """Whether measured and expected heights are."""
    mobility: Mobility
    healed: tuple[float, float, float]
    """Share of healing believed, at the least and at the most: 0 for freely mobile, 1 for healed."""
    back_mm: float
    depth_mm: float
    area_mm2: float
    strength_mpa: float
    """Mean strength of the unbroken bone that healing would have put back."""

    def deficit_at(self, points_v: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,): height lost at places (n, 3) in the vertebra's frame, mm."""
        share = (points_v[:, 1] - self.back_mm) / max(self.depth_mm, 1e-6)
        return np.interp(share, _PLACES, self.deficits_mm)

    def resistance(
        self,
        settings: BalloonSettings,
        *,
        healed: float,
        stiffness: float = 1.0,
        load: float = 1.0,
        strength: float = 1.0,
    ) -> Resistance:
        """What holds the endplates down, its parts scaled."""
        mean = float(self.deficits_mm.mean())
        square = float((self.deficits_mm**2).mean())
        bone_n = healed * self.strength_mpa * self.area_mm2
        return Resistance(
            constant_n_mm=(settings.preload_n * load + bone_n) * mean,
            rising_n_mm=settings.lift_stiffness_n_mm * stiffness * square,
            strength_scale=strength,
        )


def read_fracture(
    level: LevelAssessment, body: BodyField, context: ClinicalContext, settings: BalloonSettings
) -> Fracture:
    """The fracture as assessment and clinician describe it."""
    deficits, known = [], True
    for name in ("posterior", "middle", "anterior"):
        expected = getattr(level.expected_heights_mm, name).value
        measured = getattr(level.heights_mm, name).value
        known &= expected is not None and measured is not None
        deficits.append(max((expected or 0.0) - (measured or 0.0), 0.0) if expected and measured else 0.0)
    mobility, healed = fracture_mobility(context.fracture_age_days, bool(level.cleft.present), settings)
    return Fracture(
        deficits_mm=np.array(deficits),
        is_known=known,
        mobility=mobility,
        healed=healed,
        back_mm=body.back_mm,
        depth_mm=body.depth_mm,
        area_mm2=body.area_mm2,
        strength_mpa=float(np.average(body.strength_mpa, weights=body.room)),
    )


def fracture_mobility(
    age_days: float | None, has_cleft: bool, settings: BalloonSettings
) -> tuple[Mobility, tuple[float, float, float]]:
    """Whether the parts still move, and how much healing is believed: best estimate, least and most.

    Examples
    --------
    >>> fracture_mobility(14.0, False, BalloonSettings())[0].value
    'mobile'
    >>> fracture_mobility(None, False, BalloonSettings())
    (<Mobility.UNKNOWN: 'unknown'>, (0.0, 0.0, 1.0))
    """
    if has_cleft:
        return Mobility.MOBILE, (0.0, 0.0, 0.0)
    if age_days is None:
        return Mobility.UNKNOWN, (0.0, 0.0, 1.0)
    span = max(settings.healed_days - settings.mobile_days, 1.0)
    healed = float(np.clip((age_days - settings.mobile_days) / span, 0.0, 1.0))
    if healed <= 0.0:
        return Mobility.MOBILE, (0.0, 0.0, 0.0)
    if healed >= 1.0:
        return Mobility.HEALED, (1.0, 0.3, 1.0)
    return Mobility.STIFFENING, (healed, 0.0, 1.0)
