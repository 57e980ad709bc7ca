"""The porous medium in which Darcy flow is solved: grid, layers on faces, borders and a pipe network.

Nothing here knows bone: porosity, permeability, thin resistant layers on faces, and an embedded
network of pipes (with nodes of finite volume, and outlets held at a pressure). Units: mm, s, MPa.
Arrays are indexed (i, j, k) along the grid's own x, y, z; cell centres lie at index times spacing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.errors import InputError
from vertebro.numerics.darcy_plan import FlowPlan, make_plan

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def _frozen(values: ArrayLike, dtype: type = np.float64) -> NDArray:  # type: ignore[type-arg]
    array: NDArray = np.array(values, dtype)  # type: ignore[type-arg]
    array.flags.writeable = False
    return array


def _refuse(code: str, got: str, needed: str, remedy: str, *fields: str) -> InputError:
    return InputError(code, got=got, needed=needed, remedy=remedy, fields=fields)


@dataclass(frozen=True, slots=True, eq=False)
class FlowNetwork:
    """Pipes embedded in the medium: veins, fissures, and the places where they end.

    Node ``j`` has the number ``grid size + j`` in ``first`` and ``second``; a cell has its flat C index.

    Parameters
    ----------
    volume_mm3 : (m,) float array, > 0
        Pore volume of every node; ``inf`` at outlets.
    held_pressure_mpa : (m,) float array
        ``nan`` for a free node, a number for an outlet or reservoir kept at that pressure.
    resident_viscosity_mpa_s : (m,) float array, > 0
        Of what fills the node before cement does.
    first, second : (e,) int array
        Ends of every connection.
    connectivity_mm3 : (e,) float array, >= 0
        Permeability times area over length; for a tube of radius r and length L, pi r⁴ / (8 L).

    Raises
    ------
    InputError
        ``flow.network`` for lengths, numbers or values that make no network.
    """

    volume_mm3: Floats
    held_pressure_mpa: Floats
    resident_viscosity_mpa_s: Floats
    first: Ints
    second: Ints
    connectivity_mm3: Floats

    def __post_init__(self) -> None:
        for name in ("volume_mm3", "held_pressure_mpa", "resident_viscosity_mpa_s", "connectivity_mm3"):
            object.__setattr__(self, name, _frozen(getattr(self, name)).reshape(-1))
        for name in ("first", "second"):
            object.__setattr__(self, name, _frozen(getattr(self, name), np.int64).reshape(-1))
        m, e = self.volume_mm3.size, self.first.size
        fits = (
            self.held_pressure_mpa.size == m
            and self.resident_viscosity_mpa_s.size == m
            and self.second.size == e
            and self.connectivity_mm3.size == e
        )
        good = fits and bool(
            np.all(self.volume_mm3 > 0.0)
            and np.all(self.resident_viscosity_mpa_s > 0.0)
            and np.all((self.connectivity_mm3 >= 0.0) & np.isfinite(self.connectivity_mm3))
            and np.all(np.isfinite(self.volume_mm3) | np.isfinite(self.held_pressure_mpa))
        )
        if not good:
            raise _refuse(
                "flow.network",
                "a pipe network with unequal lengths or values outside their range",
                "volumes and viscosities above 0, connections from 0, endless volume only at held nodes",
                "Correct the network.",
                "network",
            )

    @classmethod
    def empty(cls) -> FlowNetwork:
        """No pipes."""
        none = np.zeros(0)
        return cls(none, none, none, none.astype(np.int64), none.astype(np.int64), none)

    @property
    def n_nodes(self) -> int:
        """Nodes, held ones included."""
        return int(self.volume_mm3.size)


@dataclass(frozen=True, slots=True, eq=False)
class DarcyMedium:
    """Porous medium on an isotropic grid.

    Parameters
    ----------
    spacing_mm : float, > 0
    porosity : (nx, ny, nz) array in [0, 1]
        0 where there are no pores: no flow.
    permeability_mm2 : (nx, ny, nz) or (3, nx, ny, nz) array, >= 0
        Along x, y and z where three are given; 0 means no flow.
    face_resistance_per_mm : three (nx, ny, nz) arrays, >= 0, optional
        Thickness over permeability of a thin layer on the face between a cell and its next along x,
        y, z; ``inf`` is closed. The last entries along the axis are not used.
    border_pressure_mpa : six float or None
        Pressure outside -x, +x, -y, +y, -z, +z; None is a closed side.
    network : FlowNetwork, optional

    Raises
    ------
    InputError
        ``flow.medium`` for shapes or values that make no medium.

    Examples
    --------
    >>> medium = DarcyMedium(1.0, np.full((4, 4, 4), 0.8), np.full((4, 4, 4), 0.04))
    >>> round(float(medium.pore_volume_mm3.sum()), 6)
    51.2
    """

    spacing_mm: float
    porosity: Floats
    permeability_mm2: Floats
    face_resistance_per_mm: tuple[Floats, Floats, Floats] | None = None
    border_pressure_mpa: tuple[float | None, ...] = (0.0,) * 6
    network: FlowNetwork = field(default_factory=FlowNetwork.empty)
    plan: FlowPlan = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "porosity", _frozen(self.porosity))
        object.__setattr__(self, "permeability_mm2", _frozen(self.permeability_mm2))
        if self.face_resistance_per_mm is not None:
            layers = tuple(_frozen(values) for values in self.face_resistance_per_mm)
            object.__setattr__(self, "face_resistance_per_mm", layers)
        self._check()
        object.__setattr__(self, "plan", make_plan(self))

    def _check(self) -> None:
        shape, k = self.porosity.shape, self.permeability_mm2
        layers = self.face_resistance_per_mm or ()
        good = (
            len(shape) == 3
            and min(shape) > 0
            and k.shape in (shape, (3, *shape))
            and all(values.shape == shape for values in layers)
            and len(layers) in (0, 3)
            and len(self.border_pressure_mpa) == 6
            and np.isfinite(self.spacing_mm)
            and self.spacing_mm > 0.0
        )
        good = good and bool(
            np.all((self.porosity >= 0.0) & (self.porosity <= 1.0))
            and np.all((k >= 0.0) & np.isfinite(k))
            and all(np.all(values >= 0.0) for values in layers)
        )
        ends = np.concatenate([self.network.first, self.network.second])
        good = good and bool(np.all((ends >= 0) & (ends < self.porosity.size + self.network.n_nodes)))
        if not good:
            raise _refuse(
                "flow.medium",
                "a porous medium with unequal shapes or values outside their range",
                "porosity 0 to 1, permeability and layers from 0, a spacing above 0, known ends of pipes",
                "Correct the medium.",
                "porosity",
                "permeability_mm2",
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells along x, y, z."""
        a, b, c = self.porosity.shape
        return a, b, c

    @property
    def pore_volume_mm3(self) -> Floats:
        """(nx, ny, nz) volume of pores in every cell."""
        return self.porosity * self.spacing_mm**3

    @property
    def can_flow(self) -> NDArray[np.bool_]:
        """Cells joined, through cells and pipes, to a held pressure."""
        whole = np.zeros(self.shape, bool)
        whole[self.plan.box] = self.plan.is_active[1:-1, 1:-1, 1:-1]
        return whole
