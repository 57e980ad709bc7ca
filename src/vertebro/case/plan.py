"""The plan of a treatment: which procedure and why, which needle paths, how much cement.

World frame LPS, millimetres. Sides are the patient's. Angles are given twice where two people read
them differently: in the vertebra's own frame (for the needle) and as C-arm angles (for the view).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vertebro.case.estimate import Estimate
from vertebro.findings import Finding

MARGINS_AROUND = ("medial", "lateral", "superior", "inferior", "canal", "foramen")
"""Margins along a cannula's way, in :attr:`NeedlePath.margins_mm`."""
MARGINS_OF_TIP = ("anterior_wall", "superior_endplate", "inferior_endplate", "cleft")
"""Margins of its tip alone."""


class Side(StrEnum):
    """The patient's side."""

    LEFT = "left"
    RIGHT = "right"


class Approach(StrEnum):
    """How the needle reaches the body."""

    TRANSPEDICULAR = "transpedicular"
    """Through the pedicle."""
    PARAPEDICULAR = "parapedicular"
    """Along the pedicle's lateral wall (thoracic: between rib and transverse process)."""


class ProcedureAdviceKind(StrEnum):
    """What the reasons point to. Advice, never a decision."""

    VERTEBROPLASTY = "vertebroplasty"
    KYPHOPLASTY = "kyphoplasty"
    EITHER = "either"
    NEITHER = "neither"
    UNDETERMINED = "undetermined"
    """A needed fact is missing: nothing is recommended."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for or against a procedure, with its source."""

    points_to: str
    """``"vertebroplasty"``, ``"kyphoplasty"``, ``"either"``, ``"neither"`` or ``"ask"``."""
    text: str
    source: str

    def to_json(self) -> dict[str, object]:
        """The reason as JSON-ready data."""
        return {"points_to": self.points_to, "text": self.text, "source": self.source}


@dataclass(frozen=True, slots=True)
class ProcedureAdvice:
    """Vertebroplasty, balloon kyphoplasty, either or neither, with every reason."""

    advice: ProcedureAdviceKind
    reasons: tuple[Reason, ...]
    still_needed: tuple[str, ...] = ()
    """Facts that would settle or change the advice."""

    def to_json(self) -> dict[str, object]:
        """The advice as JSON-ready data."""
        return {
            "advice": self.advice.value,
            "reasons": [reason.to_json() for reason in self.reasons],
            "still_needed": list(self.still_needed),
        }


