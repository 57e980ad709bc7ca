"""DICOM CT files made on the spot, of a world whose HU at every point is known.

The world is a body of a cylinder of muscle with a fat coat, a spine at the back, a bright liver on
the patient's right, and air around: smooth enough to compare, and different left from right, front
from back and head from foot.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import ArrayLike, NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

UID = "1.2.826.0.1.3680043.8.498.7"
"""Root under which the made objects are numbered."""


def world_hu(points_lps_mm: ArrayLike) -> NDArray[np.float64]:
    """HU of the made world at (..., 3) points: whole numbers, continuous inside the muscle."""
    x, y, z = np.moveaxis(np.asarray(points_lps_mm, dtype=np.float64), -1, 0)
    radius = np.hypot(x, y)
    muscle = 40.0 + 0.6 * x - 0.4 * y + 0.8 * z
    hu = np.where(radius < 30.0, muscle, np.where(radius < 36.0, -100.0, -1000.0))
    hu = np.where(np.hypot(x, y - 18.0) < 7.0, 350.0 + z, hu)
    return np.where(np.hypot(x + 17.0, y + 4.0) < 8.0, 110.0 + z, hu)


def sloping_hu(points_lps_mm: ArrayLike) -> NDArray[np.float64]:
    """HU that grow evenly in every direction: linear interpolation of them is exact."""
    points = np.asarray(points_lps_mm, dtype=np.float64)
    return np.asarray(50.0 + points @ np.array([3.0, -2.0, 4.0]))


@dataclass(frozen=True)
class Series:
    """How a series is made; :func:`write_series` writes it."""

    n: int = 8
    rows: int = 40
    columns: int = 44
    row_spacing_mm: float = 2.0
    column_spacing_mm: float = 2.0
    first_lps_mm: tuple[float, float, float] = (-43.0, -39.0, -10.0)
    row_direction: tuple[float, float, float] = (1.0, 0.0, 0.0)
    column_direction: tuple[float, float, float] = (0.0, 1.0, 0.0)
    step_mm: tuple[float, float, float] = (0.0, 0.0, 3.0)
    series: int = 1
    series_number: int = 1
    patient_id: str = "P1"
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "AXIAL")
    kernel: str = "Br40"
    body_part: str = "LSPINE"
    thickness_mm: float = 3.0
    is_signed: bool = False
    bits_stored: int = 12
    slope: float = 1.0
    intercept: float = -1024.0
    acquisition: int = 1
    hu: Callable[[ArrayLike], NDArray[np.float64]] = world_hu

    def position(self, index: float) -> NDArray[np.float64]:
        """(3,) centre of the first pixel of a slice."""
        return np.array(self.first_lps_mm) + index * np.array(self.step_mm)

    def points(self, index: float) -> NDArray[np.float64]:
        """(rows, columns, 3) world positions of a slice's pixels."""
        i = np.arange(self.columns)[None, :, None] * self.column_spacing_mm * np.array(self.row_direction)
        j = np.arange(self.rows)[:, None, None] * self.row_spacing_mm * np.array(self.column_direction)
        return np.asarray(self.position(index) + i + j)

    def stored(self, index: float) -> NDArray[np.int64]:
        """(rows, columns) stored numbers of a slice."""
        values = np.rint((self.hu(self.points(index)) - self.intercept) / self.slope)
        low, high = (-(2 ** (self.bits_stored - 1)), 2 ** (self.bits_stored - 1) - 1)
        if not self.is_signed:
            low, high = 0, 2**self.bits_stored - 1
        return np.clip(values, low, high).astype(np.int64)

    def uid(self, index: int) -> str:
        """SOP Instance UID of a slice."""
        return f"{UID}.{self.series}.{self.acquisition}.{index + 1}"


