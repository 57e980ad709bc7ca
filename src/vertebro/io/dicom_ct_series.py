"""A CT volume as a strict DICOM CT series, and the headers that derived objects refer to.

A volume read from DICOM is referred to by its own UIDs. One from NIfTI or a phantom has no DICOM
images; it gets headers made from its content, the very same that :func:`write_ct_series` writes, so
that a SEG or SR of it points at images that can be had. World frame: DICOM LPS, millimetres.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from vertebro import __version__
from vertebro.errors import GeometryError, InputError
from vertebro.imaging import ImageFacts, Volume, VolumeGeometry
from vertebro.io.dicom_identity import MANUFACTURER, MODEL, stamp, uid_from, volume_hash

CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
_IMPLEMENTATION = uid_from("vertebro", "implementation")
_TRUNK = frozenset(
    (
        *("SPINE", "CSPINE", "TSPINE", "LSPINE", "CTSPINE", "TLSPINE", "LSSPINE", "SSPINE", "NECK"),
        *("CHEST", "ABDOMEN", "PELVIS", "ABDOMENPELVIS", "CHESTABDOMEN", "CHESTABDPELVIS"),
    )
)
"""Unpaired parts of the body (DICOM PS3.16, annex L) that show a spine; anything else, which might want
a laterality, is written as the spine, which every such image shows."""
SQUARE_TOLERANCE = 1e-3
"""Cosine between axes up to which a grid counts as rectangular (0.06°; assumed: header rounding)."""


@dataclass(frozen=True, slots=True)
class SliceStack:
    """A volume seen as DICOM slices: which array axis is which, and which run backwards."""

    axes: tuple[int, int, int]
    """Array axes that become (slices, rows, columns)."""
    is_flipped: tuple[bool, bool, bool]
    geometry: VolumeGeometry
    """Of the array as (slice, row, column)."""

    def arrange(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        """An array of the volume's shape as (slices, rows, columns)."""
        moved = array.transpose(self.axes)
        steps = tuple(slice(None, None, -1) if flip else slice(None) for flip in self.is_flipped)
        return moved[steps]


def slice_stack(geometry: VolumeGeometry, *, slice_axis: int | None = None) -> SliceStack:
    """See a grid as a stack of slices.

    Parameters
    ----------
    geometry : VolumeGeometry
    slice_axis : int, optional
        Array axis of the slices, with the others left as they are; by default the axis that runs most
        head to foot, with slices going up, rows to the back and columns to the left.

    Raises
    ------
    GeometryError
        If the axes are not at right angles, which DICOM images cannot express (``dicom.sheared``).

    Examples
    --------
    >>> slice_stack(VolumeGeometry.from_spacing((4, 5, 6), (1.0, 1.0, 3.0))).axes
    (2, 1, 0)
    """
    directions = geometry.axis_directions_lps
    if np.abs(directions @ directions.T - np.eye(3)).max() > SQUARE_TOLERANCE:
        raise GeometryError(
            "dicom.sheared",
            got="an image whose axes are not at right angles",
            needed="a rectangular grid",
            remedy="Resample the image to a rectangular grid first.",
        )
    if slice_axis is not None:
        columns, rows = (axis for axis in range(3) if axis != slice_axis)
        axes: tuple[int, ...] = (slice_axis, rows, columns)
        flips: tuple[bool, ...] = (False, False, False)
    else:
        letters = geometry.axis_codes
        axes = tuple(
            next(i for i, letter in enumerate(letters) if letter in pair) for pair in ("SI", "PA", "LR")
        )
        flips = tuple(letters[axis] in "IAR" for axis in axes)
    affine = np.eye(4)
    origin = np.zeros(3)
    for column, (axis, flip) in enumerate(zip(axes, flips, strict=True)):
        affine[:3, column] = geometry.lps_from_voxel[:3, axis] * (-1.0 if flip else 1.0)
        origin[axis] = geometry.shape[axis] - 1 if flip else 0
    affine[:3, 3] = geometry.lps_from_voxel[:3, :3] @ origin + geometry.lps_from_voxel[:3, 3]
    shape = (geometry.shape[axes[0]], geometry.shape[axes[1]], geometry.shape[axes[2]])
    return SliceStack(
        (axes[0], axes[1], axes[2]), (flips[0], flips[1], flips[2]), VolumeGeometry(shape, affine)
    )


