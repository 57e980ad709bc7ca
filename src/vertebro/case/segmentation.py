"""What was found in a bare CT: vertebrae, their names, and how sure both are.

World frame LPS, millimetres. A level's frame has x to the patient's right, y anterior, z superior, and
its origin in the middle of the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vertebro.findings import Finding
from vertebro.imaging import LabelVolume, ScalarVolume


class NameAnchor(StrEnum):
    """What a proposed numbering of the levels rests on."""

    GIVEN = "given"
    """A person named a level."""
    SACRUM = "sacrum"
    """The sacrum is in view below the last level."""
    RIBS = "ribs"
    """The last pair of ribs is in view."""
    SIZES = "sizes"
    """Only the sizes of the bodies speak; too little to name by."""
    NONE = "none"
    """Nothing in view tells one level from another."""


@dataclass(frozen=True, eq=False, slots=True)
class SegmentedLevel:
    """One vertebra as it was found."""

    name: str
    """A level such as ``"L1"``, or ``"unnamed 1"`` (from cranial) where nothing anchors the names."""
    label: int
    """Its value in the label volume."""
    lps_from_vertebra: NDArray[np.float64]
    """(4, 4)."""
    half_size_mm: NDArray[np.float64]
    """(3,): half width, half depth and half height (disc to disc) along the frame's axes."""
    is_cut: bool
    """Whether it reaches the border of the scan."""
    confidence: float
    """0 to 1: how far its outline is to be trusted; a judgement from its cues, not yet calibrated."""
    facts: Mapping[str, float] = field(default_factory=dict)
    """What the confidence was read from."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))

    @property
    def centre_lps_mm(self) -> NDArray[np.float64]:
        """Middle of the body."""
        return self.lps_from_vertebra[:3, 3]

    def to_json(self) -> dict[str, object]:
        """The level as JSON-ready data."""
        return {
            "name": self.name,
            "label": self.label,
            "lps_from_vertebra": np.round(self.lps_from_vertebra, 4).tolist(),
            "half_size_mm": np.round(self.half_size_mm, 2).tolist(),
            "is_cut": self.is_cut,
            "confidence": round(self.confidence, 3),
            "facts": {name: round(float(value), 4) for name, value in self.facts.items()},
        }


@dataclass(frozen=True, slots=True)
class Naming:
    """How the levels got their names."""

    anchor: NameAnchor
    probability: float
    """Of the names as a whole, 0 to 1; 1 where a person named a level."""
    is_proposed: bool
    """Whether the names are used; otherwise levels are called ``"unnamed n"``."""
    best_guess: tuple[str, ...] = ()
    """The likeliest names from cranial to caudal, used or not."""

    def to_json(self) -> dict[str, object]:
        """The naming as JSON-ready data."""
        return {
            "anchor": self.anchor.value,
            "probability": round(self.probability, 3),
            "is_proposed": self.is_proposed,
            "best_guess": list(self.best_guess),
        }


@dataclass(frozen=True, eq=False, slots=True)
class SpineSegmentation:
    """Vertebrae found in a CT."""

    labels: LabelVolume
    """On the CT's grid: VerSe numbers where levels are named, else 101, 102 … from cranial; with
    subregions 41–50."""
    levels: Mapping[str, SegmentedLevel]
    """From cranial to caudal."""
    naming: Naming
    canal: NDArray[np.uint8]
    """(i, j, k): 1 in the spinal canal."""
    skin: NDArray[np.uint8]
    """(i, j, k): 1 inside the skin."""
    confidence: ScalarVolume
    """0–1 for each voxel: how far it lies from where the label would change, in what the outline is
    uncertain by. 1 deep inside and far outside."""
    canal_line_lps_mm: NDArray[np.float64]
    """(n, 3): the canal's middle line, from caudal to cranial."""
    findings: tuple[Finding, ...] = ()
    work: Any = field(default=None, repr=False)
    """Intermediate results of the segmentation, for recomputing only what a correction changes; never
    written to a file."""
    schema_version: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", MappingProxyType(dict(self.levels)))
        for name in ("canal", "skin"):
            view = getattr(self, name).view()
            view.setflags(write=False)
            object.__setattr__(self, name, view)

    @property
    def frames(self) -> Mapping[str, NDArray[np.float64]]:
        """``lps_from_vertebra`` of each level."""
        return {name: level.lps_from_vertebra for name, level in self.levels.items()}

    def to_json(self) -> dict[str, object]:
        """Everything but the voxels as JSON-ready data."""
        return {
            "schema_version": self.schema_version,
            "naming": self.naming.to_json(),
            "levels": {name: level.to_json() for name, level in self.levels.items()},
            "canal_line_lps_mm": np.round(self.canal_line_lps_mm, 2).tolist(),
            "findings": [entry.to_json() for entry in self.findings],
        }
