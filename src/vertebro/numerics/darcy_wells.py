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
    return near + far


def place_mouth(medium: DarcyMedium, opening: Opening) -> Mouth:
    """Share an opening among the cells around it and find its resistance.

    Raises
    ------
    InputError
        ``flow.no_way_out`` where no cell at the mouth is joined to an outlet.
    """
    low = np.floor(opening.position).astype(int)
    rest = np.asarray(opening.position) - low
    corners = np.stack(np.meshgrid(*[(0, 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    shares = np.prod(np.where(corners == 1, rest, 1.0 - rest), axis=1)
    index = low + corners
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
    own = _own_green(index, shares, (weights[0], weights[1], weights[2]))
    axes = opening.radius_mm * np.sqrt(mean / k)
    capacity = 1.0 / float(elliprf(*(axes**2)))
    porosity = float(np.sum(shares * medium.porosity[tuple(index.T)]))
    equivalent = medium.spacing_mm / (4.0 * np.pi * own)
    return Mouth(cells.astype(np.int64), shares, mean, porosity, equivalent, capacity)


def _own_green(index: NDArray[np.int64], shares: Floats, weights: tuple[float, float, float]) -> float:
    """Mean Green function of the shared source upon itself."""
    known: dict[tuple[int, ...], float] = {}
    total = 0.0
    for a, share_a in zip(index, shares, strict=True):
        for b, share_b in zip(index, shares, strict=True):
            offset = tuple(int(n) for n in np.abs(a - b))
            if offset not in known:
                known[offset] = lattice_green((offset[0], offset[1], offset[2]), weights)
            total += share_a * share_b * known[offset]
    return total


def mouth_pressure_mpa(
    mouth: Mouth, cells_mpa: Floats, rate_mm3_s: float, fluid: Fluid, viscosity_mpa_s: float
) -> float:
    """Pressure at the mouth for a rate, given the ghosted cell pressures.

    A Newtonian fluid takes ``viscosity_mpa_s``; a shear-dependent one is integrated along the radius
    between the cells' equivalent radius and the mouth, ``dp = eta(u) u/k dr`` with u = Q/(4 pi r²).
    """
    mean = float(np.sum(mouth.shares * cells_mpa.reshape(-1)[mouth.cells]))
    if fluid.is_newtonian or rate_mm3_s == 0.0:
        return mean + viscosity_mpa_s * rate_mm3_s * mouth.beyond_per_mm3
    nodes, weights = np.polynomial.legendre.leggauss(24)
    low, high = 1.0 / mouth.equivalent_mm, 1.0 / mouth.mouth_mm
    s = low + (high - low) * 0.5 * (nodes + 1.0)  # s = 1/r
    speed = rate_mm3_s * s**2 / (4.0 * np.pi)
    k = np.full_like(s, mouth.permeability_mm2)
    viscosity = fluid.apparent_mpa_s(speed, k, np.full_like(s, mouth.porosity))
    slope = viscosity * rate_mm3_s / (4.0 * np.pi * mouth.permeability_mm2)
    return mean + float(0.5 * (high - low) * np.sum(weights * slope))