def has_dicom_source(volume: Volume) -> bool:
    """Whether every slice of the volume still is one image of a DICOM series."""
    facts = volume.facts
    n_slices = volume.shape[facts.slice_axis]
    uids = facts.sop_instance_uids
    known = bool(facts.study_uid and facts.series_uid and facts.frame_of_reference_uid)
    return known and len(uids) == n_slices == len(set(uids))


def reference_images(volume: Volume) -> list[Dataset]:
    """Headers of the CT images that a volume consists of, without pixels, in the order of its slices.

    Parameters
    ----------
    volume : Volume

    Returns
    -------
    list of Dataset
        The original images' identifiers where the volume has them, otherwise those of the series that
        :func:`write_ct_series` writes.
    """
    if not has_dicom_source(volume):
        return _derived_headers(volume)
    facts = volume.facts
    stack = slice_stack(volume.geometry, slice_axis=facts.slice_axis)
    headers = []
    for index, uid in enumerate(facts.sop_instance_uids):
        header = _header(facts, stack, index)
        header.StudyInstanceUID, header.SeriesInstanceUID = facts.study_uid, facts.series_uid
        header.FrameOfReferenceUID, header.SOPInstanceUID = facts.frame_of_reference_uid, uid
        headers.append(header)
    return headers


def write_ct_series(folder: str | Path, volume: Volume, *, when: datetime | None = None) -> list[Path]:
    """Write a volume as a DICOM CT series, one file for each slice.

    Parameters
    ----------
    folder : path
        Made if it is not there. Files are named ``CT00001.dcm`` and up; others are left alone.
    volume : Volume
        Values are rounded to whole Hounsfield units and held within −32768 to 32767.
    when : datetime, optional
        Date and time of writing; left out of the files where not given.

    Returns
    -------
    list of Path
        The files, from the first slice (lowest, by default) to the last.

    Raises
    ------
    GeometryError
        If the volume's axes are not at right angles (``dicom.sheared``).
    InputError
        If the folder cannot be written (``dicom.not_writable``).

    Examples
    --------
    >>> import tempfile
    >>> grid = VolumeGeometry.from_spacing((4, 5, 2), (1.0, 1.0, 3.0))
    >>> files = write_ct_series(tempfile.mkdtemp(), Volume(np.zeros((4, 5, 2), np.int16), grid))
    >>> [file.name for file in files]
    ['CT00001.dcm', 'CT00002.dcm']
    """
    headers = _derived_headers(volume)
    stack = slice_stack(volume.geometry)
    target = Path(folder)
    files = []
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise _not_writable(target, problem) from problem
    limits = np.iinfo(np.int16)
    for index, (header, plane) in enumerate(zip(headers, stack.arrange(volume.hu), strict=True)):
        values = np.clip(np.rint(plane), limits.min, limits.max).astype("<i2")
        if when is not None:
            stamp(header, when, "ct")
        _add_pixels(header, values)
        path = target / f"CT{index + 1:05d}.dcm"
        save_strictly(header, path)
        files.append(path)
    return files


def _not_writable(path: Path, problem: OSError) -> InputError:
    """The error for a place that cannot be written."""
    return InputError(
        "dicom.not_writable",
        got=f"{path.name!r}, which cannot be written ({problem.strerror})",
        needed="a place that can be written",
        remedy="Choose another place, or free some space.",
        fields=("path",),
    )


def save_strictly(dataset: Dataset, path: Path) -> None:
    """Save with a preamble, file meta information and explicit VR little endian.

    Raises
    ------
    InputError
        If the file cannot be written (``dicom.not_writable``).
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _IMPLEMENTATION
    meta.ImplementationVersionName = f"VERTEBRO_{__version__}"[:16]
    dataset.file_meta = meta
    content = io.BytesIO()
    dataset.save_as(content, enforce_file_format=True, little_endian=True, implicit_vr=False)
    try:
        path.write_bytes(content.getbuffer())
    except OSError as problem:
        raise _not_writable(path, problem) from problem


def _derived_headers(volume: Volume) -> list[Dataset]:
    """Headers of a series made from the volume's content."""
    facts = volume.facts
    seed = volume_hash(volume)
    stack = slice_stack(volume.geometry)
    headers = []
    for index in range(stack.geometry.shape[0]):
        header = _header(facts, stack, index)
        header.StudyInstanceUID = facts.study_uid or uid_from("study", seed)
        header.SeriesInstanceUID = uid_from("ct series", seed)
        header.FrameOfReferenceUID = facts.frame_of_reference_uid or uid_from("frame of reference", seed)
        header.SOPInstanceUID = uid_from("ct image", seed, str(index))
        headers.append(header)
    return headers


