"""The pressure at a needle's mouth: what a grid's cell pressure leaves out, and what the mouth adds.

A point source on a 7-point grid raises its own cell by ``Q eta G(0)/(k h)``, where G is the lattice's
Green function; a small round mouth of radius R in the same medium raises its surface by
``Q eta/(4 pi k R)``. The difference is added to the cell pressure. Where permeability differs by
direction, both are taken for the stretched medium: the lattice's G by quadrature, the mouth as an
ellipsoid by Carlson's integral. Units: mm, s, MPa.

References
----------
.. [1] D. W. Peaceman, SPE Journal 18:183-194, 1978 (equivalent radius of a well's cell).
.. [2] E. Montroll, G. Weiss, J. Math. Phys. 6:167-181, 1965 (lattice Green function as a Bessel integral).
.. [3] B. C. Carlson, Numer. Math. 33:1-16, 1979 (R_F; capacity of an ellipsoid).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import elliprf, ive

from vertebro.errors import InputError
from vertebro.numerics.darcy_fluids import Fluid
from vertebro.numerics.darcy_medium import DarcyMedium

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Opening:
    """A needle's mouth.

    Parameters
    ----------
    position : (x, y, z)
        In voxel index units.
    radius_mm : float, > 0
        Of the ball that stands for the mouth.
    """

    position: tuple[float, float, float]
    radius_mm: float

    def __post_init__(self) -> None:
        if not (self.radius_mm > 0.0 and len(self.position) == 3 and np.all(np.isfinite(self.position))):
            raise InputError(
                "flow.opening",
                got=f"a mouth at {self.position} with radius {self.radius_mm} mm",
                needed="three finite numbers and a radius above 0",
                remedy="Correct the needle's tip.",
                fields=("position", "radius_mm"),
            )


@dataclass(frozen=True, slots=True)
class Mouth:
    """An opening on the grid: its cells with their shares, and its resistances per viscosity.

    ``cells`` are ghosted flat indices; ``beyond_per_mm3`` is what a Newtonian fluid's pressure at the
    mouth exceeds the cells' mean by, over viscosity and rate (1/mm³); ``equivalent_mm`` and
    ``mouth_mm`` are the radii between which it stands.
    """

    cells: NDArray[np.int64]
    shares: Floats
    permeability_mm2: float
    porosity: float
    equivalent_mm: float
    mouth_mm: float

    @property
    def beyond_per_mm3(self) -> float:
        """Pressure at the mouth above the cells' mean, per viscosity and rate."""
        return (1.0 / self.mouth_mm - 1.0 / self.equivalent_mm) / (4.0 * np.pi * self.permeability_mm2)


@lru_cache(maxsize=20000)
def lattice_green(offset: tuple[int, int, int], weights: tuple[float, float, float]) -> float:
    """Green function of ``sum_a w_a (2 - shifts along a)`` on the endless cubic lattice.

    Examples
    --------
    Watson's value for equal weights.

    >>> round(lattice_green((0, 0, 0), (1.0, 1.0, 1.0)), 6)
    0.252731
    """

    def decay(t: float) -> float:
        return float(np.prod([ive(abs(n), 2.0 * w * t) for n, w in zip(offset, weights, strict=True)]))

    scale = 1.0 / max(weights)
    near, _ = quad(decay, 0.0, 50.0 * scale, limit=200, epsabs=1e-9 * scale)
    # beyond, in s = t^(-1/2): the integrand tends to a constant
    far, _ = quad(lambda s: decay(s**-2) * 2.0 * s**-3, 0.0, (50.0 * scale) ** -0.5, limit=200)
    return float(near + far)


@lru_cache(maxsize=64)
def place_mouth(medium: DarcyMedium, opening: Opening) -> Mouth:
    """Share an opening among the cells around it and find its resistance.

    Raises
    ------
    InputError
        ``flow.no_way_out`` where no cell at the mouth is joined to an outlet.
    """
    index, shares = _ball_shares(opening, medium.spacing_mm)
    inside = np.all((index >= 0) & (index < medium.shape), axis=1) & (shares > 1e-9)
    index, shares = index[inside], shares[inside]
    flows = medium.can_flow[tuple(index.T)]
    index, shares = index[flows], shares[flows]
    if shares.size == 0:
        raise InputError(
            "flow.no_way_out",
            got=f"a needle's mouth at voxel {tuple(round(float(c), 2) for c in opening.position)}",
            needed="pores there that are joined to an outlet",
            remedy="Move the needle's tip into bone with pores, or open an outlet.",
            fields=("position",),
        )
    shares = shares / shares.sum()
    start = np.array([s.start for s in medium.plan.box])
    cells = np.ravel_multi_index(tuple((index - start + 1).T), medium.plan.is_active.shape)
    k3 = np.broadcast_to(medium.permeability_mm2, (3, *medium.shape))
    k = np.exp([np.sum(shares * np.log(values[tuple(index.T)])) for values in k3])
    mean = float(np.prod(k) ** (1.0 / 3.0))
    weights = tuple(float(value) for value in k / mean)
    w3 = (weights[0], weights[1], weights[2])
    offsets = tuple(tuple(int(n) for n in row) for row in index - index.min(axis=0))
    own = _own_green(offsets, tuple(shares.tolist()), w3) + _evened_green(offsets, tuple(shares.tolist()), w3)
    axes = opening.radius_mm * np.sqrt(mean / k)
    capacity = 1.0 / float(elliprf(*(axes**2)))
    porosity = float(np.sum(shares * medium.porosity[tuple(index.T)]))
    equivalent = medium.spacing_mm / (4.0 * np.pi * own)
    return Mouth(cells.astype(np.int64), shares, mean, porosity, equivalent, capacity)


