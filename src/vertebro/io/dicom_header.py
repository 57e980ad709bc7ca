"""One DICOM file's header in plain numbers: which image planes it holds, and where in the world.

Every file is parsed once, up to its pixel data; what is kept fits in a kilobyte, so that a disc
with thousands of images can be listed. A single image and a frame of an enhanced multi-frame image
become the same thing: a :class:`Plane`.

References
----------
.. [1] DICOM PS3.3, C.7.6.2 (image plane), C.7.6.16 (multi-frame functional groups), C.8.2 (CT),
   C.8.15 (enhanced CT).
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

from vertebro.imaging import ImageFacts
from vertebro.io.dicom_files import StoredFile
from vertebro.io.dicom_frames import with_planes
from vertebro.io.dicom_image import BIG_ENDIAN, DEFLATED, DicomImage, OtherObject, PixelFormat
from vertebro.io.dicom_values import number, text, whole
from vertebro.io.untrusted import BoundedStream, DamagedBytes, parsing

if TYPE_CHECKING:
    from pydicom import Dataset

CT_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.2": "CT image",
    "1.2.840.10008.5.1.4.1.1.2.1": "enhanced CT image",
    "1.2.840.10008.5.1.4.1.1.2.2": "legacy converted enhanced CT image",
}
"""SOP Class UIDs of CT images."""
MAX_INFLATED_BYTES = 2**28
"""A deflated file that unpacks to more is refused (assumed: far above any CT object)."""

_DIRECTORY_CLASS = "1.2.840.10008.1.3.10"
_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_KINDS = {
    "1.2.840.10008.5.1.4.1.1.7": "secondary capture picture",
    "1.2.840.10008.5.1.4.1.1.4": "MR image",
    "1.2.840.10008.5.1.4.1.1.88": "structured report",
    "1.2.840.10008.5.1.4.1.1.66": "segmentation or registration",
    "1.2.840.10008.5.1.4.1.1.104": "encapsulated document",
    "1.2.840.10008.5.1.4.1.1.11": "presentation state",
    "1.2.840.10008.5.1.4.1.1.481": "radiotherapy object",
    "1.2.840.10008.5.1.4.1.1.128": "PET image",
    "1.2.840.10008.5.1.4.1.1.1": "radiograph",
    "1.2.840.10008.5.1.4.1.1.6": "ultrasound image",
    "1.2.840.10008.5.1.4.1.1.20": "nuclear medicine image",
    "1.2.840.10008.5.1.4.1.1.12": "angiography or fluoroscopy image",
}
_MODALITY_KINDS = {
    "MR": "MR image",
    "SR": "structured report",
    "OT": "picture",
    "SC": "picture",
    "PT": "PET image",
}

_TAGS = [
    "SpecificCharacterSet",
    "ImageType",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyDate",
    "AccessionNumber",
    "Modality",
    "Manufacturer",
    "StudyDescription",
    "SeriesDescription",
    "ManufacturerModelName",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "ContrastBolusAgent",
    "BodyPartExamined",
    "SliceThickness",
    "KVP",
    "GantryDetectorTilt",
    "ConvolutionKernel",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "StudyID",
    "SeriesNumber",
    "AcquisitionNumber",
    "InstanceNumber",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "FrameOfReferenceUID",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "AcquisitionTime",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "LossyImageCompression",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "ContrastBolusAgentSequence",
]


def read_header(file: StoredFile) -> DicomImage | OtherObject | None:
    """The header of one file; ``None`` if it is no DICOM file at all.

    Raises
    ------
    DamagedBytes
        If it begins as a DICOM file and cannot be parsed.
    """
    with parsing():
        with file.open() as stream:
            start = stream.read(2048)
            if not _looks_like_dicom(start):
                return None
            stream.seek(0)
            dataset, syntax, offset = _parse(stream, start, file.size)
        return _describe(file, dataset, syntax, offset)


def _looks_like_dicom(start: bytes) -> bool:
    """A preamble with ``DICM``, or a data set that starts, without one, with group 2 or 8."""
    if start[128:132] == b"DICM":
        return True
    if len(start) < 16:
        return False
    group, element, length = struct.unpack("<HHI", start[:8])
    if (group, element) not in {(2, 0), (8, 0), (8, 1), (8, 5), (8, 8), (8, 0x16), (8, 0x18)}:
        return False
    return start[4:6] in (b"UL", b"CS", b"UI") or length <= 128


def inflated(stream: BinaryIO, start: bytes) -> BinaryIO | None:
    """The unpacked data set of a deflated file; ``None`` if the file is not deflated.

    Parameters
    ----------
    stream : binary file
    start : bytes
        Its first 2048 bytes.
    """
    offset, syntax = _file_meta(start)
    if syntax != DEFLATED:
        return None
    stream.seek(offset)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    content = unpacker.decompress(stream.read(), MAX_INFLATED_BYTES)
    if unpacker.unconsumed_tail:
        raise DamagedBytes("a deflated file that unpacks without end")
    return cast(BinaryIO, BoundedStream(io.BytesIO(content), len(content)))


def _file_meta(start: bytes) -> tuple[int, str]:
    """Where the data set begins, and its transfer syntax, from the file meta group (explicit VR, LE)."""
    at, syntax = 132 if start[128:132] == b"DICM" else 0, ""
    while at + 8 <= len(start):
        group, element = struct.unpack_from("<HH", start, at)
        if group != 2:
            break
        if start[at + 4 : at + 6] in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
            length, head = struct.unpack_from("<I", start, at + 8)[0], 12
        else:
            length, head = struct.unpack_from("<H", start, at + 6)[0], 8
        if element == 0x10:
            syntax = start[at + head : at + head + length].rstrip(b"\0 ").decode("ascii", "replace")
        at += head + length
    return at, syntax


def _parse(stream: BinaryIO, start: bytes, size: int) -> tuple[Dataset, str, int]:
    """The data set up to the pixel data, its transfer syntax, and the byte at which these begin."""
    from pydicom import dcmread  # noqa: PLC0415 - loading it takes longer than reading a NIfTI file
    from pydicom.filereader import read_dataset  # noqa: PLC0415
    from pydicom.tag import Tag  # noqa: PLC0415

    unpacked = inflated(stream, start) if DEFLATED.encode() in start else None
    if unpacked is None:
        stream.seek(0)
        dataset = dcmread(stream, stop_before_pixels=True, force=True, specific_tags=list(_TAGS))
        return dataset, text(dataset.file_meta, "TransferSyntaxUID"), min(stream.tell(), size)
    dataset = read_dataset(
        unpacked,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: int(tag) in _PIXEL_TAGS,
        specific_tags=[Tag(name) for name in _TAGS],
    )
    return dataset, DEFLATED, unpacked.tell()


# --- from data set to plain numbers ------------------------------------------------------------


def _describe(
    file: StoredFile, dataset: Dataset, syntax: str, offset: int
) -> DicomImage | OtherObject | None:
    meta = getattr(dataset, "file_meta", None)
    sop_class = text(dataset, "SOPClassUID") or (text(meta, "MediaStorageSOPClassUID") if meta else "")
    modality = text(dataset, "Modality")
    if sop_class == _DIRECTORY_CLASS or not (sop_class or modality):
        return None
    if sop_class not in CT_CLASSES and (sop_class or modality != "CT"):
        return OtherObject(_kind_name(sop_class, modality), text(dataset, "SeriesInstanceUID"), modality)
    pixels = _pixel_format(dataset, syntax)
    image = DicomImage(
        file=file,
        facts=_facts(dataset),
        series_number=text(dataset, "SeriesNumber"),
        acquisition_time=text(dataset, "AcquisitionTime"),
        pixels=pixels,
        pixel_offset=offset,
        is_lossy=text(dataset, "LossyImageCompression") == "01",
        planes=(),
        problem=_format_problem(pixels),
    )
    return image if image.problem else with_planes(image, dataset)


def _kind_name(sop_class: str, modality: str) -> str:
    """A plain word for what an object is, by its SOP class or modality."""
    best = ""
    for prefix in _KINDS:
        is_match = sop_class == prefix or sop_class.startswith(prefix + ".")
        if is_match and len(prefix) > len(best):
            best = prefix
    return _KINDS.get(best) or _MODALITY_KINDS.get(modality) or "other object"


def _pixel_format(dataset: Dataset, syntax: str) -> PixelFormat:
    allocated = whole(dataset, "BitsAllocated", 0)
    stored = whole(dataset, "BitsStored", allocated)
    is_signed = whole(dataset, "PixelRepresentation", 0) == 1
    return PixelFormat(
        transfer_syntax=syntax,
        rows=whole(dataset, "Rows", 0),
        columns=whole(dataset, "Columns", 0),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=whole(dataset, "HighBit", stored - 1),
        is_signed=is_signed,
        samples=whole(dataset, "SamplesPerPixel", 1),
        photometric=text(dataset, "PhotometricInterpretation"),
        n_frames=max(1, whole(dataset, "NumberOfFrames", 1)),
        is_big_endian=syntax == BIG_ENDIAN,
        padding=_padding(dataset, stored, is_signed=is_signed),
    )


def _padding(dataset: Dataset, bits_stored: int, *, is_signed: bool) -> tuple[int, int] | None:
    """Range of stored values that are padding; a negative one written as unsigned is put right."""
    first = number(dataset, "PixelPaddingValue")
    if first is None:
        return None
    last = number(dataset, "PixelPaddingRangeLimit")
    ends = [int(first), int(first if last is None else last)]
    if is_signed:
        ends = [end - 2**16 if end >= 2**15 else end for end in ends]
    elif 0 < bits_stored <= 16:
        ends = [end + 2**16 if end < 0 else end for end in ends]
    return min(ends), max(ends)


def _format_problem(pixels: PixelFormat) -> str:
    """Why the pixels cannot be those of a CT; empty if they can."""
    if not (1 < pixels.rows <= 2**14 and 1 < pixels.columns <= 2**14):
        return f"images of {pixels.columns} × {pixels.rows} pixels"
    if pixels.samples != 1 or pixels.photometric not in ("MONOCHROME1", "MONOCHROME2", ""):
        return "images in colour"
    if pixels.bits_allocated not in (8, 16, 32):
        return f"images of {pixels.bits_allocated} bits"
    if not 1 <= pixels.bits_stored <= pixels.bits_allocated:
        return f"images with {pixels.bits_stored} of {pixels.bits_allocated} bits used"
    if not pixels.bits_stored - 1 <= pixels.high_bit < pixels.bits_allocated:
        return f"images whose highest bit is number {pixels.high_bit}"
    return ""


def _facts(dataset: Dataset) -> ImageFacts:
    """What the file says about patient, study and series."""
    agent = text(dataset, "ContrastBolusAgent")
    if not agent and dataset.get("ContrastBolusAgentSequence"):
        agent = text(dataset.ContrastBolusAgentSequence[0], "CodeMeaning") or "present"
    age = text(dataset, "PatientAge")
    years = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}.get(age[-1:].upper())
    is_age = years is not None and age[:-1].isascii() and age[:-1].isdigit()
    sex = text(dataset, "PatientSex").upper()
    return ImageFacts(
        modality="CT",
        source_kind="dicom",
        patient_id=text(dataset, "PatientID"),
        patient_name=text(dataset, "PatientName"),
        birth_date=text(dataset, "PatientBirthDate"),
        sex=sex if sex in ("F", "M", "O") else "",
        age_years=round(int(age[:-1]) * years, 2) if is_age and years is not None else None,
        study_uid=text(dataset, "StudyInstanceUID"),
        series_uid=text(dataset, "SeriesInstanceUID"),
        frame_of_reference_uid=text(dataset, "FrameOfReferenceUID"),
        study_date=text(dataset, "StudyDate"),
        study_id=text(dataset, "StudyID"),
        accession_number=text(dataset, "AccessionNumber"),
        study_description=text(dataset, "StudyDescription"),
        series_description=text(dataset, "SeriesDescription"),
        body_part=text(dataset, "BodyPartExamined"),
        manufacturer=text(dataset, "Manufacturer"),
        scanner_model=text(dataset, "ManufacturerModelName"),
        kernel=text(dataset, "ConvolutionKernel"),
        kvp_kv=number(dataset, "KVP"),
        slice_thickness_mm=number(dataset, "SliceThickness"),
        gantry_tilt_deg=number(dataset, "GantryDetectorTilt"),
        contrast_agent=agent,
        sop_instance_uids=(text(dataset, "SOPInstanceUID"),),
    )
