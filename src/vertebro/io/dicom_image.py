"""What is known of one DICOM image without its pixels: nouns of the DICOM reader, no parsing."""

from __future__ import annotations

from dataclasses import dataclass

from vertebro.imaging import ImageFacts
from vertebro.io.dicom_files import StoredFile

DEFLATED = "1.2.840.10008.1.2.1.99"
"""Transfer syntax: explicit VR little endian, the whole data set deflated."""
BIG_ENDIAN = "1.2.840.10008.1.2.2"
"""Transfer syntax: explicit VR big endian (retired, still met on old discs)."""
NATIVE_SYNTAXES = frozenset({"", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", DEFLATED, BIG_ENDIAN})
"""Transfer syntaxes whose pixels are stored as plain numbers (none stated: plain, too)."""


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """How the numbers of an image are stored."""

    transfer_syntax: str
    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    samples: int
    photometric: str
    n_frames: int
    is_big_endian: bool
    padding: tuple[int, int] | None
    """Lowest and highest stored value that mean "nothing was measured here"."""

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame."""
        return self.rows * self.columns * self.samples * (self.bits_allocated // 8)


@dataclass(frozen=True, slots=True)
class Plane:
    """One image plane in the world, with what turns its stored numbers into Hounsfield units."""

    image: DicomImage
    frame_index: int
    position_lps_mm: tuple[float, float, float]
    """Centre of the first pixel of the first row."""
    row_direction_lps: tuple[float, float, float]
    """Unit vector in which the column index grows."""
    column_direction_lps: tuple[float, float, float]
    """Unit vector in which the row index grows."""
    row_spacing_mm: float
    """Between rows (DICOM's first value) …"""
    column_spacing_mm: float
    """… and between columns."""
    slope: float
    intercept: float
    has_rescale: bool
    rescale_type: str
    image_type: tuple[str, ...]
    thickness_mm: float | None
    acquisition: str
    """Acquisition number, or empty."""
    moment: str
    """Temporal position, or empty."""
    instance_number: int


@dataclass(frozen=True, slots=True)
class DicomImage:
    """One DICOM file that holds CT planes."""

    file: StoredFile
    facts: ImageFacts
    series_number: str
    acquisition_time: str
    pixels: PixelFormat
    pixel_offset: int
    """Byte at which the pixel data element begins (in the unpacked data set of a deflated file)."""
    is_lossy: bool
    planes: tuple[Plane, ...]
    problem: str = ""
    """Why none of its planes can be used; empty if they can."""


@dataclass(frozen=True, slots=True)
class OtherObject:
    """A DICOM object that is no CT image: passed over with a word."""

    kind: str
    series_uid: str
    modality: str
