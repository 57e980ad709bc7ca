"""Which pieces of a grid of bricks are held well enough to have one answer.

Bricks that share a face make a piece. A piece that can move as a stiff body without anything opposing
it either carries nothing (it is left out) or is pushed into that motion (there is no answer).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

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
    pending = list(range(1, n_pieces + 1))
    held_nodes = np.zeros(conditions.is_held.shape[1:], dtype=bool)
    while pending:
        found = []
        for piece in pending:
            box = boxes[piece - 1]
            verdict = _judge(labels[box] == piece, box, spacing_mm, conditions, held_nodes)
            verdicts[piece] = verdict
            if verdict == "held":
                found.append(piece)
        is_held_piece[found] = True
        pending = [piece for piece in pending if piece not in set(found)] if found else []
        if pending:
            held_nodes = nodes_of(is_held_piece[labels])
    dropped_pieces = [piece for piece, verdict in verdicts.items() if verdict == "idle"]
    flags = np.zeros(n_pieces + 1, dtype=bool)
    flags[dropped_pieces] = True
    return Support(
        n_pieces,
        flags[labels],
        len(dropped_pieces),
        sum(verdict == "loose" for verdict in verdicts.values()),
        any(verdict == "pushed" for verdict in verdicts.values()),
    )


def _judge(
    piece: NDArray[np.bool_],
    box: tuple[slice, slice, slice],
    spacing_mm: tuple[float, float, float],
    conditions: NodeConditions,
    held_nodes: NDArray[np.bool_],
) -> str:
    """One of held, loose, idle, pushed."""
    window = (slice(None), *(slice(part.start, part.stop + 1) for part in box))
    is_held, force_n = conditions.is_held[window], conditions.force_n[window]
    nodes = nodes_of(piece)
    # only nodes that are held, tied to a held piece or pushed say anything
    nodes &= is_held.any(axis=0) | held_nodes[window[1:]] | (force_n != 0.0).any(axis=0)
    places = np.argwhere(nodes) * np.asarray(spacing_mm)
    if len(places) == 0:
        return "idle"
    places = places - places.mean(axis=0)
    places /= max(float(np.abs(places).max()), 1e-300)
    tied = held_nodes[window[1:]][nodes]
    gram, right, square = np.zeros((6, 6)), np.zeros(6), 0.0
    push = np.zeros(6)
    for component in range(3):
        motion = np.zeros((len(places), 6))
        motion[:, component] = 1.0
        axis = np.zeros(3)
        axis[component] = 1.0
        motion[:, 3:] = np.cross(places, axis)
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
        return "held"
    total = float(np.abs(force_n[:, nodes]).sum())
    if np.abs(free.T @ push).max() > TOLERANCE * total:
        return "pushed"
    rigid = np.linalg.lstsq(gram, right, rcond=None)[0]
    misfit = square - 2.0 * rigid @ right + rigid @ gram @ rigid
    is_strained = misfit > 1e-12 * square or total > 0.0
    return "loose" if is_strained else "idle"