def _ball_shares(opening: Opening, spacing_mm: float, n_parts: int = 5) -> tuple[NDArray[np.int64], Floats]:
    """Cells that the mouth's ball overlaps, and how much of it lies in each."""
    centre, radius = np.asarray(opening.position, float), opening.radius_mm / spacing_mm
    low, high = np.floor(centre - radius + 0.5), np.floor(centre + radius + 0.5)
    index = np.stack(
        np.meshgrid(*[np.arange(a, b + 1) for a, b in zip(low, high, strict=True)], indexing="ij")
    )
    index = index.reshape(3, -1).T.astype(np.int64)
    parts = (np.arange(n_parts) + 0.5) / n_parts - 0.5
    offsets = np.stack(np.meshgrid(parts, parts, parts, indexing="ij"), axis=-1).reshape(-1, 3)
    away = np.linalg.norm(index[:, None, :] + offsets - centre, axis=2)
    shares = np.mean(away <= radius, axis=1)
    shares[np.argmin(np.linalg.norm(index - centre, axis=1))] += 1e-6  # a mouth far smaller than a cell
    return index, shares / shares.sum()


@lru_cache(maxsize=256)
def _own_green(
    index: tuple[tuple[int, ...], ...], shares: tuple[float, ...], weights: tuple[float, float, float]
) -> float:
    """Mean Green function of the shared source upon itself."""
    known: dict[tuple[int, ...], float] = {}
    total = 0.0
    for a, share_a in zip(index, shares, strict=True):
        for b, share_b in zip(index, shares, strict=True):
            offset = tuple(abs(m - n) for m, n in zip(a, b, strict=True))
            if offset not in known:
                known[offset] = lattice_green((offset[0], offset[1], offset[2]), weights)
            total += share_a * share_b * known[offset]
    return total


@lru_cache(maxsize=256)
def _evened_green(
    index: tuple[tuple[int, ...], ...],
    shares: tuple[float, ...],
    weights: tuple[float, float, float],
    n: int = 48,
) -> float:
    """What evened fluxes add to the 7-point lattice's Green function of a source upon itself.

    The difference of the two symbols' inverses is bounded, so the midpoint rule over a period serves.
    """
    source: NDArray[np.complex128] = np.zeros((n, n, n), complex)
    np.add.at(source, tuple(np.array(index).T), shares)
    for axis in range(3):  # shift to midpoints, away from the singular origin
        phase = np.exp(-1j * np.pi * np.arange(n) / n)
        source = source * phase.reshape([n if a == axis else 1 for a in range(3)])
    power = np.abs(np.fft.fftn(source)) ** 2
    angle = 2.0 * np.pi * (np.arange(n) + 0.5) / n
    s = np.meshgrid(*[2.0 - 2.0 * np.cos(angle)] * 3, indexing="ij", sparse=True)
    total = s[0] + s[1] + s[2]
    plain = sum(w * part for w, part in zip(weights, s, strict=True))
    evened = sum(w * part * (1.0 - (total - part) / 12.0) for w, part in zip(weights, s, strict=True))
    return float(np.mean(power * (1.0 / evened - 1.0 / plain)))


def mouth_pressure_mpa(
    mouth: Mouth, cells_mpa: Floats, rate_mm3_s: float, fluid: Fluid, viscosity_mpa_s: float
) -> float:
    """Pressure at the mouth for a rate, given the ghosted cell pressures.

    A Newtonian fluid takes ``viscosity_mpa_s``; a shear-dependent one is integrated along the radius
    between the cells' equivalent radius and the mouth, ``dp = eta(u) u/k dr`` with u = Q/(4 pi r²).
    """
    mean = float(np.sum(mouth.shares * cells_mpa.reshape(-1)[mouth.cells]))
    if fluid.is_newtonian or rate_mm3_s == 0.0:
        return mean + float(viscosity_mpa_s * rate_mm3_s * mouth.beyond_per_mm3)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    low, high = 1.0 / mouth.equivalent_mm, 1.0 / mouth.mouth_mm
    s = low + (high - low) * 0.5 * (nodes + 1.0)  # s = 1/r
    speed = rate_mm3_s * s**2 / (4.0 * np.pi)
    k = np.full_like(s, mouth.permeability_mm2)
    viscosity = fluid.apparent_mpa_s(speed, k, np.full_like(s, mouth.porosity))
    slope = viscosity * rate_mm3_s / (4.0 * np.pi * mouth.permeability_mm2)
    return mean + float(0.5 * (high - low) * np.sum(weights * slope))
