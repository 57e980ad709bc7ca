"""Simulated X-ray views as strict DICOM secondary captures, beside the CT they were computed from.

Secondary Capture and not X-ray angiography: no radiation was used, and an object that claims a real
exposure would enter dose registers. The pose, in the angles of an angiography unit, stands in words.

References
----------
.. [1] DICOM PS3.3, A.8.1 (secondary capture image IOD), C.8.6, 10.7.1 (pixel spacing calibration).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from vertebro import __version__
from vertebro.case import PlanView
from vertebro.imaging import Volume
from vertebro.io.dicom_ct_series import reference_images, save_strictly
from vertebro.io.dicom_identity import MANUFACTURER, MODEL, content_hash, stamp, uid_from, volume_hash

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_SERIES_NUMBER = 902
_FROM_CT = (
    "SpecificCharacterSet", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge",
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
    "StudyDescription",
)  # fmt: skip
"""Attributes of patient and study, the same as the CT's."""


def write_secondary_captures(
    paths: Sequence[str | Path], volume: Volume, views: Sequence[PlanView], *, when: datetime
) -> None:
    """Write views as one series of secondary captures in the CT's study.

    Parameters
    ----------
    paths : sequence of path
        One file for each view; replaced where there is one.
    volume : Volume
        The CT that they were computed from.
    views : sequence of PlanView
    when : datetime
        Date and time of the objects.

    Raises
    ------
    InputError
        If a file cannot be written (``dicom.not_writable``).

    Notes
    -----
    The same input and moment give the same bytes.
    """
    for path, dataset in zip(paths, make_secondary_captures(volume, views, when=when), strict=True):
        save_strictly(dataset, Path(path))


def make_secondary_captures(volume: Volume, views: Sequence[PlanView], *, when: datetime) -> list[Dataset]:
    """The secondary captures as data sets.

    Parameters
    ----------
    volume, views, when : as for :func:`write_secondary_captures`
    """
    source = reference_images(volume)[0]
    seed = volume_hash(volume)
    pictures = [content_hash(view.picture.pixels, repr(view.pose.to_json())) for view in views]
    series_uid = uid_from("view series", seed, __version__, *pictures)
    made = []
    for number, (view, picture) in enumerate(zip(views, pictures, strict=True), start=1):
        dataset = Dataset()
        for name in _FROM_CT:
            if name in source:
                setattr(dataset, name, source[name].value)
        dataset.SOPClassUID = SECONDARY_CAPTURE
        dataset.SOPInstanceUID = uid_from("view", seed, __version__, picture, str(number), when.isoformat())
        dataset.SeriesInstanceUID = series_uid
        dataset.InstanceNumber = number
        _add_series(dataset)
        _add_image(dataset, view, source)
        _add_pixels(dataset, view)
        stamp(dataset, when, "view")
        made.append(dataset)
    return made


def _add_series(dataset: Dataset) -> None:
    dataset.Modality = "OT"
    dataset.ConversionType = "SYN"
    dataset.SeriesNumber = _SERIES_NUMBER
    dataset.SeriesDescription = "Simulated fluoroscopy (vertebro)"
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = MODEL
    dataset.SoftwareVersions = __version__
    dataset.SecondaryCaptureDeviceManufacturer = MANUFACTURER
    dataset.SecondaryCaptureDeviceManufacturerModelName = MODEL
    dataset.SecondaryCaptureDeviceSoftwareVersions = __version__
    dataset.BodyPartExamined = "SPINE"


def _add_image(dataset: Dataset, view: PlanView, source: Dataset) -> None:
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.PatientOrientation = list(view.orientation)
    needle = "" if view.side is None else f" down the {view.side.value} needle"
    dataset.ImageComments = (
        f"SIMULATED from CT, no exposure. {view.level} {view.kind.value}{needle}: {view.pose.label}, "
        f"{view.tube_voltage_kv:g} kV, C-arm {view.c_arm}. For rehearsal and planning."
    )
    dataset.DerivationDescription = "X-ray view computed from CT with planned needles"
    reference = Dataset()
    reference.ReferencedSOPClassUID = source.SOPClassUID
    reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
    dataset.SourceImageSequence = [reference]
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    spacing = f"{view.pixel_at_isocentre_mm:.6g}"
    dataset.PixelSpacing = [spacing, spacing]
    dataset.PixelSpacingCalibrationType = "GEOMETRY"
    dataset.PixelSpacingCalibrationDescription = "At the isocentre, the middle of the body or of the pedicle"
    region = codes.SCT.Spine
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = region.value, "SCT", region.meaning
    dataset.AnatomicRegionSequence = [item]


def _add_pixels(dataset: Dataset, view: PlanView) -> None:
    pixels = view.picture.pixels
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = 0
    dataset.WindowCenter, dataset.WindowWidth = "128", "256"
    content = pixels.tobytes()
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = "OB"
