"""Bodies of bricks that the tests of elasticity press, bend and shear."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.numerics.elasticity import (
    ElasticityProblem,
    ElasticitySettings,
    ElasticitySolution,
    NodeConditions,
    solve_elasticity,
)
from vertebro.numerics.elasticity_material import Material

TIGHT = ElasticitySettings(tolerance=1e-12)
"""For cases whose solution is known exactly."""


def node_places(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """(3, nodes): where the nodes of a grid lie, mm."""
    axes = [np.arange(n + 1) * h for n, h in zip(shape, spacing_mm, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"))


def outer_nodes(shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """(nodes): those on the surface of the grid."""
    outer = np.ones([n + 1 for n in shape], dtype=bool)
    outer[1:-1, 1:-1, 1:-1] = False
    return outer


def hold_field(
    conditions: NodeConditions, nodes: NDArray[np.bool_], field_mm: NDArray[np.float64]
) -> NodeConditions:
    """Prescribe a whole displacement field ``(3, nodes)`` at the chosen nodes."""
    for component in range(3):
        conditions = conditions.hold(nodes, (component,), field_mm[component])
    return conditions


def pressed(
    material: Material,
    strain: float,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    *,
    axis: int = 2,
    is_confined: bool = False,
    settings: ElasticitySettings = TIGHT,
) -> tuple[ElasticityProblem, ElasticitySolution, NDArray[np.bool_]]:
    """A body whose upper end is moved along an axis, its ends free to widen.

    Confined, no node at all may move across the axis.
    """
    low, high = material.end_nodes(axis, -1), material.end_nodes(axis, 1)
    length = material.shape[axis] * spacing_mm[axis]
    conditions = NodeConditions.free(material.shape).hold(low, (axis,))
    conditions = conditions.hold(high, (axis,), strain * length)
    if is_confined:
        across = tuple(a for a in range(3) if a != axis)
        conditions = conditions.hold(material.active_nodes(), across)
    else:
        conditions = conditions.pin_rigid_motion(low, axis)
    problem = ElasticityProblem(material, spacing_mm, conditions)
    return problem, solve_elasticity(problem, settings), high
