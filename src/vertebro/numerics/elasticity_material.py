"""Elastic constants of every brick of a grid: isotropic, or orthotropic along the grid's axes.

MPa. Strains and stresses are in Voigt order xx, yy, zz, yz, xz, xy with engineering shear strain.
A brick whose constants are all 0 is no brick: nothing is there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.errors import InputError, MismatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

Bricks = NDArray[np.float64]
CONSTANTS = ("C11", "C22", "C33", "C12", "C13", "C23", "C44", "C55", "C66")


class _Grid(ABC):
    """What every material can say about where it is."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """Number of bricks along the three axes."""

    @property
    @abstractmethod
    def is_material(self) -> NDArray[np.bool_]:
        """(i, j, k): True where there is a brick."""

    def active_nodes(self) -> NDArray[np.bool_]:
        """(i+1, j+1, k+1): True where a node belongs to at least one brick."""
        return nodes_of(self.is_material)

    def end_nodes(self, axis: int, side: int) -> NDArray[np.bool_]:
        """(i+1, j+1, k+1): nodes of the outermost plane of the material along an axis.

        Parameters
        ----------
        axis : 0, 1 or 2
        side : +1 or −1
            The high or the low end.

        Raises
        ------
        InputError
            If there is no material (``elasticity.no_material``).
        """
        layers = np.flatnonzero(self.is_material.any(axis=tuple(a for a in range(3) if a != axis)))
        if layers.size == 0:
            raise InputError(
                "elasticity.no_material",
                got="a grid in which no element has stiffness",
                needed="at least one element with a modulus above 0",
                remedy="Check the mask and the density of the bone.",
            )
        plane = int(layers[-1]) + 1 if side > 0 else int(layers[0])
        chosen = np.zeros(tuple(n + 1 for n in self.shape), dtype=bool)
        index: list[slice | int] = [slice(None)] * 3
        index[axis] = plane
        chosen[tuple(index)] = True
        return chosen & self.active_nodes()


@dataclass(frozen=True, eq=False)
class IsotropicMaterial(_Grid):
    """Young's modulus and Poisson's ratio of every brick.

    Parameters
    ----------
    young_mpa : (i, j, k) array, ≥ 0
        0 where there is nothing.
    poisson : float or (i, j, k) array, above −1 and below 0.5

    Raises
    ------
    InputError
        If a value is out of range or not finite (``elasticity.material``).

    Examples
    --------
    >>> IsotropicMaterial(np.full((2, 2, 2), 1000.0), 0.25).lame_mpa()[0, 0, 0, 0]
    np.float64(400.0)
    """

    young_mpa: Bricks
    poisson: float | Bricks = 0.3

    def __post_init__(self) -> None:
        young = _bricks(self.young_mpa, "young_mpa")
        ratio = np.asarray(self.poisson, dtype=np.float64)
        if ratio.ndim and ratio.shape != young.shape:
            raise MismatchError(
                "elasticity.shape",
                got=f"Poisson's ratios of shape {ratio.shape}",
                needed=f"one number, or the shape of the moduli {young.shape}",
                remedy="Give both on the same grid.",
                fields=("poisson",),
            )
        used = ratio[young > 0.0] if ratio.ndim else ratio
        _require((young >= 0.0).all(), "a negative Young's modulus", "moduli of 0 or more")
        is_good = bool(np.all(np.isfinite(used) & (used > -1.0) & (used < 0.5)))
        _require(is_good, "a Poisson's ratio outside −1 to 0.5", "ratios above −1 and below 0.5")
        object.__setattr__(self, "young_mpa", young)
        object.__setattr__(self, "poisson", float(ratio) if ratio.ndim == 0 else _bricks(ratio, "poisson"))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of bricks along the three axes."""
        return _triple(self.young_mpa.shape)

    @property
    def is_material(self) -> NDArray[np.bool_]:
        """(i, j, k): True where there is a brick."""
        return self.young_mpa > 0.0

    def lame_mpa(self) -> Bricks:
        """(2, i, j, k): Lamé's constants λ and μ, MPa."""
        ratio = np.where(self.is_material, self.poisson, 0.0)
        shear = self.young_mpa / (2.0 * (1.0 + ratio))
        return np.stack([2.0 * shear * ratio / (1.0 - 2.0 * ratio), shear])

    def constants_mpa(self) -> Bricks:
        """(9, i, j, k): the same as nine orthotropic constants."""
        first, shear = self.lame_mpa()
        axial = first + 2.0 * shear
        return np.stack([axial, axial, axial, first, first, first, shear, shear, shear])

    def reduced(self) -> Bricks:
        """The fewest constants that describe it: λ and μ."""
        return self.lame_mpa()

    def scaled(self, factor: ArrayLike) -> IsotropicMaterial:
        """The same material with every modulus times ``factor`` (a number or one for each brick)."""
        return IsotropicMaterial(self.young_mpa * np.asarray(factor, dtype=np.float64), self.poisson)

    def without(self, elements: NDArray[np.bool_]) -> IsotropicMaterial:
        """The same with some bricks taken away."""
        return IsotropicMaterial(np.where(elements, 0.0, self.young_mpa), self.poisson)

    def where(self, mask: NDArray[np.bool_], other: IsotropicMaterial | OrthotropicMaterial) -> Material:
        """``other`` in the bricks of ``mask``, this material in the rest."""
        if isinstance(other, IsotropicMaterial):
            ratio: float | Bricks = np.where(mask, other.poisson, self.poisson)
            if isinstance(self.poisson, float) and self.poisson == other.poisson:
                ratio = self.poisson
            return IsotropicMaterial(np.where(mask, other.young_mpa, self.young_mpa), ratio)
        return OrthotropicMaterial(np.where(mask, other.stiffness_mpa, self.constants_mpa()))


