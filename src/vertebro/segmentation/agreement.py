"""How far two segmentations of one CT agree, level by level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.imaging import Interpolation, LabelVolume, resample


@dataclass(frozen=True, slots=True)
class LevelAgreement:
    """One level of the first segmentation and what overlaps it most in the second."""

    name: str
    other_name: str
    """Empty where nothing of the second overlaps it."""
    dice: float

    def to_json(self) -> dict[str, object]:
        """The agreement as JSON-ready data."""
        return {"name": self.name, "other_name": self.other_name, "dice": round(self.dice, 4)}


def agreement(first: LabelVolume, second: LabelVolume) -> tuple[LevelAgreement, ...]:
    """Compare two label volumes of one CT.

    Parameters
    ----------
    first, second : LabelVolume
        On any grids; the second is brought onto the first's.

    Returns
    -------
    tuple of LevelAgreement
        One for each level of the first, and one with an empty ``name`` for each level of the second
        that no level of the first overlaps most.

    Examples
    --------
    >>> from vertebro.imaging import VolumeGeometry
    >>> grid = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 1.0, 1.0))
    >>> one = LabelVolume(np.full((2, 2, 2), 20, np.uint8), grid, {20: "L1"})
    >>> agreement(one, one)
    (LevelAgreement(name='L1', other_name='L1', dice=1.0),)
    """
    other: NDArray[np.generic] = second.labels
    if second.geometry != first.geometry:
        other = resample(second.labels, second.geometry, first.geometry, interpolation=Interpolation.NEAREST)
    size = int(max(first.labels.max(initial=0), second.labels.max(initial=0))) + 1
    pairs = first.labels.astype(np.int64) * size + other.astype(np.int64)
    counts = np.bincount(pairs.ravel(), minlength=size * size).reshape(size, size)
    found, matched = [], set()
    for label, name in first.names.items():
        shared = counts[label].copy()
        shared[0] = 0
        best = int(shared.argmax())
        if shared[best] == 0:
            found.append(LevelAgreement(name, "", 0.0))
            continue
        dice = 2.0 * shared[best] / (counts[label].sum() + counts[:, best].sum())
        matched.add(best)
        found.append(LevelAgreement(name, second.names.get(best, str(best)), float(dice)))
    found += [LevelAgreement("", name, 0.0) for label, name in second.names.items() if label not in matched]
    return tuple(found)
