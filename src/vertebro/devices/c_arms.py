"""C-arms as data: one or two planes, their distances, detectors, beams and ranges of movement.

Each machine is a ``.toml`` file in ``data/c_arms`` with the source of its numbers beside them.
Lengths in mm, angles in degrees, LAO and cranial positive.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from vertebro.errors import InputError

_FOLDER = "data/c_arms"


@dataclass(frozen=True, slots=True)
class CArmPlane:
    """One source and detector on an arm."""

    name: str
    """``"main"`` (frontal) or ``"lateral"``."""
    source_detector_mm: float
    source_isocentre_mm: float
    detector_width_mm: float
    """Square field used of the detector; along image rows."""
    detector_height_mm: float
    pixel_mm: float
    """Pitch of the detector's own pixels, before binning."""
    lao_range_deg: tuple[float, float]
    """Reach to either side of ``home_lao_deg``'s line through the patient, RAO negative."""
    cra_range_deg: tuple[float, float]
    home_lao_deg: float
    """Angle at which the plane usually stands: 180 with the detector over a prone patient."""


@dataclass(frozen=True, slots=True)
class CArm:
    """A C-arm system."""

    key: str
    name: str
    kind: str
    """``"mobile"`` or ``"fixed-biplane"``."""
    planes: Mapping[str, CArmPlane]
    tube_voltage_range_kv: tuple[float, float]
    focal_spot_mm: float
    filters_mm: Mapping[str, float]
    """Total filtration by beam material."""
    cesium_iodide_mm: float
    """Thickness of the scintillator, as solid caesium iodide."""
    grid_primary_transmission: float
    grid_scatter_transmission: float
    blur_fwhm_mm: float
    """Width at half maximum of the detector's own blur, on the detector."""
    air_kerma_rate_limit_mgy_min: float
    sources: Mapping[str, str]
    """What each group of numbers rests on."""

    def plane(self, name: str = "main") -> CArmPlane:
        """One of the arm's planes.

        Raises
        ------
        InputError
            If the arm has no such plane (``device.plane``).
        """
        if name not in self.planes:
            raise InputError(
                "device.plane",
                got=f"the plane {name!r} of {self.name}",
                needed=f"one of {', '.join(self.planes)}",
                remedy="Choose a plane that this C-arm has, or another C-arm.",
                fields=("plane",),
            )
        return self.planes[name]


@cache
def c_arm_names() -> tuple[str, ...]:
    """Keys of the C-arms that can be loaded.

    Examples
    --------
    >>> c_arm_names()
    ('fixed_biplane', 'mobile_c_arm')
    """
    folder = resources.files("vertebro.devices").joinpath(_FOLDER)
    return tuple(sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml")))


@cache
def load_c_arm(key: str) -> CArm:
    """A C-arm by its key.

    Raises
    ------
    InputError
        If there is no such machine (``device.unknown``).

    Examples
    --------
    >>> load_c_arm("mobile_c_arm").plane().source_detector_mm
    1020.0
    """
    if key not in c_arm_names():
        raise InputError(
            "device.unknown",
            got=f"the C-arm {key[:40]!r}",
            needed=f"one of {', '.join(c_arm_names())}",
            remedy="Choose one of these, or add a data file.",
            fields=("c_arm",),
        )
    file = resources.files("vertebro.devices").joinpath(_FOLDER).joinpath(f"{key}.toml")
    return c_arm_from_toml(key, file.read_text(encoding="utf-8"))


def c_arm_from_toml(key: str, text: str) -> CArm:
    """A C-arm from the text of a data file, for machines that are not shipped."""
    data = tomllib.loads(text)
    planes = {
        name: CArmPlane(
            name=name,
            source_detector_mm=float(row["source_detector_mm"]),
            source_isocentre_mm=float(row["source_isocentre_mm"]),
            detector_width_mm=float(row["detector_width_mm"]),
            detector_height_mm=float(row["detector_height_mm"]),
            pixel_mm=float(row["pixel_mm"]),
            lao_range_deg=(float(row["lao_range_deg"][0]), float(row["lao_range_deg"][1])),
            cra_range_deg=(float(row["cra_range_deg"][0]), float(row["cra_range_deg"][1])),
            home_lao_deg=float(row["home_lao_deg"]),
        )
        for name, row in data["planes"].items()
    }
    beam, detector = data["beam"], data["detector"]
    low, high = beam["tube_voltage_range_kv"]
    return CArm(
        key=key,
        name=data["name"],
        kind=data["kind"],
        planes=MappingProxyType(planes),
        tube_voltage_range_kv=(float(low), float(high)),
        focal_spot_mm=float(beam["focal_spot_mm"]),
        filters_mm=MappingProxyType({k: float(v) for k, v in beam["filters_mm"].items()}),
        cesium_iodide_mm=float(detector["cesium_iodide_mm"]),
        grid_primary_transmission=float(detector["grid_primary_transmission"]),
        grid_scatter_transmission=float(detector["grid_scatter_transmission"]),
        blur_fwhm_mm=float(detector["blur_fwhm_mm"]),
        air_kerma_rate_limit_mgy_min=float(data["limits"]["air_kerma_rate_mgy_min"]),
        sources=MappingProxyType(dict(data["sources"])),
    )
