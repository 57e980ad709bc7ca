"""The nouns of looking: where a C-arm stands, and the image it gives.

Angles follow DICOM (PS3.3 C.8.7.5, positioner primary and secondary angle) and are said about the
*patient*: LAO 0 has the detector in front of the patient (beam from back to front), LAO 90 on the
patient's left, LAO 180 behind the patient, which for a patient lying prone is above the table and
gives the antero-posterior view of a vertebroplasty. RAO is negative LAO; caudal is negative cranial.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.errors import SettingsError, require_range
from vertebro.findings import Finding

_NAMED = {
    "ap": 180.0,
    "pa": 0.0,
    "lateral": 90.0,
    "left lateral": 90.0,
    "right lateral": -90.0,
}
_TERM = re.compile(r"(LAO|RAO|LPO|RPO|CRA|CAU)\s*([0-9]+(?:\.[0-9]+)?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CArmPose:
    """How a C-arm stands about the patient.

    Examples
    --------
    >>> CArmPose.parse("LAO 20 CRA 10", (0.0, 0.0, 0.0)).label
    'LAO 20 CRA 10'
    """

    lao_deg: float
    """Detector towards the patient's left; RAO negative; −180 to 180."""
    cra_deg: float
    """Detector towards the head; caudal negative; −90 to 90."""
    isocentre_lps_mm: tuple[float, float, float]
    """The machine's isocentre in the CT's frame, with the table at rest."""
    table_shift_lps_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How far the table has carried the patient since then, along the patient's own axes."""
    is_mirrored: bool | None = None
    """Whether the image is shown as seen from the tube instead of from the detector.

    Left to itself (None) this is chosen so that the patient's left is on the image's right in
    frontal views, from in front and from behind alike.
    """

    def __post_init__(self) -> None:
        require_range("lao_deg", self.lao_deg, -180.0, 180.0, code="view.angle", unit="degrees")
        require_range("cra_deg", self.cra_deg, -90.0, 90.0, code="view.angle", unit="degrees")
        for name in ("isocentre_lps_mm", "table_shift_lps_mm"):
            vector = tuple(float(number) for number in getattr(self, name))
            if len(vector) != 3 or not all(math.isfinite(number) for number in vector):
                raise SettingsError(
                    "view.isocentre",
                    got=f"{name} = {vector}",
                    needed="three finite numbers, mm",
                    remedy="Give a position in the CT's frame.",
                    fields=(name,),
                )
            object.__setattr__(self, name, vector)

    @classmethod
    def parse(cls, text: str, isocentre_lps_mm: ArrayLike) -> CArmPose:
        """A pose from what a person says: ``"ap"``, ``"lateral"``, ``"LAO 20 CRA 10"``, ``"RPO 15"``.

        LPO and RPO name the detector's side behind the patient, as LAO and RAO do in front.

        Raises
        ------
        SettingsError
            If the text says no pose (``view.pose``).

        Examples
        --------
        >>> CArmPose.parse("RPO 20 CAU 5", (0.0, 0.0, 0.0)).lao_deg
        -160.0
        """
        cleaned = " ".join(text.strip().lower().replace("_", " ").split())
        centre = _triple(isocentre_lps_mm)
        if cleaned in _NAMED:
            return cls(_NAMED[cleaned], 0.0, centre)
        terms = {word.upper(): float(number) for word, number in _TERM.findall(cleaned)}
        rest = _TERM.sub("", cleaned).strip(" ,;/")
        turns = [word for word in terms if word in ("LAO", "RAO", "LPO", "RPO")]
        tilts = [word for word in terms if word in ("CRA", "CAU")]
        if not terms or rest or len(turns) > 1 or len(tilts) > 1:
            raise SettingsError(
                "view.pose",
                got=f"the pose {text.strip()[:40]!r}",
                needed="ap, pa, lateral, right lateral, or angles such as 'LAO 20 CRA 10' or 'RPO 15'",
                remedy="Name a view or give at most one of LAO/RAO/LPO/RPO and one of CRA/CAU.",
                fields=("pose",),
            )
        turn = {"LAO": 1.0, "RAO": -1.0, "LPO": -1.0, "RPO": 1.0}
        lao_deg = sum(turn[word] * terms[word] for word in turns)
        if turns and turns[0] in ("LPO", "RPO"):
            lao_deg += 180.0 if turns[0] == "LPO" else -180.0
        cra_deg = sum((1.0 if word == "CRA" else -1.0) * terms[word] for word in tilts)
        return cls(lao_deg, cra_deg, centre)

    @classmethod
    def looking_along(cls, towards_detector_lps: ArrayLike, isocentre_lps_mm: ArrayLike) -> CArmPose:
        """The pose whose central ray runs in a direction: the view down the barrel of a needle.

        Parameters
        ----------
        towards_detector_lps : (3,) array_like
            Direction from source to detector. For a needle put in from behind, from its target to
            its entry, so that the detector is over the patient's back.
        isocentre_lps_mm : (3,) array_like
            A point on the axis.

        Examples
        --------
        >>> CArmPose.looking_along([0.0, 1.0, 0.0], [0.0, 0.0, 0.0]).label
        'AP'
        """
        direction = np.asarray(towards_detector_lps, dtype=np.float64)
        length = float(np.linalg.norm(direction))
        assert length > 0.0, "a direction has a length"
        x, y, z = (float(part) for part in direction / length)
        lao_deg = math.degrees(math.atan2(x, -y)) if math.hypot(x, y) > 1e-9 else 180.0
        cra_deg = math.degrees(math.asin(max(-1.0, min(1.0, z))))
        return cls(lao_deg, cra_deg, _triple(isocentre_lps_mm))

    @property
    def towards_detector_lps(self) -> NDArray[np.float64]:
        """(3,): unit direction from the source to the detector."""
        lao, cra = math.radians(self.lao_deg), math.radians(self.cra_deg)
        return np.array([math.sin(lao) * math.cos(cra), -math.cos(lao) * math.cos(cra), math.sin(cra)])

    @property
    def isocentre_in_patient_mm(self) -> NDArray[np.float64]:
        """(3,): the isocentre in the CT's frame once the table has moved the patient."""
        return np.asarray(np.subtract(self.isocentre_lps_mm, self.table_shift_lps_mm), dtype=np.float64)

    @property
    def label(self) -> str:
        """The pose as it is said: ``"AP"``, ``"LAO 20 CRA 10"``, ``"RPO 15"``."""
        lao, cra = self.lao_deg, self.cra_deg
        if abs(cra) < 0.05:
            for name, angle in (
                ("AP", 180.0),
                ("AP", -180.0),
                ("PA", 0.0),
                ("LEFT LATERAL", 90.0),
                ("RIGHT LATERAL", -90.0),
            ):
                if abs(lao - angle) < 0.05:
                    return name
        turn: tuple[str, float | None] = ("LAO" if lao >= 0 else "RAO", abs(lao))
        if abs(lao) > 90.0:
            turn = ("LPO" if lao > 0 else "RPO", 180.0 - abs(lao))
        is_frontal = min(abs(lao), 180.0 - abs(lao)) < 0.05
        parts: list[tuple[str, float | None]] = (
            [("AP" if abs(lao) > 90.0 else "PA", None)] if is_frontal else [turn]
        )
        if abs(cra) >= 0.05:
            parts.append(("CRA" if cra > 0 else "CAU", abs(cra)))
        return " ".join(word if number is None else f"{word} {number:.3g}" for word, number in parts)

    def to_json(self) -> dict[str, object]:
        """The pose as JSON-ready data."""
        return {
            "label": self.label,
            "lao_deg": round(self.lao_deg, 3),
            "cra_deg": round(self.cra_deg, 3),
            "isocentre_lps_mm": [round(number, 3) for number in self.isocentre_lps_mm],
            "table_shift_lps_mm": [round(number, 3) for number in self.table_shift_lps_mm],
            "is_mirrored": self.is_mirrored,
        }