@dataclass(frozen=True, eq=False)
class OrthotropicMaterial(_Grid):
    """Nine constants of every brick, symmetric about the grid's planes.

    Parameters
    ----------
    stiffness_mpa : (9, i, j, k) array
        C11 C22 C33 C12 C13 C23 C44 (yz) C55 (xz) C66 (xy); all 0 where there is nothing.

    Raises
    ------
    InputError
        If the constants of a brick would release energy when it is strained (``elasticity.material``).
    """

    stiffness_mpa: Bricks

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.stiffness_mpa, dtype=np.float64)
        if values.ndim != 4 or values.shape[0] != 9:
            raise MismatchError(
                "elasticity.shape",
                got=f"constants of shape {values.shape}",
                needed="an array (9, i, j, k)",
                remedy=f"Give {' '.join(CONSTANTS)} on the grid of the elements.",
                fields=("stiffness_mpa",),
            )
        _require(bool(np.isfinite(values).all()), "a constant that is not a number", "finite constants")
        c11, c22, c33, c12, c13, c23, *shear = values[:, values[0] > 0.0]
        minor = c11 * c22 - c12**2
        whole = c33 * minor - c11 * c23**2 - c22 * c13**2 + 2.0 * c12 * c13 * c23
        is_good = bool(np.all((minor > 0.0) & (whole > 0.0) & (np.min(shear, axis=0, initial=np.inf) > 0.0)))
        is_good &= not values[:, values[0] <= 0.0].any()
        _require(is_good, "constants that no real material has", "a positive definite stiffness")
        values.setflags(write=False)
        object.__setattr__(self, "stiffness_mpa", values)

    @classmethod
    def from_isotropic(cls, young_mpa: Bricks, poisson: float | Bricks) -> OrthotropicMaterial:
        """An isotropic material in the form of nine constants."""
        return cls(IsotropicMaterial(young_mpa, poisson).constants_mpa())

    @classmethod
    def from_engineering(
        cls, young_mpa: Sequence[ArrayLike], shear_mpa: Sequence[ArrayLike], poisson: Sequence[ArrayLike]
    ) -> OrthotropicMaterial:
        """From moduli and ratios along the grid's axes.

        Parameters
        ----------
        young_mpa : three (i, j, k) arrays
            E1, E2, E3; 0 where there is nothing.
        shear_mpa : three arrays or numbers
            G23, G13, G12.
        poisson : three arrays or numbers
            ν12, ν13, ν23: strain along the second axis for stress along the first.
        """
        e1, e2, e3 = (np.asarray(value, dtype=np.float64) for value in young_mpa)
        there = e1 > 0.0
        e1, e2, e3 = (np.where(there, value, 1.0) for value in (e1, e2, e3))
        n12, n13, n23 = (np.asarray(value, dtype=np.float64) for value in poisson)
        n21, n31, n32 = n12 * e2 / e1, n13 * e3 / e1, n23 * e3 / e2
        whole = 1.0 - n12 * n21 - n23 * n32 - n13 * n31 - 2.0 * n21 * n32 * n13
        stiffness = [
            e1 * (1.0 - n23 * n32) / whole,
            e2 * (1.0 - n13 * n31) / whole,
            e3 * (1.0 - n12 * n21) / whole,
            e1 * (n21 + n31 * n23) / whole,
            e1 * (n31 + n21 * n32) / whole,
            e2 * (n32 + n12 * n31) / whole,
            *shear_mpa,
        ]
        return cls(np.stack([np.where(there, value, 0.0) for value in stiffness]))

    @classmethod
    def transversely_isotropic(
        cls,
        axial_young_mpa: Bricks,
        axis: int = 2,
        *,
        transverse_ratio: float = 0.333,
        axial_shear_ratio: float = 0.157,
        transverse_shear_ratio: float = 0.121,
        axial_poisson: float = 0.3123,
    ) -> OrthotropicMaterial:
        """Isotropic across an axis of the grid, different along it.

        The defaults are those of vertebral trabecular bone: E_t = 0.333 E_a, G_tt = 0.121 E_a, G_at =
        0.157 E_a, ν_tt = 0.381 (from E_t and G_tt), ν_ta = 0.104 (Crawford et al., J Biomech 2003;
        Ulrich et al. 1999), which is ν_at = 0.104 / 0.333.

        Parameters
        ----------
        axial_young_mpa : (i, j, k) array
        axis : 0, 1 or 2
        transverse_ratio, axial_shear_ratio, transverse_shear_ratio : float
            Transverse Young's modulus, shear modulus along the axis, shear modulus across it, each
            over the axial Young's modulus.
        axial_poisson : float
            Transverse contraction for stress along the axis.
        """
        axial = _bricks(axial_young_mpa, "axial_young_mpa")
        across = transverse_ratio / (2.0 * transverse_shear_ratio) - 1.0
        young = [transverse_ratio * axial] * 3
        young[axis] = axial
        shear = [axial_shear_ratio * axial] * 3
        shear[axis] = transverse_shear_ratio * axial
        pairs = ((0, 1), (0, 2), (1, 2))
        poisson = [
            across
            if axis not in pair
            else axial_poisson
            if pair[0] == axis
            else axial_poisson * transverse_ratio
            for pair in pairs
        ]
        return cls.from_engineering(young, shear, poisson)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of bricks along the three axes."""
        return _triple(self.stiffness_mpa.shape[1:])

    @property
    def is_material(self) -> NDArray[np.bool_]:
        """(i, j, k): True where there is a brick."""
        return np.asarray(self.stiffness_mpa[0] > 0.0)

    def constants_mpa(self) -> Bricks:
        """(9, i, j, k): the constants."""
        return self.stiffness_mpa

    def reduced(self) -> Bricks:
        """The fewest constants that describe it: all nine."""
        return self.stiffness_mpa

    def scaled(self, factor: ArrayLike) -> OrthotropicMaterial:
        """The same material with every constant times ``factor`` (a number or one for each brick)."""
        return OrthotropicMaterial(self.stiffness_mpa * np.asarray(factor, dtype=np.float64))

    def without(self, elements: NDArray[np.bool_]) -> OrthotropicMaterial:
        """The same with some bricks taken away."""
        return OrthotropicMaterial(np.where(elements, 0.0, self.stiffness_mpa))

    def where(self, mask: NDArray[np.bool_], other: Material) -> OrthotropicMaterial:
        """``other`` in the bricks of ``mask``, this material in the rest."""
        return OrthotropicMaterial(np.where(mask, other.constants_mpa(), self.stiffness_mpa))


Material = IsotropicMaterial | OrthotropicMaterial


def nodes_of(elements: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(i+1, j+1, k+1): the corners of the chosen elements.

    Examples
    --------
    >>> int(nodes_of(np.ones((1, 1, 2), dtype=bool)).sum())
    12
    """
    nodes: NDArray[np.bool_] = np.zeros([n + 1 for n in elements.shape], dtype=bool)
    for i in (0, 1):
        for j in (0, 1):
            for k in (0, 1):
                ni, nj, nk = elements.shape
                nodes[i : i + ni, j : j + nj, k : k + nk] |= elements
    return nodes


