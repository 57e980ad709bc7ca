"""A body of bricks as an input deck that CalculiX runs: for a second opinion on any result of ours.

CalculiX's C3D8 with the same nodes, materials, held displacements and forces. mm, N, MPa. Elements
with the same constants share a material; a deck with a modulus of its own for every voxel is exact but
slow to read, so moduli can be rounded to steps of a chosen size.

References
----------
.. [1] G. Dhondt, CalculiX CrunchiX User's Manual: *NODE, *ELEMENT (C3D8), *ELASTIC (ISO, ORTHO),
   *PLASTIC, *BOUNDARY, *CLOAD, *STATIC, *NODE PRINT.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import InputError
from vertebro.numerics.elasticity import ElasticityProblem, IsotropicMaterial
from vertebro.numerics.elasticity_material import Material

C3D8_CORNERS = np.array(
    [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
)
"""(8, 3): corners in the order that C3D8 wants."""


class CalculixSolver(Enum):
    """Names of CalculiX's equation solvers."""

    DIRECT = "SPOOLES"
    ITERATIVE = "ITERATIVE SCALING"
    INCOMPLETE_CHOLESKY = "ITERATIVE CHOLESKY"


@dataclass(frozen=True)
class YieldLine:
    """Von Mises yielding with a straight hardening line, the same for every element.

    The yield stress is ``strain`` times the element's Young's modulus; it rises with the equivalent
    plastic strain by ``hardening_ratio`` times that modulus.
    """

    strain: float
    hardening_ratio: float
    n_increments: int = 20


@dataclass(frozen=True, eq=False)
class CalculixDeck:
    """What was written, to read CalculiX's answer with."""

    path: Path
    node_numbers: NDArray[np.int64]
    """(nodes): CalculiX's number of each node, 0 where there is no material."""
    element_numbers: NDArray[np.int64]
    """(i, j, k): its number of each element, 0 where there is none."""
    n_materials: int


def write_inp(
    path: Path,
    problem: ElasticityProblem,
    *,
    solver: CalculixSolver = CalculixSolver.DIRECT,
    relative_step: float = 0.0,
    yielding: YieldLine | None = None,
    origin_mm: Sequence[float] = (0.0, 0.0, 0.0),
) -> CalculixDeck:
    """Write a problem as a CalculiX input deck; run it with ``ccx`` and the name without ``.inp``.

    The printed output (``.dat``) holds the displacements of all nodes and the reactions of the held.

    Parameters
    ----------
    path : Path
        Ends in ``.inp``; an older file is replaced.
    problem : ElasticityProblem
    solver : CalculixSolver
    relative_step : float, ≥ 0
        Isotropic moduli are rounded to whole powers of ``1 + relative_step``; 0 keeps each as it is.
    yielding : YieldLine, optional
        Makes isotropic materials yield.
    origin_mm : three floats
        Added to all coordinates.

    Raises
    ------
    InputError
        If there is no element to write, or yielding is asked for an orthotropic material
        (``calculix.problem``).
    """
    material = problem.material
    there = material.is_material
    if not there.any():
        raise _unfit("a body without any element", "at least one element with stiffness")
    if yielding is not None and not isinstance(material, IsotropicMaterial):
        raise _unfit("yielding of an orthotropic material", "an isotropic material")
    nodes = material.active_nodes()
    node_numbers = _numbered(nodes)
    element_numbers = _numbered(there)
    rows, kind = _materials(material, relative_step)
    unique, index = np.unique(rows, axis=0, return_inverse=True)
    index = index.reshape(-1)
    with path.open("w", encoding="ascii") as out:
        out.write("*HEADING\nA body of bricks in mm, N, MPa\n*NODE, NSET=ALL\n")
        places = np.argwhere(nodes) * np.asarray(problem.spacing_mm) + np.asarray(origin_mm)
        for number, (x, y, z) in enumerate(places, start=1):
            out.write(f"{number}, {x:.12g}, {y:.12g}, {z:.12g}\n")
        corners = (np.argwhere(there)[:, None, :] + C3D8_CORNERS).reshape(-1, 3)
        members = node_numbers[tuple(corners.T)].reshape(-1, 8)
        order = np.argsort(index, kind="stable")
        starts = np.searchsorted(index[order], np.arange(len(unique) + 1))
        for group, row in enumerate(unique, start=1):
            out.write(f"*ELEMENT, TYPE=C3D8, ELSET=E{group}\n")
            for element in order[starts[group - 1] : starts[group]]:
                out.write(f"{element + 1}, {', '.join(str(n) for n in members[element])}\n")
            out.write(f"*MATERIAL, NAME=M{group}\n{_law(row, kind, yielding)}")
            out.write(f"*SOLID SECTION, ELSET=E{group}, MATERIAL=M{group}\n")
        out.writelines(_step(problem, node_numbers, solver, yielding))
    return CalculixDeck(path, node_numbers, element_numbers, len(unique))