def _triple(vector: ArrayLike) -> tuple[float, float, float]:
    x, y, z = (float(number) for number in np.asarray(vector, dtype=np.float64).reshape(3))
    return (x, y, z)


@dataclass(frozen=True, slots=True)
class ViewDose:
    """What one image costs: proxies of dose, not dose to an organ."""

    air_kerma_mgy: float
    """At the patient entrance reference point, 150 mm from the isocentre to the tube (IEC 60601-2-43)."""
    kerma_area_gy_cm2: float
    exposure_mas: float
    tube_voltage_kv: float
    detector_air_kerma_ngy: float
    """Mean behind the patient, in the middle of the field."""

    def to_json(self) -> dict[str, float]:
        """The numbers as JSON-ready data."""
        return {name: float(f"{getattr(self, name):.6g}") for name in self.__dataclass_fields__}


@dataclass(frozen=True, eq=False)
class FluoroView:
    """A simulated X-ray image with its geometry.

    Pixel (row, column) has its centre at whole numbers; row 0 is the top of the image.
    """

    pixels: NDArray[np.uint8]
    """(rows, columns): the image as displayed."""
    signal: NDArray[np.float32]
    """(rows, columns): what the detector measured, 1 where nothing stands in the beam."""
    projection_matrix: NDArray[np.float64]
    """(3, 4): homogeneous (column, row, 1) from homogeneous LPS position."""
    source_lps_mm: NDArray[np.float64]
    """(3,): focal spot."""
    pose: CArmPose
    c_arm: str
    """Key of the C-arm's data file."""
    plane: str
    pixel_mm: float
    """Pitch on the detector."""
    dose: ViewDose
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, float | str] = field(default_factory=dict)
    """How it was made: tube voltage, mean energy, scatter fraction, backend."""

    def __post_init__(self) -> None:
        for name in ("pixels", "signal", "projection_matrix", "source_lps_mm"):
            view = getattr(self, name).view()
            view.setflags(write=False)
            object.__setattr__(self, name, view)

    def project(self, points_lps_mm: ArrayLike) -> NDArray[np.float64]:
        """Where points appear in the image.

        Parameters
        ----------
        points_lps_mm : (..., 3) array_like

        Returns
        -------
        (..., 2) array
            Column and row; NaN for points at or behind the focal spot.
        """
        points = np.asarray(points_lps_mm, dtype=np.float64)
        homogeneous = points @ self.projection_matrix[:, :3].T + self.projection_matrix[:, 3]
        depth = homogeneous[..., 2:]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(depth > 1e-9, homogeneous[..., :2] / depth, np.nan))

    def to_json(self) -> dict[str, object]:
        """Everything but the picture, as JSON-ready data."""
        return {
            "pose": self.pose.to_json(),
            "c_arm": self.c_arm,
            "plane": self.plane,
            "shape": list(self.pixels.shape),
            "pixel_mm": round(self.pixel_mm, 5),
            "source_lps_mm": [round(float(number), 3) for number in self.source_lps_mm],
            "projection_matrix": [
                [float(f"{number:.9g}") for number in row] for row in self.projection_matrix
            ],
            "dose": self.dose.to_json(),
            "facts": dict(self.facts),
            "findings": [item.to_json() for item in self.findings],
        }