def _header(facts: ImageFacts, stack: SliceStack, index: int) -> Dataset:
    """Everything of a CT image but its UIDs and pixels."""
    header = Dataset()
    header.SpecificCharacterSet = "ISO_IR 192"
    header.SOPClassUID = CT_IMAGE_STORAGE
    _add_patient_and_study(header, facts)
    header.Modality = "CT"
    header.SeriesNumber = 1
    header.SeriesDescription = _short(facts.series_description) or "CT written by vertebro"
    header.PatientPosition = "HFS"
    header.PositionReferenceIndicator = ""
    header.Manufacturer = _short(facts.manufacturer) or MANUFACTURER
    header.ManufacturerModelName = _short(facts.scanner_model) or MODEL
    header.SoftwareVersions = f"vertebro {__version__}"
    header.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    header.InstanceNumber = index + 1
    header.AcquisitionNumber = 1
    header.KVP = None if facts.kvp_kv is None else _decimal(facts.kvp_kv)
    part = facts.body_part.upper()
    header.BodyPartExamined = part if part in _TRUNK else "SPINE"
    if facts.kernel:
        header.ConvolutionKernel = facts.kernel[:16]
    if facts.contrast_agent:
        header.ContrastBolusAgent = _short(facts.contrast_agent)
    _add_plane(header, facts, stack, index)
    return header


def _add_patient_and_study(header: Dataset, facts: ImageFacts) -> None:
    header.PatientName = facts.patient_name
    header.PatientID = facts.patient_id
    header.PatientBirthDate = _date(facts.birth_date)
    header.PatientSex = facts.sex
    if facts.age_years is not None:
        header.PatientAge = f"{round(facts.age_years):03d}Y"
    header.StudyDate = _date(facts.study_date)
    header.StudyTime = ""
    header.StudyID = facts.study_id[:16]
    header.AccessionNumber = facts.accession_number[:16]
    header.ReferringPhysicianName = ""
    if facts.study_description:
        header.StudyDescription = _short(facts.study_description)


def _add_plane(header: Dataset, facts: ImageFacts, stack: SliceStack, index: int) -> None:
    """Image plane and pixel description modules."""
    geometry = stack.geometry
    directions = geometry.axis_directions_lps
    spacing = geometry.spacing_mm
    header.ImageOrientationPatient = [_decimal(x) for x in (*directions[2], *directions[1])]
    position = geometry.lps_from_voxel[:3, 3] + index * geometry.lps_from_voxel[:3, 0]
    header.ImagePositionPatient = [_decimal(x) for x in position]
    header.PixelSpacing = [_decimal(spacing[1]), _decimal(spacing[2])]
    header.SliceThickness = _decimal(facts.slice_thickness_mm or spacing[0])
    header.SpacingBetweenSlices = _decimal(spacing[0])
    header.Rows, header.Columns = geometry.shape[1], geometry.shape[2]
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit = 16, 16, 15
    header.PixelRepresentation = 1
    header.RescaleIntercept, header.RescaleSlope = "0", "1"
    header.RescaleType = "HU"


def _add_pixels(header: Dataset, values: NDArray[np.int16]) -> None:
    header.WindowCenter, header.WindowWidth = "400", "1800"
    header.WindowCenterWidthExplanation = "BONE"
    header.PixelData = values.tobytes()
    header["PixelData"].VR = "OW"


def _decimal(number: float) -> str:
    """A decimal string of at most 16 characters (DICOM's DS)."""
    rounded = 0.0 if abs(number) < 1e-9 else float(number)
    for digits in range(12, 0, -1):
        text = f"{rounded:.{digits}g}"
        if len(text) <= 16:
            return text
    raise AssertionError("a number of one digit fits in 16 characters")


def _short(text: str) -> str:
    return text[:64]


def _date(text: str) -> str:
    return text if len(text) == 8 and text.isdigit() else ""
