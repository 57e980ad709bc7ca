r"""A round cavity blown up in a large body: elastic, plastic or crushable.

Spherical shells with logarithmic strains, equilibrium by Newton's method on the shells' radii, the cavity's
radius prescribed step by step; beyond the last shell an endless elastic body. Three laws:

- elastic (``strength_mpa`` None): ``u/a = p/4G`` for small growth;
- plastic (``crushable`` False): Tresca, constant volume in plastic flow, whose pressure tends to
  ``(2Y/3)·(1 + ln(E/(3(1−ν)Y)))`` (Hill, Mathematical Theory of Plasticity, 1950, chapter V);
- crushable: a foam that gives way to radial pressure at its strength without spreading sideways, gains
  strength as it is compacted (``Y·J^{−h}``, J the volume left), and tears where it is pulled along the
  circumference. For growth from nothing its pressure tends to ``Y·(q/3)^{2/(q−3)}`` with ``q = 2/h``
  (own derivation: radial stress falls with the square of the radius where nothing is carried around).

Units: mm, MPa.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from vertebro.errors import SolverError, require_range

Shells = NDArray[np.float64]
_SHELLS = 80
_REACH = 40.0
"""Radius of the last shell in cavity radii at the end of growth."""
_NEWTON_STEPS = 60
_STEP = 0.02
"""Growth of the radius in one step."""
_TEAR_SHARE = 0.02
"""Strength along the circumference against that under pressure, in the crushable law (assumed: broken
trabeculae hold next to nothing when pulled)."""


@dataclass(frozen=True, slots=True)
class CavityMedium:
    """What the cavity grows in."""

    modulus_mpa: float
    poisson_ratio: float = 0.3
    strength_mpa: float | None = None
    crushable: bool = False
    hardening: float = 0.25
    """Exponent ``h`` of the crushable law."""

    def __post_init__(self) -> None:
        require_range("modulus_mpa", self.modulus_mpa, 1e-6, 1e6, code="material.range", unit="MPa")
        require_range("poisson_ratio", self.poisson_ratio, 0.0, 0.495, code="material.range")
        if self.strength_mpa is not None:
            require_range("strength_mpa", self.strength_mpa, 1e-9, 1e6, code="material.range", unit="MPa")
        require_range("hardening", self.hardening, 0.05, 0.6, code="material.range")


@lru_cache(maxsize=32)
def cavity_pressures_mpa(
    medium: CavityMedium, growth: tuple[float, ...], start_radius_mm: float = 1.0
) -> tuple[float, ...]:
    """Pressure in the cavity at each of its radii.

    Parameters
    ----------
    medium : CavityMedium
    growth : tuple of float, rising, > 1
        Radius of the cavity against its radius at the start.
    start_radius_mm : float, > 0

    Returns
    -------
    tuple of float
        MPa.

    Raises
    ------
    SolverError
        If equilibrium is not found.

    Examples
    --------
    Small growth of an elastic body: ``p = 4G·u/a``.

    >>> p, = cavity_pressures_mpa(CavityMedium(100.0), (1.001,))
    >>> round(p / (4 * 100.0 / 2.6 * 0.001), 2)
    1.0
    """
    reach = _REACH * max(growth)
    rest = start_radius_mm * np.geomspace(1.0, reach, _SHELLS + 1)
    grown = rest.copy()
    plastic = np.zeros((2, _SHELLS))
    pressures = []
    now = 1.0
    for target in growth:
        count = max(1, int(np.ceil(np.log(target / now) / _STEP)))
        for radius in np.geomspace(now, target, count + 1)[1:]:
            grown, plastic, pressure = _grow(medium, rest, grown, plastic, radius * start_radius_mm)
        pressures.append(pressure)
        now = target
    return tuple(pressures)


def tresca_limit_mpa(modulus_mpa: float, poisson_ratio: float, strength_mpa: float) -> float:
    """Pressure at which a cavity grows without end in an elastic, ideally plastic body (Hill 1950).

    Examples
    --------
    >>> round(tresca_limit_mpa(100.0, 0.3, 1.0), 2)
    3.24
    """
    ratio = modulus_mpa / (3.0 * (1.0 - poisson_ratio) * strength_mpa)
    return float(2.0 * strength_mpa / 3.0 * (1.0 + np.log(ratio)))


def crushable_limit_mpa(strength_mpa: float, hardening: float) -> float:
    """Pressure at which a cavity grows from nothing in a foam that crushes and tears.

    Examples
    --------
    >>> round(crushable_limit_mpa(1.0, 0.25), 2)
    1.48
    """
    q = 2.0 / hardening
    return float(strength_mpa * (q / 3.0) ** (2.0 / (q - 3.0)))


def _grow(
    medium: CavityMedium, rest: Shells, grown: Shells, plastic: Shells, radius_mm: float
) -> tuple[Shells, Shells, float]:
    """Equilibrium with the cavity at a radius; new radii, plastic strains and the pressure."""
    radii = grown + (radius_mm - grown[0]) * (grown[0] / grown) ** 2
    radii[0] = radius_mm
    scale = medium.modulus_mpa if medium.strength_mpa is None else medium.strength_mpa
    goal = 1e-7 * scale * radius_mm**2
    force, bands, flowed = _forces(medium, rest, radii, plastic)
    norm = np.abs(force[1:]).max()
    for _ in range(_NEWTON_STEPS):
        if norm <= goal:
            return radii, flowed, float(force[0] / radius_mm**2)
        step = np.concatenate([[0.0], solve_banded((1, 1), bands[:, 1:], -force[1:])])
        share = 1.0
        for _ in range(12):
            trial = radii + share * step
            if np.all(np.diff(trial) > 0.0):
                new_force, new_bands, new_flowed = _forces(medium, rest, trial, plastic)
                new_norm = np.abs(new_force[1:]).max()
                if new_norm < norm or share < 0.02:
                    break
            share *= 0.5
        radii, force, bands, flowed, norm = trial, new_force, new_bands, new_flowed, new_norm
    if norm <= 1e-3 * scale * radius_mm**2:
        return radii, flowed, float(force[0] / radius_mm**2)
    raise SolverError("the growing cavity found no equilibrium; take smaller steps or another medium")


def _forces(
    medium: CavityMedium, rest: Shells, radii: Shells, plastic: Shells
) -> tuple[Shells, Shells, Shells]:
    """Out-of-balance force on each radius over 4π, its tangent in bands, and the plastic strains.

    The tangent is had by moving each radius a little: a radius touches two shells only, so three
    moves of every third radius give it all.
    """
    force, flowed = _internal(medium, rest, radii, plastic)
    count = radii.size
    bands = np.zeros((3, count))
    small = 1e-7 * np.diff(radii, append=2.0 * radii[-1] - radii[-2])
    for colour in range(3):
        moved = radii.copy()
        moved[colour::3] += small[colour::3]
        change = _internal(medium, rest, moved, plastic)[0] - force
        columns = np.arange(colour, count, 3)
        for offset in (-1, 0, 1):
            rows = columns + offset
            ok = (rows >= 0) & (rows < count)
            bands[1 + offset, columns[ok]] = change[rows[ok]] / small[columns[ok]]
    return force, bands, flowed


def _internal(medium: CavityMedium, rest: Shells, radii: Shells, plastic: Shells) -> tuple[Shells, Shells]:
    """Force that holds each radius where it is, over 4π; outwards positive."""
    volume = np.diff(rest**3) / 3.0
    thick, around = np.diff(radii), radii[1:] + radii[:-1]
    strain_r = np.log(thick / np.diff(rest))
    strain_t = np.log(around / (rest[1:] + rest[:-1]))
    stress_r, stress_t, flowed = _stresses(medium, strain_r, strain_t, plastic)
    force = np.zeros_like(radii)
    hoop = 2.0 * stress_t / around
    force[:-1] += volume * (hoop - stress_r / thick)
    force[1:] += volume * (hoop + stress_r / thick)
    shear = medium.modulus_mpa / (2.0 * (1.0 + medium.poisson_ratio))
    force[-1] += 4.0 * shear * (radii[-1] - rest[-1]) * rest[-1]
    return force, flowed


def _stresses(
    medium: CavityMedium, strain_r: Shells, strain_t: Shells, plastic: Shells
) -> tuple[Shells, Shells, Shells]:
    """Kirchhoff stresses along the radius and around, and the plastic strains after flow."""
    e, nu = medium.modulus_mpa, medium.poisson_ratio
    lame, shear = e * nu / ((1.0 + nu) * (1.0 - 2.0 * nu)), e / (2.0 * (1.0 + nu))
    er, et = strain_r - plastic[0], strain_t - plastic[1]
    radial = (lame + 2.0 * shear) * er + 2.0 * lame * et
    around = lame * er + 2.0 * (lame + shear) * et
    if medium.strength_mpa is None:
        return radial, around, plastic
    if not medium.crushable:
        over = np.maximum(np.abs(radial - around) - medium.strength_mpa, 0.0)
        flow = np.sign(radial - around) * over / (3.0 * shear)
        return (
            radial - 2.0 * shear * flow,
            around + shear * flow,
            np.stack([plastic[0] + flow, plastic[1] - 0.5 * flow]),
        )
    left = np.exp(strain_r + 2.0 * strain_t)
    strength = medium.strength_mpa * np.minimum(left, 1.0) ** (-medium.hardening) * left
    crush, tear = _crushing(
        -radial - strength, around - _TEAR_SHARE * medium.strength_mpa * left, lame, shear
    )
    return (
        radial + (lame + 2.0 * shear) * crush - 2.0 * lame * tear,
        around + lame * crush - 2.0 * (lame + shear) * tear,
        np.stack([plastic[0] - crush, plastic[1] + tear]),
    )


def _crushing(over_r: Shells, over_t: Shells, lame: float, shear: float) -> tuple[Shells, Shells]:
    """Plastic shortening along the radius and opening around that bring both stresses to their limits.

    ``over_r`` and ``over_t`` are by how much the trial stresses pass them.
    """
    stiff_r, stiff_t = lame + 2.0 * shear, 2.0 * (lame + shear)
    alone_r = np.maximum(over_r, 0.0) / stiff_r
    alone_t = np.maximum(over_t, 0.0) / stiff_t
    both_r = (over_r * stiff_t + 2.0 * lame * over_t) / (stiff_r * stiff_t - 2.0 * lame**2)
    both_t = (over_t + lame * both_r) / stiff_t
    needs_t = over_t + lame * alone_r > 0.0
    needs_r = over_r + 2.0 * lame * alone_t > 0.0
    both = needs_t & needs_r & (both_r > 0.0) & (both_t > 0.0)
    only_r = ~both & (over_r > 0.0) & ~needs_t
    only_t = ~both & (over_t > 0.0) & ~needs_r
    crush = np.where(both, both_r, np.where(only_r, alone_r, 0.0))
    tear = np.where(both, both_t, np.where(only_t, alone_t, 0.0))
    return crush, tear
