"""What holds and what pushes the nodes of a grid of bricks.

Nodal fields are ``(3, i+1, j+1, k+1)``, the component along the grid's axes first. mm, N.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.errors import InputError, MismatchError

Nodes = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NodeConditions:
    """Prescribed displacements and forces; every method returns a new object.

    Start from :meth:`free`.
    """

    is_held: NDArray[np.bool_]
    """(3, nodes): True where the displacement is prescribed."""
    value_mm: Nodes
    """(3, nodes): that displacement; 0 elsewhere."""
    force_n: Nodes
    """(3, nodes): force from outside."""

    @classmethod
    def free(cls, n_elements: Sequence[int]) -> NodeConditions:
        """Nothing held, nothing pushed, on a grid of so many elements.

        Examples
        --------
        >>> NodeConditions.free((2, 3, 4)).is_held.shape
        (3, 3, 4, 5)
        """
        shape = (3, *(int(n) + 1 for n in n_elements))
        return cls(np.zeros(shape, dtype=bool), np.zeros(shape), np.zeros(shape))

    def hold(
        self,
        nodes: NDArray[np.bool_],
        components: Sequence[int] = (0, 1, 2),
        value_mm: ArrayLike = 0.0,
    ) -> NodeConditions:
        """Prescribe some components of the displacement of the chosen nodes.

        Parameters
        ----------
        nodes : (i+1, j+1, k+1) bool array
        components : sequence of 0, 1, 2
        value_mm : float, or (i+1, j+1, k+1) array
        """
        self._require_grid(nodes)
        held, value = self.is_held.copy(), self.value_mm.copy()
        wanted = np.broadcast_to(np.asarray(value_mm, dtype=np.float64), nodes.shape)
        for component in components:
            held[component][nodes] = True
            value[component][nodes] = wanted[nodes]
        return NodeConditions(held, value, self.force_n)

    def hold_rigid(
        self,
        nodes: NDArray[np.bool_],
        *,
        spacing_mm: Sequence[float],
        translation_mm: Sequence[float] = (0.0, 0.0, 0.0),
        rotation_rad: Sequence[float] = (0.0, 0.0, 0.0),
        about_mm: Sequence[float] = (0.0, 0.0, 0.0),
        components: Sequence[int] = (0, 1, 2),
    ) -> NodeConditions:
        """Move the chosen nodes as one stiff body by a small motion.

        Parameters
        ----------
        nodes : (i+1, j+1, k+1) bool array
        spacing_mm : three floats
            Of the grid; node (i, j, k) lies at ``(i, j, k)·spacing_mm``.
        translation_mm, rotation_rad, about_mm : three floats each
            Displacement of ``about_mm``, and the turn about it (right-handed, small).
        components : sequence of 0, 1, 2
            Those that are prescribed; the others stay free.
        """
        result = self
        places = np.argwhere(nodes) * np.asarray(spacing_mm, dtype=np.float64) - np.asarray(about_mm)
        motion = np.asarray(translation_mm) + np.cross(np.asarray(rotation_rad, dtype=np.float64), places)
        for component in components:
            value = np.zeros(nodes.shape)
            value[nodes] = motion[:, component]
            result = result.hold(nodes, (component,), value)
        return result

    def push(self, nodes: NDArray[np.bool_], force_n: Sequence[float]) -> NodeConditions:
        """Add a force, shared equally by the chosen nodes.

        Raises
        ------
        InputError
            If no node is chosen (``elasticity.no_nodes``).
        """
        self._require_grid(nodes)
        n_nodes = int(np.count_nonzero(nodes))
        if n_nodes == 0:
            raise _no_nodes("pushed")
        force = self.force_n.copy()
        for component in range(3):
            force[component][nodes] += force_n[component] / n_nodes
        return NodeConditions(self.is_held, self.value_mm, force)

    def pin_rigid_motion(self, nodes: NDArray[np.bool_], axis: int = 2) -> NodeConditions:
        """Stop the motions of a plane within itself (two shifts, one turn) and nothing else.

        One node, the nearest to the middle, is held in both directions across the axis; the node
        farthest from it along the longer extent is held across that line.

        Parameters
        ----------
        nodes : (i+1, j+1, k+1) bool array
            Nodes of one plane across ``axis``.
        axis : 0, 1 or 2
        """
        self._require_grid(nodes)
        places = np.argwhere(nodes)
        if len(places) < 2:
            raise _no_nodes("pinned")
        first, second = (a for a in range(3) if a != axis)
        centre = places.mean(axis=0)
        middle = places[np.argmin(((places - centre) ** 2).sum(axis=1))]
        along, across = first, second
        if np.ptp(places[:, second]) > np.ptp(places[:, first]):
            along, across = second, first
        in_line = places[places[:, across] == middle[across]]
        far = in_line[np.argmax(np.abs(in_line[:, along] - middle[along]))]
        pinned = np.zeros(nodes.shape, dtype=bool)
        pinned[tuple(middle)] = True
        other = np.zeros(nodes.shape, dtype=bool)
        other[tuple(far)] = True
        return self.hold(pinned, (first, second)).hold(other, (across,))

    def _require_grid(self, nodes: NDArray[np.bool_]) -> None:
        if nodes.shape != self.is_held.shape[1:] or nodes.dtype != np.bool_:
            raise MismatchError(
                "elasticity.shape",
                got=f"a choice of nodes of shape {nodes.shape} and type {nodes.dtype}",
                needed=f"a bool array of shape {self.is_held.shape[1:]}: elements + 1 along each axis",
                remedy="Choose nodes, not elements.",
                fields=("nodes",),
            )


def _no_nodes(what: str) -> InputError:
    return InputError(
        "elasticity.no_nodes",
        got=f"too few nodes to be {what}",
        needed="nodes that belong to the bone",
        remedy="Check that the chosen plane touches the material.",
        fields=("nodes",),
    )