def voigt(constants: Bricks) -> NDArray[np.float64]:
    """(…, 6, 6) stiffness matrices of nine constants ``(9, …)``."""
    matrix = np.zeros((*constants.shape[1:], 6, 6))
    for value, (row, column) in zip(
        constants, ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2), (3, 3), (4, 4), (5, 5)), strict=True
    ):
        matrix[..., row, column] = value
        matrix[..., column, row] = value
    return matrix


def _bricks(values: ArrayLike, name: str) -> Bricks:
    array = np.array(values, dtype=np.float64, order="C")
    if array.ndim != 3:
        raise MismatchError(
            "elasticity.shape",
            got=f"{name} with {array.ndim} dimensions",
            needed="an array (i, j, k)",
            remedy="Give one value for each element of the grid.",
            fields=(name,),
        )
    _require(bool(np.isfinite(array).all()), f"a value of {name} that is not a number", "finite values")
    array.setflags(write=False)
    return array


def _require(condition: object, got: str, needed: str) -> None:
    if not condition:
        raise InputError(
            "elasticity.material", got=got, needed=needed, remedy="Check the law that made the moduli."
        )


def _triple(shape: tuple[int, ...]) -> tuple[int, int, int]:
    return (int(shape[0]), int(shape[1]), int(shape[2]))
