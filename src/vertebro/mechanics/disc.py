"""How a disc shares its load between its fluid core and its ring, and what a stiffer endplate does to that.

One disc between two endplates: the nucleus is a fluid that keeps its volume, the annulus an axial spring
that also bulges. Under a force F the disc closes by d and

    F = p·A + k·d,      A·d = (c_ring + c_upper + c_lower)·p

with A the nucleus' area and c the volume that ring and endplates give way under a pressure of 1 MPa.
Cement behind an endplate takes its share c away, so that the pressure rises. N, mm, MPa.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.errors import SolverError
from vertebro.mechanics.model import VertebraModel
from vertebro.numerics.elasticity import (
    ElasticityProblem,
    ElasticitySettings,
    NodeConditions,
    solve_elasticity,
)

NUCLEUS_SHARE = 0.4
"""Of the disc's area (0.3 to 0.5 in anatomical series; assumed middle)."""
PRESSURE_RATIO = 1.5
"""Pressure of a healthy nucleus over the disc's mean stress (Nachemson, Acta Orthop Scand 1960, Suppl 43)."""
RING_STIFFNESS_N_PER_MM = 600.0
"""Of the annulus alone along the axis (assumed: about half of a lumbar disc's)."""


@dataclass(frozen=True, slots=True)
class Disc:
    """A disc of given area whose healthy pressure is known.

    Examples
    --------
    >>> disc = Disc(1300.0, ring_mm3_per_mpa=200.0)
    >>> soft = disc.pressure_mpa(500.0, upper_mm3_per_mpa=60.0, lower_mm3_per_mpa=60.0)
    >>> stiff = disc.pressure_mpa(500.0, upper_mm3_per_mpa=6.0, lower_mm3_per_mpa=60.0)
    >>> 1.02 < stiff / soft < 1.2
    True
    """

    area_mm2: float
    ring_mm3_per_mpa: float
    """Volume by which the ring bulges outwards for 1 MPa in the nucleus."""

    @classmethod
    def healthy(cls, area_mm2: float, upper_mm3_per_mpa: float, lower_mm3_per_mpa: float) -> Disc:
        """The disc whose pressure is 1.5 times its mean stress between two such endplates.

        Where the endplates alone give way more than that pressure allows, the ring is taken as stiff.
        """
        nucleus = NUCLEUS_SHARE * area_mm2
        total = (area_mm2 / PRESSURE_RATIO - nucleus) * nucleus / RING_STIFFNESS_N_PER_MM
        return cls(area_mm2, max(0.0, total - upper_mm3_per_mpa - lower_mm3_per_mpa))

    def pressure_mpa(self, force_n: float, upper_mm3_per_mpa: float, lower_mm3_per_mpa: float) -> float:
        """Pressure of the nucleus under a force."""
        nucleus = NUCLEUS_SHARE * self.area_mm2
        gives = self.ring_mm3_per_mpa + upper_mm3_per_mpa + lower_mm3_per_mpa
        return force_n / (nucleus + RING_STIFFNESS_N_PER_MM * gives / nucleus)

    def annulus_share(self, upper_mm3_per_mpa: float, lower_mm3_per_mpa: float) -> float:
        """Share of the force that the ring carries."""
        pressure = self.pressure_mpa(1.0, upper_mm3_per_mpa, lower_mm3_per_mpa)
        return 1.0 - pressure * NUCLEUS_SHARE * self.area_mm2


def endplate_give_mm3_per_mpa(model: VertebraModel, side: int, *, tolerance: float = 1e-5) -> float:
    """Volume by which the middle of an endplate gives way under 1 MPa from the nucleus, its ring held.

    Parameters
    ----------
    model : VertebraModel
        Its caps are taken away: the nucleus presses on the bone itself.
    side : +1 or −1
        The upper or the lower endplate.

    Raises
    ------
    SolverError
        If the solver did not come to a usable end.
    """
    mesh = model.mesh
    cap = mesh.cap_superior if side > 0 else mesh.cap_inferior
    pressed = np.asarray(cap.any(axis=2))
    surface, nodes_z = _surface_nodes(mesh.body, pressed, side)
    core = _inner_part(pressed, NUCLEUS_SHARE)
    n_planes = mesh.body.shape[2] + 1
    push_nodes = _column_nodes(surface, nodes_z, core, n_planes)
    ring_nodes = _column_nodes(surface, nodes_z, pressed & ~core, n_planes) & ~push_nodes
    material = model.material.without(mesh.cap_superior | mesh.cap_inferior)
    h = mesh.spacing_mm
    area = float(core.sum()) * h * h
    conditions = NodeConditions.free(model.young_mpa.shape).hold(ring_nodes, (0, 1, 2), 0.0)
    conditions = conditions.push(push_nodes, (0.0, 0.0, -float(side) * area))
    solution = solve_elasticity(
        ElasticityProblem(material, (h, h, h), conditions), ElasticitySettings(tolerance=tolerance)
    )
    if not solution.status.is_usable:
        raise SolverError(f"{solution.status.sentence} {solution.status.remedy}")
    given = -float(side) * float(solution.displacement_mm[2][push_nodes].mean())
    return max(0.0, given * area)


def _surface_nodes(
    body: NDArray[np.bool_], columns: NDArray[np.bool_], side: int
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Columns with bone, and the node plane of each column's outermost face."""
    has = np.asarray(columns & body.any(axis=2))
    if side > 0:
        return has, body.shape[2] - np.argmax(body[:, :, ::-1], axis=2)
    return has, np.argmax(body, axis=2)


def _inner_part(columns: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    """The middle of an area: the columns farthest from its edge."""
    depth = ndimage.distance_transform_edt(np.pad(columns, 1))[1:-1, 1:-1]
    count = max(1, round(share * int(columns.sum())))
    limit = np.sort(depth[columns])[::-1][count - 1]
    return np.asarray(columns & (depth >= limit))


def _column_nodes(
    has: NDArray[np.bool_], nodes_z: NDArray[np.int64], columns: NDArray[np.bool_], n_planes: int
) -> NDArray[np.bool_]:
    """Corner nodes of the outer faces of the chosen columns."""
    shape = has.shape
    nodes = np.zeros((shape[0] + 1, shape[1] + 1, n_planes), dtype=bool)
    i, j = np.nonzero(has & columns)
    for step_i in (0, 1):
        for step_j in (0, 1):
            nodes[i + step_i, j + step_j, nodes_z[i, j]] = True
    return nodes


def pressure_change_percent(
    disc: Disc, before_mm3_per_mpa: float, after_mm3_per_mpa: float, other_mm3_per_mpa: float
) -> float:
    """By how much the pressure of a disc rises when one of its endplates stiffens, force unchanged.

    Examples
    --------
    >>> disc = Disc.healthy(1300.0, 60.0, 60.0)
    >>> 2.0 < pressure_change_percent(disc, 60.0, 6.0, 60.0) < 20.0
    True
    """
    before = disc.pressure_mpa(1.0, before_mm3_per_mpa, other_mm3_per_mpa)
    after = disc.pressure_mpa(1.0, after_mm3_per_mpa, other_mm3_per_mpa)
    return 100.0 * (after / before - 1.0)