@dataclass(frozen=True, slots=True)
class ClinicalContext:
    """What the images cannot tell. None where nobody has said."""

    fracture_age_days: float | None = None
    oedema_levels: tuple[str, ...] | None = None
    """Levels with marrow oedema on STIR, or uptake on a bone scan; empty where none has any."""
    is_tumour: bool | None = None
    is_infected: bool | None = None
    has_neurological_deficit: bool | None = None
    pain_nrs: float | None = None
    """0 to 10."""
    has_failed_conservative_care: bool | None = None

    def has_oedema(self, level: str) -> bool | None:
        """Whether a level has marrow oedema; None where nobody has said.

        Examples
        --------
        >>> context = ClinicalContext(oedema_levels=("L1",))
        >>> context.has_oedema("L1"), context.has_oedema("L2"), ClinicalContext().has_oedema("L1")
        (True, False, None)
        """
        return None if self.oedema_levels is None else level in self.oedema_levels

    def to_json(self) -> dict[str, object]:
        """The context as JSON-ready data."""
        content = {item.name: getattr(self, item.name) for item in fields(self)}
        return content | {"oedema_levels": None if self.oedema_levels is None else list(self.oedema_levels)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ClinicalContext:
        """The context that :meth:`to_json` gave; unknown names are left out.

        Examples
        --------
        >>> context = ClinicalContext(fracture_age_days=21.0, oedema_levels=())
        >>> ClinicalContext.from_json(context.to_json()) == context
        True
        """
        known = {item.name: stored.get(item.name) for item in fields(cls)}
        levels = known["oedema_levels"]
        return cls(**(known | {"oedema_levels": None if levels is None else tuple(levels)}))


@dataclass(frozen=True, eq=False, slots=True)
class NeedlePath:
    """One straight path, judged: whoever proposed it."""

    side: Side
    approach: Approach
    device: str
    access: str
    """``"unipedicular"``: one needle that reaches the midline; ``"bipedicular"``: one of two."""
    recommended: bool
    entry_skin_lps_mm: NDArray[np.float64] | None
    """None where the skin lies outside the scan."""
    entry_bone_lps_mm: NDArray[np.float64]
    isthmus_lps_mm: NDArray[np.float64]
    """Where the axis crosses the pedicle's narrowest section."""
    target_lps_mm: NDArray[np.float64]
    """Where the tip comes to lie."""
    margins_mm: Mapping[str, float | None]
    """Bone left between the cannula's **surface** and each neighbour, at the least, mm.

    Along its way: ``medial``, ``lateral``, ``superior``, ``inferior`` walls, ``canal``, ``foramen``
    (the nerves' openings above and below the pedicle). From the tip: ``anterior_wall``,
    ``superior_endplate``, ``inferior_endplate``, and ``cleft``, the wall of a gas cleft from either side.
    Negative: broken through by so much. None: not met.
    """
    tightest: str
    """The neighbour with the smallest margin."""
    tightest_lps_mm: NDArray[np.float64]
    """Where on the axis that is."""
    gertzbein_robbins: str
    """A (no breach) to E (6 mm or more), of the whole cannula against bone."""
    axial_angle_deg: float
    """Inclination to the midline in the vertebra's axial plane; positive when the tip leads medially."""
    sagittal_angle_deg: float
    """Inclination in its sagittal plane; positive when the tip leads to caudal."""
    end_on_view_deg: tuple[float, float]
    """C-arm angles to look down the needle: (LAO positive / RAO negative, CRA positive / CAU negative).

    With the detector in front of the patient, at the far end of the line; behind the patient the same
    line reads 180° more and the opposite.
    """
    length_tissue_mm: float | None
    """Skin to bone; None where the skin lies outside the scan."""
    length_bone_mm: float
    tolerance_deg: float
    """How far the direction may err about the bone entry before a hard limit is broken."""
    tolerance_mm: float
    """How far the entry may err sideways before a hard limit is broken."""
    pedicle_width_mm: float
    pedicle_height_mm: float
    score: float
    """Cost of the soft wishes; smaller is better. For ranking only."""
    traded: tuple[str, ...] = ()
    """What was given up, in words."""
    broken_limits: tuple[str, ...] = ()
    """Hard limits that the path breaks, each with by how much; empty for a path that may be recommended."""

    @property
    def least_margin_mm(self) -> float:
        """The smallest margin along the cannula's way, those of the tip left aside; 0 where none is known."""
        known = (self.margins_mm.get(name) for name in MARGINS_AROUND)
        return min((value for value in known if value is not None), default=0.0)

    def to_json(self) -> dict[str, object]:
        """The path as JSON-ready data."""
        return {
            "side": self.side.value,
            "approach": self.approach.value,
            "device": self.device,
            "access": self.access,
            "recommended": self.recommended,
            "entry_skin_lps_mm": _point(self.entry_skin_lps_mm),
            "entry_bone_lps_mm": _point(self.entry_bone_lps_mm),
            "isthmus_lps_mm": _point(self.isthmus_lps_mm),
            "target_lps_mm": _point(self.target_lps_mm),
            "margins_mm": {name: _number(value) for name, value in self.margins_mm.items()},
            "tightest": self.tightest,
            "tightest_lps_mm": _point(self.tightest_lps_mm),
            "gertzbein_robbins": self.gertzbein_robbins,
            "axial_angle_deg": _number(self.axial_angle_deg),
            "sagittal_angle_deg": _number(self.sagittal_angle_deg),
            "end_on_view_deg": [_number(angle) for angle in self.end_on_view_deg],
            "length_tissue_mm": _number(self.length_tissue_mm),
            "length_bone_mm": _number(self.length_bone_mm),
            "tolerance_deg": _number(self.tolerance_deg),
            "tolerance_mm": _number(self.tolerance_mm),
            "pedicle_width_mm": _number(self.pedicle_width_mm),
            "pedicle_height_mm": _number(self.pedicle_height_mm),
            "score": _number(self.score),
            "traded": list(self.traded),
            "broken_limits": list(self.broken_limits),
        }


@dataclass(frozen=True, eq=False, slots=True)
class LevelPlan:
    """The plan of one level."""

    name: str
    procedure: ProcedureAdvice
    cement_ml: Estimate
    paths: tuple[NeedlePath, ...]
    """Best first for each side; alternatives after it."""
    access: str
    """``"unipedicular"``, ``"bipedicular"`` or ``"none"``: how many needles, and why in the findings."""
    access_reason: str
    findings: tuple[Finding, ...] = ()

    def best(self, side: Side | str) -> NeedlePath | None:
        """The recommended path of a side, or None."""
        return next((path for path in self.paths if path.side == side and path.recommended), None)

    @property
    def needles(self) -> tuple[NeedlePath, ...]:
        """The recommended paths that the access asks for: one or two, left before right.

        Where one needle is enough, the one with the most bone around its cannula.
        """
        found = [path for side in Side if (path := self.best(side)) is not None]
        if self.access != "unipedicular" or len(found) < 2:
            return tuple(found)
        single = [path for path in found if path.access == "unipedicular"] or found
        return (max(single, key=lambda path: path.least_margin_mm),)

    def to_json(self) -> dict[str, object]:
        """The level's plan as JSON-ready data."""
        return {
            "procedure": self.procedure.to_json(),
            "cement_ml": self.cement_ml.to_json(),
            "access": self.access,
            "access_reason": self.access_reason,
            "paths": [path.to_json() for path in self.paths],
            "findings": [item.to_json() for item in self.findings],
        }


@dataclass(frozen=True, eq=False, slots=True)
class TreatmentPlan:
    """The plan of a case."""

    levels: Mapping[str, LevelPlan]
    context: ClinicalContext = field(default_factory=ClinicalContext)
    findings: tuple[Finding, ...] = ()
    schema_version: int = 1

    def to_json(self) -> dict[str, object]:
        """The plan as JSON-ready data (``docs/reference/plan-json.md``)."""
        return {
            "schema_version": self.schema_version,
            "context": self.context.to_json(),
            "levels": {name: level.to_json() for name, level in self.levels.items()},
            "findings": [item.to_json() for item in self.findings],
        }


def _point(point: NDArray[np.float64] | None) -> list[float] | None:
    return None if point is None else [round(float(x), 3) + 0.0 for x in point]


def _number(value: float | None) -> float | None:
    return None if value is None else round(float(value), 3) + 0.0
