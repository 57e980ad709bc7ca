"""A label volume: which voxel belongs to which vertebra, and how sure its source is of the names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import GeometryError
from vertebro.findings import Finding
from vertebro.imaging.volume_geometry import VolumeGeometry


@dataclass(frozen=True, eq=False)
class LabelVolume:
    """Integer labels on a grid, each with a name.

    Parameters
    ----------
    labels : (i, j, k) uint8 or int16 array
        0 is background. Made read-only.
    geometry : VolumeGeometry
        May differ from the CT's.
    names : mapping of int to str
        Label value to level name (a value of :class:`vertebro.case.Level`, e.g. ``"L1"``), or a
        name of the source where it is no known level. Only values that occur are listed.
    convention : str
        Where the numbers came from: ``"verse"``, ``"totalsegmentator"``, ``"dicom-seg"``, ``"vertebro"``.
    extent : str
        ``"vertebra"`` where a label covers the whole vertebra, ``"body"`` where only the body,
        ``"unknown"`` where the source does not say (it is then found from the shape).
    subregions : (i, j, k) uint8 array or None
        On the same grid, subregion numbers 41–50 where the source gives them (49 and 50: body).
    findings : tuple of Finding

    Raises
    ------
    GeometryError
        If an array's shape is not the grid's (``labels.shape``).

    Examples
    --------
    >>> grid = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 1.0, 1.0))
    >>> LabelVolume(np.full((2, 2, 2), 20, np.uint8), grid, {20: "L1"}).level_names
    ('L1',)
    """

    labels: NDArray[np.uint8] | NDArray[np.int16]
    geometry: VolumeGeometry
    names: Mapping[int, str]
    convention: str = "vertebro"
    extent: str = "unknown"
    subregions: NDArray[np.uint8] | None = None
    findings: tuple[Finding, ...] = ()
    source: Mapping[str, str] = field(default_factory=dict)
    """Facts of the label file (its kind, series and frame-of-reference UIDs, making algorithm)."""

    def __post_init__(self) -> None:
        for name in ("labels", "subregions"):
            array = getattr(self, name)
            if array is None:
                continue
            if tuple(array.shape) != self.geometry.shape:
                raise GeometryError(
                    "labels.shape",
                    got=f"a {name} array of shape {tuple(array.shape)}",
                    needed=f"the grid's shape {self.geometry.shape}",
                    remedy="Pass the geometry that belongs to the array.",
                )
            view = array.view()
            view.setflags(write=False)
            object.__setattr__(self, name, view)
        object.__setattr__(self, "names", MappingProxyType(dict(self.names)))
        object.__setattr__(self, "source", MappingProxyType(dict(self.source)))

    @property
    def level_names(self) -> tuple[str, ...]:
        """The names, in the order of the mapping (cranial to caudal when read from a file)."""
        return tuple(self.names.values())

    def label_of(self, name: str) -> int:
        """The label value of a level name.

        Raises
        ------
        KeyError
            If no label has that name.
        """
        for value, level in self.names.items():
            if level == name:
                return value
        raise KeyError(name)

    def with_findings(self, *more: Finding) -> LabelVolume:
        """The same labels with further findings."""
        return replace(self, findings=(*self.findings, *more))
