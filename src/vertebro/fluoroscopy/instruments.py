"""Things that a procedure puts into the beam: needles, balloons, cement.

Each says which part of a view it covers and how much of its substance every ray there passes. They
replace the soft tissue that was in their place; where they replace bone, its mineral still counts,
which over-darkens a needle in cortical bone by less than its own steel does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.errors import require_range
from vertebro.materials.beam_attenuation import mixture_density_g_cc
from vertebro.numerics import ConeBeam, RayVolume, ellipsoid_lengths_mm, line_integrals, tube_lengths_mm

DISPLACED_G_CC = 1.03
"""Soft tissue that an instrument takes the place of, g/cc (marrow and muscle, ICRU Report 44)."""


@dataclass(frozen=True, slots=True)
class Substance:
    """What an instrument is made of."""

    name: str
    mass_fractions: Mapping[str, float]
    density_g_cc: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "mass_fractions", MappingProxyType(dict(self.mass_fractions)))


def steel() -> Substance:
    """Surgical stainless steel 316L, of which bone needles are made."""
    return Substance("steel", {"steel_316l": 1.0}, mixture_density_g_cc({"steel_316l": 1.0}))


def barium_cement(barium_mass_fraction: float = 0.30) -> Substance:
    """PMMA bone cement with barium sulphate as its contrast.

    "PMMA mixed with 30 % barium sulphate" is a standard mix for vertebroplasty (PMC5039855).

    Examples
    --------
    >>> round(barium_cement().density_g_cc, 3)
    1.527
    """
    require_range("barium_mass_fraction", barium_mass_fraction, 0.0, 0.6, code="material.range")
    mix = {"barium_sulfate": barium_mass_fraction, "pmma": 1.0 - barium_mass_fraction}
    return Substance("cement", mix, mixture_density_g_cc(mix))


def zirconia_cement(zirconia_mass_fraction: float = 0.45) -> Substance:
    """PMMA bone cement with zirconium dioxide as its contrast."""
    require_range("zirconia_mass_fraction", zirconia_mass_fraction, 0.0, 0.6, code="material.range")
    mix = {"zirconium_dioxide": zirconia_mass_fraction, "pmma": 1.0 - zirconia_mass_fraction}
    return Substance("cement", mix, mixture_density_g_cc(mix))


def balloon_contrast(iodine_mg_ml: float = 180.0) -> Substance:
    """Iodinated contrast in a balloon tamp, as a solution of iodine in water.

    Examples
    --------
    >>> round(balloon_contrast(300.0).density_g_cc, 3)
    1.239
    """
    require_range("iodine_mg_ml", iodine_mg_ml, 0.0, 400.0, code="material.range", unit="mg/mL")
    iodine = iodine_mg_ml / 1000.0
    water = 1.0 - iodine / mixture_density_g_cc({"iodine": 1.0})
    density = iodine + water
    mix = {"iodine": iodine / density, "water": water / density}
    return Substance("contrast", mix, density)


class Instrument(Protocol):
    """Anything that can be put into a view."""

    @property
    def substance(self) -> Substance:
        """What it is made of."""

    def outline_lps_mm(self) -> NDArray[np.float64]:
        """(n, 3): points whose convex hull holds all of it."""

    def lengths_mm(self, beam: ConeBeam) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(rows, columns) length of each ray in the substance, and in the tissue displaced."""


