"""Free time as bits: one bit a slot, so that a question about two weeks is a few machine words.

A mask is a Python integer; bit ``i`` stands for the slot that begins ``i * SLOT_MINUTES`` after the
horizon's start. "Where can 90 minutes begin?" is an erosion; "and with a nurse?" is an ``&``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vertebro_clinic.scheduling.nouns import SLOT_MINUTES, whole_slots


def span_mask(start: int, end: int) -> int:
    """The slots that lie wholly within ``[start, end)`` minutes.

    >>> bin(span_mask(10, 25))
    '0b11100'
    >>> span_mask(20, 10)
    0
    """
    first, stop = whole_slots(max(start, 0)), max(end, 0) // SLOT_MINUTES
    return 0 if stop <= first else (1 << stop) - (1 << first)


def touched_mask(start: int, end: int) -> int:
    """The slots that ``[start, end)`` minutes touch at all.

    >>> bin(touched_mask(12, 16))
    '0b1100'
    """
    first, stop = max(start, 0) // SLOT_MINUTES, whole_slots(max(end, 0))
    return 0 if stop <= first else (1 << stop) - (1 << first)


def spans_mask(spans: Iterable[tuple[int, int]]) -> int:
    """The slots that lie within any of the spans."""
    mask = 0
    for start, end in spans:
        mask |= span_mask(start, end)
    return mask


def room_for(free: int, slots: int) -> int:
    """Where ``slots`` free slots in a row begin.

    Erosion by doubling: the number of steps grows with the logarithm of ``slots``.

    >>> bin(room_for(0b1110110, 3))
    '0b10000'
    >>> room_for(0b1, 0) == 0b1
    True
    """
    done = 1
    while done < slots and free:
        step = min(done, slots - done)
        free &= free >> step
        done += step
    return free


def shifted_back(mask: int, slots: int) -> int:
    """The mask of starts, given the mask of what begins ``slots`` after them."""
    return mask >> slots


def grid_mask(length: int, grid_minutes: int) -> int:
    """Slots that begin on a whole multiple of ``grid_minutes``, up to ``length`` minutes.

    >>> bin(grid_mask(60, 15))
    '0b1001001001'
    """
    step = grid_minutes // SLOT_MINUTES
    count = -(-length // grid_minutes)
    return sum(1 << (i * step) for i in range(count))


def bits(mask: int) -> Iterator[int]:
    """Minutes at which the slots of a mask begin, in order.

    >>> list(bits(0b1010))
    [5, 15]
    """
    while mask:
        low = mask & -mask
        yield (low.bit_length() - 1) * SLOT_MINUTES
        mask ^= low
