"""A CT volume: Hounsfield units with their place in the world and what is known of their origin."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import GeometryError
from vertebro.findings import Finding
from vertebro.geometry.transforms import Affine
from vertebro.imaging.volume_geometry import VolumeGeometry


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the source said about an image. Empty or ``None`` where it said nothing.

    Identifying fields (``patient_name``, ``patient_id``, ``birth_date``) stay in the case folder's
    DICOM objects and report header; they never go to a log, an error or a finding.
    """

    modality: str = "CT"
    source_kind: str = ""
    """``"dicom"``, ``"nifti"`` or ``"phantom"``."""
    patient_id: str = ""
    patient_name: str = ""
    birth_date: str = ""
    """DICOM DA, ``YYYYMMDD``."""
    sex: str = ""
    """``"F"``, ``"M"``, ``"O"`` or empty."""
    age_years: float | None = None
    study_uid: str = ""
    series_uid: str = ""
    frame_of_reference_uid: str = ""
    study_date: str = ""
    """DICOM DA, ``YYYYMMDD``."""
    study_id: str = ""
    accession_number: str = ""
    study_description: str = ""
    series_description: str = ""
    body_part: str = ""
    manufacturer: str = ""
    scanner_model: str = ""
    kernel: str = ""
    kvp_kv: float | None = None
    slice_thickness_mm: float | None = None
    slice_spacing_mm: float | None = None
    gantry_tilt_deg: float | None = None
    contrast_agent: str = ""
    n_slices: int | None = None
    sop_instance_uids: tuple[str, ...] = ()
    """SOP Instance UIDs in the order of the slice axis; empty unless read from DICOM unresampled."""
    slice_axis: int = 2
    """Array axis along which ``sop_instance_uids`` runs."""


@dataclass(frozen=True, eq=False)
class Volume:
    """CT values on a grid.

    Parameters
    ----------
    hu : (i, j, k) float32 or int16 array
        Hounsfield units. Made read-only. Voxels that the scanner did not measure (padding) hold −1024.
    geometry : VolumeGeometry
    facts : ImageFacts
    findings : tuple of Finding
        What was noticed while reading: missing slices, metal, clipped values and the like.

    Raises
    ------
    GeometryError
        If the array's shape is not the grid's (``volume.shape``).

    Examples
    --------
    >>> grid = VolumeGeometry.from_spacing((2, 2, 2), (1.0, 1.0, 1.0))
    >>> Volume(np.zeros((2, 2, 2), np.int16), grid).hu.flags.writeable
    False
    """

    hu: NDArray[np.float32] | NDArray[np.int16]
    geometry: VolumeGeometry
    facts: ImageFacts = field(default_factory=ImageFacts)
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if tuple(self.hu.shape) != self.geometry.shape:
            raise GeometryError(
                "volume.shape",
                got=f"an array of shape {tuple(self.hu.shape)}",
                needed=f"the grid's shape {self.geometry.shape}",
                remedy="Pass the geometry that belongs to the array.",
            )
        if self.hu.dtype not in (np.dtype(np.int16), np.dtype(np.float32)):
            raise TypeError(f"hu must be int16 or float32, not {self.hu.dtype}")
        view = self.hu.view()
        view.setflags(write=False)
        object.__setattr__(self, "hu", view)

    @property
    def lps_from_voxel(self) -> Affine:
        """The grid's affine: world position (LPS, mm) from voxel index."""
        return self.geometry.lps_from_voxel

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along each array axis."""
        return self.geometry.spacing_mm

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along each array axis."""
        return self.geometry.shape

    def with_findings(self, *more: Finding) -> Volume:
        """The same volume with further findings."""
        return replace(self, findings=(*self.findings, *more))

    def crop(self, start: tuple[int, int, int], stop: tuple[int, int, int]) -> Volume:
        """The part ``[start, stop)``, with the identifiers of the slices that remain.

        Raises
        ------
        GeometryError
            If the part is empty or reaches beyond the volume (``volume.crop``).

        Examples
        --------
        >>> grid = VolumeGeometry.from_spacing((4, 4, 4), (1.0, 1.0, 1.0))
        >>> part = Volume(np.zeros((4, 4, 4), np.int16), grid).crop((1, 0, 2), (3, 4, 4))
        >>> part.shape, part.lps_from_voxel[:3, 3].tolist()
        ((2, 4, 2), [1.0, 0.0, 2.0])
        """
        if not all(0 <= a < b <= n for a, b, n in zip(start, stop, self.shape, strict=True)):
            raise GeometryError(
                "volume.crop",
                got=f"a crop from {start} to {stop}",
                needed=f"a part of a volume of {self.shape} voxels",
                remedy="Keep start below stop, and both within the volume.",
            )
        index = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        axis = self.facts.slice_axis
        uids = self.facts.sop_instance_uids[index[axis]] if self.facts.sop_instance_uids else ()
        facts = replace(self.facts, sop_instance_uids=uids)
        return replace(self, hu=self.hu[index], geometry=self.geometry.crop(start, stop), facts=facts)