@dataclass(frozen=True, slots=True)
class Rod:
    """A straight rod or tube with flat ends: needle, cannula, stylet.

    Examples
    --------
    >>> needle = Rod((0.0, 0.0, 0.0), (100.0, 0.0, 0.0), outer_diameter_mm=3.0)
    >>> beam = ConeBeam([50.0, -700.0, 0.0], [50.0, 400.0, 0.0], [1, 0, 0], [0, 0, 1], (1, 1))
    >>> float(needle.lengths_mm(beam)[0][0, 0].round(4))
    3.0
    """

    start_lps_mm: tuple[float, float, float]
    end_lps_mm: tuple[float, float, float]
    outer_diameter_mm: float
    inner_diameter_mm: float = 0.0
    """0 for a solid rod, or for a cannula with its stylet in."""
    material: Substance | None = None
    """Steel unless said."""

    def __post_init__(self) -> None:
        require_range(
            "outer_diameter_mm", self.outer_diameter_mm, 0.01, 100.0, code="device.range", unit="mm"
        )
        require_range(
            "inner_diameter_mm",
            self.inner_diameter_mm,
            0.0,
            self.outer_diameter_mm,
            code="device.range",
            unit="mm",
        )
        assert self._length > 0.0, "a rod has a length"

    @property
    def _length(self) -> float:
        return float(np.linalg.norm(np.subtract(self.end_lps_mm, self.start_lps_mm)))

    @property
    def substance(self) -> Substance:
        """What it is made of."""
        return self.material or steel()

    def outline_lps_mm(self) -> NDArray[np.float64]:
        """(16, 3): corners of a box around the rod."""
        axis = np.subtract(self.end_lps_mm, self.start_lps_mm) / self._length
        side = np.cross(axis, np.eye(3)[np.abs(axis).argmin()])
        side /= np.linalg.norm(side)
        other = np.cross(axis, side)
        turns = np.arange(8) * np.pi / 4
        reach = self.outer_diameter_mm / 2 / np.cos(np.pi / 8)
        ring = reach * (np.cos(turns)[:, None] * side + np.sin(turns)[:, None] * other)
        return np.vstack([np.add(self.start_lps_mm, ring), np.add(self.end_lps_mm, ring)])

    def lengths_mm(self, beam: ConeBeam) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(rows, columns) length of each ray in the wall, and in the whole rod."""
        diameters = (self.outer_diameter_mm, self.inner_diameter_mm)
        return tube_lengths_mm(beam, self.start_lps_mm, self.end_lps_mm, diameters)


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """A filled ellipsoid: a balloon tamp, or a drop of contrast or cement.

    Parameters
    ----------
    centre_lps_mm : (3,) array
    semi_axes_lps_mm : (3, 3) array
        Rows are the semi-axes as vectors.
    """

    centre_lps_mm: tuple[float, float, float]
    semi_axes_lps_mm: NDArray[np.float64]
    substance: Substance

    @classmethod
    def sphere(cls, centre_lps_mm: ArrayLike, radius_mm: float, substance: Substance) -> Ellipsoid:
        """A ball."""
        x, y, z = (float(number) for number in np.asarray(centre_lps_mm, dtype=np.float64))
        return cls((x, y, z), np.eye(3) * radius_mm, substance)

    def outline_lps_mm(self) -> NDArray[np.float64]:
        """(8, 3): corners of the box around the ellipsoid along its axes."""
        signs = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=np.float64)
        return np.asarray(np.array(self.centre_lps_mm) + signs @ self.semi_axes_lps_mm)

    def lengths_mm(self, beam: ConeBeam) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(rows, columns) length of each ray inside, twice."""
        chord = ellipsoid_lengths_mm(beam, self.centre_lps_mm, self.semi_axes_lps_mm)
        return chord, chord


@dataclass(frozen=True, eq=False)
class Fill:
    """A voxel field of how much of each voxel is filled: cement as it spreads.

    Parameters
    ----------
    fraction : (i, j, k) float32 array, 0 to 1
        Of the voxel's volume.
    lps_from_voxel : (4, 4) array
    substance : Substance
    """

    fraction: NDArray[np.float32]
    lps_from_voxel: NDArray[np.float64]
    substance: Substance

    def _box(self) -> tuple[slice, ...] | None:
        filled = self.fraction > 0.0
        if not filled.any():
            return None
        box = []
        for axis in range(3):
            others = tuple(other for other in range(3) if other != axis)
            places = np.flatnonzero(filled.any(axis=others))
            box.append(slice(int(places[0]), int(places[-1]) + 1))
        return tuple(box)

    def outline_lps_mm(self) -> NDArray[np.float64]:
        """(8, 3): corners of the box of filled voxels, a voxel wider all round; (0, 3) if none is."""
        box = self._box()
        if box is None:
            return np.empty((0, 3))
        ends = [(part.start - 1.0, float(part.stop)) for part in box]
        corners = np.array([[i, j, k] for i in ends[0] for j in ends[1] for k in ends[2]])
        return np.asarray(corners @ self.lps_from_voxel[:3, :3].T + self.lps_from_voxel[:3, 3])

    def lengths_mm(self, beam: ConeBeam) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(rows, columns) length of each ray in the substance, twice."""
        box = self._box()
        if box is None:
            empty = np.zeros(beam.shape, np.float32)
            return empty, empty
        affine = np.array(self.lps_from_voxel, dtype=np.float64)
        affine[:3, 3] += affine[:3, :3] @ np.array([part.start for part in box], dtype=np.float64)
        values = np.ascontiguousarray(self.fraction[box], dtype=np.float32)
        length = line_integrals(RayVolume(values, affine), beam)[0]
        return length, length
