"""Adding up a procedure's dose proxies, and saying when a level is reached.

Levels are data (``dose_alerts.toml``), with their source. They concern the operator's attention and
follow-up; they are not limits.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

from vertebro.case import Finding, ViewDose, finding


@dataclass(frozen=True, slots=True)
class AlertLevel:
    """When to speak up about one quantity."""

    quantity: str
    """``"fluoroscopy_time"``, ``"air_kerma"`` or ``"kerma_area"``."""
    unit: str
    first: float
    step: float
    """Spacing of further notices after the first."""
    follow_up: float
    """Above this the patient's skin is followed up."""
    source: str


@cache
def alert_levels() -> Mapping[str, AlertLevel]:
    """The notice levels by quantity.

    Examples
    --------
    >>> alert_levels()["air_kerma"].first
    3000.0
    """
    text = resources.files("vertebro.fluoroscopy").joinpath("dose_alerts.toml").read_text(encoding="utf-8")
    return {
        name: AlertLevel(
            quantity=name,
            unit=row["unit"],
            first=float(row["first"]),
            step=float(row["step"]),
            follow_up=float(row["follow_up"]),
            source=row["source"],
        )
        for name, row in tomllib.loads(text).items()
    }


@dataclass(frozen=True, slots=True)
class DoseTally:
    """What a procedure has cost so far; both planes of a biplane suite added up.

    Examples
    --------
    >>> one = ViewDose(0.1, 0.02, 1.0, 80.0, 240.0)
    >>> DoseTally().after(one, seconds=2.0).fluoroscopy_time_s
    2.0
    """

    air_kerma_mgy: float = 0.0
    """Summed over planes at their reference points: an upper bound where their fields do not overlap."""
    kerma_area_gy_cm2: float = 0.0
    fluoroscopy_time_s: float = 0.0
    n_images: int = 0
    said: Mapping[str, int] = field(default_factory=dict)
    """How many notices have been given for each quantity."""

    def after(self, dose: ViewDose, *, seconds: float = 0.0, repeats: float = 1.0) -> DoseTally:
        """The tally after an image, or after ``repeats`` like it over ``seconds`` of fluoroscopy."""
        return replace(
            self,
            air_kerma_mgy=self.air_kerma_mgy + dose.air_kerma_mgy * repeats,
            kerma_area_gy_cm2=self.kerma_area_gy_cm2 + dose.kerma_area_gy_cm2 * repeats,
            fluoroscopy_time_s=self.fluoroscopy_time_s + seconds,
            n_images=self.n_images + 1,
        )

    def amount(self, quantity: str) -> float:
        """The sum of one quantity in its alert's unit."""
        amounts = {
            "fluoroscopy_time": self.fluoroscopy_time_s / 60.0,
            "air_kerma": self.air_kerma_mgy,
            "kerma_area": self.kerma_area_gy_cm2,
        }
        return amounts[quantity]

    def notices(self) -> tuple[DoseTally, tuple[Finding, ...]]:
        """Findings for levels passed since the last call, and the tally that remembers them."""
        said = dict(self.said)
        found: list[Finding] = []
        for name, level in alert_levels().items():
            amount = self.amount(name)
            passed = 0 if amount < level.first else 1 + int((amount - level.first) / level.step)
            if passed > said.get(name, 0):
                said[name] = passed
                found.append(
                    finding(
                        f"dose.{name}",
                        f"{name.replace('_', ' ').capitalize()} has reached {amount:.0f} {level.unit}.",
                        evidence={"amount": round(amount, 2), "unit": level.unit, "level": level.first},
                    )
                )
            if amount > level.follow_up and not said.get(f"{name}.follow_up"):
                said[f"{name}.follow_up"] = 1
                found.append(
                    finding(
                        "dose.follow_up",
                        f"{name.replace('_', ' ').capitalize()} of {amount:.0f} {level.unit}: follow up.",
                        evidence={"amount": round(amount, 2), "unit": level.unit, "level": level.follow_up},
                    )
                )
        return replace(self, said=said), tuple(found)
