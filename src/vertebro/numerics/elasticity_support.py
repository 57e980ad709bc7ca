"""Which pieces of a grid of bricks are held well enough to have one answer.

Bricks that share a face make a piece. A piece that can move as a stiff body without anything opposing
it either carries nothing (it is left out) or is pushed into that motion (there is no answer).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, ndimage

from vertebro.numerics.elasticity_conditions import NodeConditions
from vertebro.numerics.elasticity_material import nodes_of

TOLERANCE = 1e-9
"""Share of the largest below which a motion or a force counts as none (rounding of float64 sums)."""


@dataclass(frozen=True, eq=False)
class Support:
    """What was found about the pieces."""

    n_pieces: int
    dropped: NDArray[np.bool_]
    """(i, j, k): elements of pieces that carry nothing."""
    n_dropped_pieces: int
    n_loose_pieces: int
    """Pieces that carry load though they could still shift or turn freely in some direction."""
    pins: NDArray[np.bool_]
    """(3, nodes): the fewest displacements that, held as well, stop those motions; nothing pulls at
    them."""
    is_pushed_away: bool
    """True where a force drives a piece that nothing holds in that direction."""


def find_support(
    is_material: NDArray[np.bool_], spacing_mm: tuple[float, float, float], conditions: NodeConditions
) -> Support:
    """Sort the pieces into held, loose, left out and pushed away.

    Parameters
    ----------
    is_material : (i, j, k) bool array
    spacing_mm : three floats
    conditions : NodeConditions
    """
    labels, n_pieces = ndimage.label(is_material)
    boxes = ndimage.find_objects(labels)
    is_held_piece = np.zeros(n_pieces + 1, dtype=bool)
    verdicts = {}
    pins = {}
    pending = list(range(1, n_pieces + 1))
    held_nodes = np.zeros(conditions.is_held.shape[1:], dtype=bool)
    while pending:
        found = []
        for piece in pending:
            box = boxes[piece - 1]
            verdict, pinned = _judge(labels[box] == piece, box, spacing_mm, conditions, held_nodes)
            verdicts[piece], pins[piece] = verdict, pinned
            if verdict == "held":
                found.append(piece)
        is_held_piece[found] = True
        pending = [piece for piece in pending if piece not in set(found)] if found else []
        if pending:
            held_nodes = nodes_of(is_held_piece[labels])
    dropped_pieces = [piece for piece, verdict in verdicts.items() if verdict == "idle"]
    flags = np.zeros(n_pieces + 1, dtype=bool)
    flags[dropped_pieces] = True
    pinned_dofs = np.zeros(conditions.is_held.shape, dtype=bool)
    for piece, places in pins.items():
        if verdicts[piece] == "loose":
            pinned_dofs[tuple(places.T)] = True
    return Support(
        n_pieces,
        flags[labels],
        len(dropped_pieces),
        sum(verdict == "loose" for verdict in verdicts.values()),
        pinned_dofs,
        any(verdict == "pushed" for verdict in verdicts.values()),
    )


def _judge(
    piece: NDArray[np.bool_],
    box: tuple[slice, slice, slice],
    spacing_mm: tuple[float, float, float],
    conditions: NodeConditions,
    held_nodes: NDArray[np.bool_],
) -> tuple[str, NDArray[np.int64]]:
    """One of held, loose, idle, pushed; and (n, 4) component and node of the pins of a loose piece."""
    none = np.zeros((0, 4), np.int64)
    window = (slice(None), *(slice(part.start, part.stop + 1) for part in box))
    is_held, force_n = conditions.is_held[window], conditions.force_n[window]
    everywhere = nodes_of(piece)
    # only nodes that are held, tied to a held piece or pushed say anything
    nodes = everywhere & (is_held.any(axis=0) | held_nodes[window[1:]] | (force_n != 0.0).any(axis=0))
    if not nodes.any():
        return "idle", none
    spacing = np.asarray(spacing_mm)
    centre, size = _middle(np.argwhere(everywhere) * spacing)
    places = (np.argwhere(nodes) * spacing - centre) / size
    tied = held_nodes[window[1:]][nodes]
    gram, right, square = np.zeros((6, 6)), np.zeros(6), 0.0
    push = np.zeros(6)
    for component in range(3):
        motion = _rigid_motions(places, component)
        held = is_held[component][nodes]
        value = conditions.value_mm[window][component][nodes]
        fixed = motion[held | tied]
        gram += fixed.T @ fixed
        right += motion[held].T @ value[held]
        square += float((value[held] ** 2).sum())
        force = np.where(held, 0.0, force_n[component][nodes])
        push += motion.T @ force
    sizes, modes = np.linalg.eigh(gram)
    free = modes[:, sizes <= TOLERANCE * max(float(sizes[-1]), 1.0)]
    if free.shape[1] == 0:
        return "held", none
    total = float(np.abs(force_n[:, nodes]).sum())
    if np.abs(free.T @ push).max() > TOLERANCE * total:
        return "pushed", none
    rigid = np.linalg.lstsq(gram, right, rcond=None)[0]
    misfit = square - 2.0 * rigid @ right + rigid @ gram @ rigid
    if misfit <= 1e-12 * square and total == 0.0:
        return "idle", none
    return "loose", _pins(everywhere, free, spacing, [part.start for part in box])


def _middle(places: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    centre = 0.5 * (places.min(axis=0) + places.max(axis=0))
    return centre, max(float(np.abs(places - centre).max()), 1e-300)


def _rigid_motions(places: NDArray[np.float64], component: int) -> NDArray[np.float64]:
    """(n, 6): what three shifts and three turns about the origin do to one component."""
    motion = np.zeros((len(places), 6))
    motion[:, component] = 1.0
    axis = np.zeros(3)
    axis[component] = 1.0
    motion[:, 3:] = np.cross(places, axis)
    return motion


def _pins(
    nodes: NDArray[np.bool_], free: NDArray[np.float64], spacing: NDArray[np.float64], corner: list[int]
) -> NDArray[np.int64]:
    """(n, 4): as many displacements as there are free motions, chosen far apart to stop them well."""
    where = np.argwhere(nodes)
    where = where[:: max(1, len(where) // 2000)]
    centre, size = _middle(where * spacing)
    places = (where * spacing - centre) / size
    motions = np.concatenate([_rigid_motions(places, component) @ free for component in range(3)])
    chosen = linalg.qr(motions.T, pivoting=True, mode="r")[1][: free.shape[1]]
    component, index = np.divmod(chosen, len(where))
    return np.column_stack([component, where[index] + np.asarray(corner)]).astype(np.int64)