def slice_dataset(series: Series, index: int, place: float | None = None) -> FileDataset:
    """One slice as a data set (explicit VR little endian); ``place`` in steps, the index if not given."""
    place = index if place is None else place
    dataset = _base(CTImageStorage, series.uid(index), series)
    dataset.InstanceNumber = index + 1
    dataset.AcquisitionNumber = series.acquisition
    dataset.ImageType = list(series.image_type)
    dataset.ImagePositionPatient = [float(x) for x in series.position(place).round(6)]
    dataset.ImageOrientationPatient = [
        *np.round(series.row_direction, 9),
        *np.round(series.column_direction, 9),
    ]
    dataset.PixelSpacing = [series.row_spacing_mm, series.column_spacing_mm]
    dataset.SliceThickness = series.thickness_mm
    dataset.ConvolutionKernel = series.kernel
    dataset.KVP = 120
    dataset.RescaleSlope = series.slope
    dataset.RescaleIntercept = series.intercept
    dataset.RescaleType = "HU"
    dataset.PixelData = series.stored(place).astype("<i2" if series.is_signed else "<u2").tobytes()
    return dataset


def _base(sop_class: str, uid: str, series: Series) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, uid
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = "CT", "Vertebro", "Phantom"
    dataset.PatientName, dataset.PatientID = "Doe^Jane", series.patient_id
    dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = "19480307", "F", "078Y"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{UID}.900", f"{UID}.{series.series}"
    dataset.FrameOfReferenceUID = f"{UID}.901"
    dataset.StudyDate, dataset.StudyID, dataset.AccessionNumber = "20260102", "S1", "A1"
    dataset.SeriesNumber, dataset.SeriesDescription = series.series_number, "made up"
    dataset.BodyPartExamined = series.body_part
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = series.rows, series.columns
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = (
        16,
        series.bits_stored,
        series.bits_stored - 1,
    )
    dataset.PixelRepresentation = int(series.is_signed)
    return dataset


def enhanced_dataset(series: Series, order: Sequence[int] | None = None) -> FileDataset:
    """The series as one enhanced CT object, its frames in the given order."""
    order = range(series.n) if order is None else order
    dataset = _base(EnhancedCTImageStorage, f"{UID}.{series.series}.77", series)
    dataset.ImageType, dataset.NumberOfFrames = list(series.image_type), len(order)
    shared = Dataset()
    orientation, measures, kind, kernel = Dataset(), Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = [*series.row_direction, *series.column_direction]
    measures.PixelSpacing = [series.row_spacing_mm, series.column_spacing_mm]
    measures.SliceThickness = series.thickness_mm
    kind.FrameType, kernel.ConvolutionKernel = list(series.image_type), series.kernel
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    shared.CTImageFrameTypeSequence, shared.CTReconstructionSequence = [kind], [kernel]
    dataset.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for index in order:
        frame, position, scale = Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = [float(x) for x in series.position(index).round(6)]
        scale.RescaleSlope, scale.RescaleIntercept, scale.RescaleType = series.slope, series.intercept, "HU"
        frame.PlanePositionSequence, frame.PixelValueTransformationSequence = [position], [scale]
        frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = frames
    kind_name = "<i2" if series.is_signed else "<u2"
    dataset.PixelData = b"".join(series.stored(index).astype(kind_name).tobytes() for index in order)
    return dataset


def encoded(dataset: FileDataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The data set as a DICOM file in a transfer syntax; compressed ones by pydicom's encoders."""
    buffer = BytesIO()
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        dataset.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    elif syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        dataset.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    else:
        dataset.compress(syntax, generate_instance_uid=False)
        pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def write_series(
    folder: Path,
    series: Series | None = None,
    *,
    syntax: str = ExplicitVRLittleEndian,
    edit: Callable[[FileDataset, int], None] = lambda dataset, index: None,
    places: Sequence[float] | None = None,
) -> Path:
    """Write a series as files whose names say nothing of their order; returns the folder.

    ``edit`` may change a slice's data set; ``places`` puts slices elsewhere than at 0, 1, 2, …
    """
    series = series or Series()
    folder.mkdir(parents=True, exist_ok=True)
    for index, place in enumerate(range(series.n) if places is None else places):
        dataset = slice_dataset(series, index, place)
        edit(dataset, index)
        name = f"{zlib.crc32(f'{series.series}/{series.acquisition}/{index}'.encode()):08X}"
        (folder / name).write_bytes(encoded(dataset, syntax))
    return folder


def other_object(sop_class: str, modality: str, number: int) -> FileDataset:
    """A DICOM object that is no CT image (its pixels, if any, are left out)."""
    dataset = _base(sop_class, f"{UID}.{number}", replace(Series(), series=number))
    dataset.Modality = modality
    return dataset