def _numbered(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    numbers = np.zeros(chosen.shape, dtype=np.int64)
    numbers[chosen] = np.arange(1, int(chosen.sum()) + 1)
    return numbers


def _materials(material: Material, relative_step: float) -> tuple[NDArray[np.float64], str]:
    """(elements, 2) modulus and ratio, or (elements, 9) constants; and CalculiX's word for which."""
    there = material.is_material
    if not isinstance(material, IsotropicMaterial):
        return material.stiffness_mpa[:, there].T, "ORTHO"
    young = material.young_mpa[there]
    if relative_step > 0.0:
        young = np.exp(np.round(np.log(young) / np.log1p(relative_step)) * np.log1p(relative_step))
    ratio = np.broadcast_to(material.poisson, there.shape)[there]
    return np.stack([young, ratio], axis=1), "ISO"


def _law(row: NDArray[np.float64], kind: str, yielding: YieldLine | None) -> str:
    if kind == "ORTHO":
        c11, c22, c33, c12, c13, c23, c44, c55, c66 = (f"{value:.12g}" for value in row)
        return f"*ELASTIC, TYPE=ORTHO\n{c11}, {c12}, {c22}, {c13}, {c23}, {c33}, {c66}, {c55},\n{c44}, 293.\n"
    young, ratio = row
    law = f"*ELASTIC, TYPE=ISO\n{young:.12g}, {ratio:.12g}\n"
    if yielding is not None:
        first = young * yielding.strain
        law += f"*PLASTIC\n{first:.12g}, 0.\n{first + young * yielding.hardening_ratio:.12g}, 1.\n"
    return law


def _step(
    problem: ElasticityProblem,
    node_numbers: NDArray[np.int64],
    solver: CalculixSolver,
    yielding: YieldLine | None,
) -> Iterator[str]:
    conditions = problem.conditions
    is_there = node_numbers > 0
    held = [conditions.is_held[component] & is_there for component in range(3)]
    yield "*NSET, NSET=HELD\n"
    for number in node_numbers[held[0] | held[1] | held[2]]:
        yield f"{number},\n"
    yield "*STEP, INC=10000\n"
    if yielding is None:
        yield f"*STATIC, SOLVER={solver.value}\n"
    else:
        share = 1.0 / yielding.n_increments
        yield f"*STATIC, SOLVER={solver.value}, DIRECT\n{share:.9g}, 1.\n"
    yield "*BOUNDARY\n"
    for component in range(3):
        values = conditions.value_mm[component][held[component]]
        for number, value in zip(node_numbers[held[component]], values, strict=True):
            yield f"{number}, {component + 1}, {component + 1}, {value:.12g}\n"
    pushed = (conditions.force_n != 0.0) & ~conditions.is_held & is_there
    if pushed.any():
        yield "*CLOAD\n"
        for component in range(3):
            values = conditions.force_n[component][pushed[component]]
            for number, value in zip(node_numbers[pushed[component]], values, strict=True):
                yield f"{number}, {component + 1}, {value:.12g}\n"
    yield "*NODE PRINT, NSET=ALL\nU\n*NODE PRINT, NSET=HELD\nRF\n*END STEP\n"


def _unfit(got: str, needed: str) -> InputError:
    return InputError(
        "calculix.problem", got=got, needed=needed, remedy="Change the problem before writing it."
    )
