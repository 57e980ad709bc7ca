"""NIfTI files in and out, with every array's place in DICOM LPS millimetres.

NIfTI says where voxels lie in RAS (x to the right). That frame exists only in this module: what
leaves it is LPS, and what enters it is LPS. Headers are read here directly, not by a library,
because a file may lie about its size: nothing is allocated that the file cannot fill, and no more
is unpacked than the header declares.

References
----------
.. [1] NIfTI-1 data format, https://nifti.nimh.nih.gov/nifti-1 (header layout, methods 1 to 3).
.. [2] NIfTI-2 data format, https://nifti.nimh.nih.gov/nifti-2.
"""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import GeometryError, ReadError
from vertebro.findings import Finding, Severity, finding
from vertebro.geometry.transforms import Affine
from vertebro.imaging import VolumeGeometry
from vertebro.progress import Progress, silent

MAX_VOXELS = 2**29
"""Largest image read: a whole-body CT of 512 × 512 × 2048 voxels (1 GB as int16, 2 GB as float32)."""
FORMS_AGREE_MM = 0.5
"""sform and qform differing by less at every corner are the same place (assumed: under a voxel)."""

_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SLAB_BYTES = 16 * 2**20
_DEFLATE_LIMIT = 1040
"""Deflate cannot expand by more than about 1032 : 1 (zlib's technical notes); a little is added."""
_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_UNIT_NAMES = {0: "unknown", 1: "metre", 2: "millimetre", 3: "micrometre"}
_TYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
_REFUSED_TYPES = {
    1: "single bits",
    32: "complex numbers",
    128: "RGB colours",
    1536: "128-bit floats",
    1792: "complex numbers",
    2048: "complex numbers",
    2304: "RGBA colours",
}


def _header_type(version: int, order: str) -> np.dtype[np.void]:
    """Layout of the fields that matter here, for NIfTI version 1 or 2 in ``order`` (``<`` or ``>``)."""
    if version == 1:
        real, offsets = "f4", [0, 40, 70, 72, 76, 108, 112, 116, 123, 148, 252, 254, 256, 268, 280, 344]
        size = 348
        kinds = ["i4", "8i2", "i2", "i2", "8f4", "f4", "f4", "f4", "u1", "S80", "i2", "i2"]
    else:
        real, offsets = "f8", [0, 16, 12, 14, 104, 168, 176, 184, 500, 240, 344, 348, 352, 376, 400, 4]
        size = 540
        kinds = ["i4", "8i8", "i2", "i2", "8f8", "i8", "f8", "f8", "i4", "S80", "i4", "i4"]
    kinds += [f"3{real}", f"3{real}", f"12{real}", "S4"]
    names = ["size", "dim", "datatype", "bitpix", "pixdim", "vox_offset", "slope", "intercept", "units"]
    names += ["description", "qform_code", "sform_code", "quatern", "qoffset", "srow", "magic"]
    plain = {"names": names, "formats": kinds, "offsets": offsets, "itemsize": size}
    return np.dtype(plain).newbyteorder(order)  # type: ignore[call-overload,no-any-return]


@dataclass(frozen=True, slots=True)
class NiftiHeader:
    """What a NIfTI header declares, in plain numbers."""

    version: int
    shape: tuple[int, int, int]
    stored_type: str
    """numpy name of the stored numbers, e.g. ``"int16"``."""
    slope: float
    """Stored values are multiplied by this (1 where the header says 0 or nothing) …"""
    intercept: float
    """… and this is added."""
    sform_code: int
    qform_code: int
    description: str
    length_unit: str
    is_compressed: bool
    is_big_endian: bool
    data_offset: int


def load_nifti_array(
    path: str | Path, *, progress: Progress = silent
) -> tuple[NDArray[np.generic], VolumeGeometry, NiftiHeader, tuple[Finding, ...]]:
    """Read a NIfTI image (``.nii`` or ``.nii.gz``, version 1 or 2, either byte order).

    Parameters
    ----------
    path : path
    progress : callable

    Returns
    -------
    array : (i, j, k) array, C order
        Axes as in the file. Whole numbers keep the stored integer type (unsigned, 32- and 64-bit
        ones too); a scale slope or intercept gives int16 or int32 where the result is whole and
        fits, float32 otherwise. Floats become float32; values that are not finite stay as they are.
    geometry : VolumeGeometry
        LPS, mm. From the sform where its code is above 0, else the qform, else the voxel sizes
        alone (with a finding that blocks: left and right are then unknown).
    header : NiftiHeader
    findings : tuple of Finding

    Raises
    ------
    ReadError
        If it is no NIfTI file, is truncated, holds several volumes, or colours (``nifti.*``).
    GeometryError
        If its affine is not a number or does not span space.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "labels.nii.gz"
    >>> grid = VolumeGeometry.from_spacing((4, 5, 6), (1.0, 1.0, 3.0), (10.0, 20.0, 30.0))
    >>> save_nifti(file, np.full((4, 5, 6), 20, np.uint8), grid)
    >>> array, geometry, header, findings = load_nifti_array(file)
    >>> array.dtype.name, geometry.is_close(grid), findings
    ('uint8', True, ())
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as raw:
            is_compressed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if is_compressed else cast(BinaryIO, raw)
            fields, version, order = _read_fields(stream, path.name)
            header, notes = _header(fields, version, order, is_compressed=is_compressed)
            geometry, form_notes = _geometry(fields, header)
            _require_size(header, size, path.name)
            array = _read_voxels(stream, header, path.name, progress)
            notes += form_notes + _trailing(stream, path.name)
    except (OSError, EOFError, zlib.error) as problem:
        raise ReadError(
            "nifti.damaged",
            got=f"the file {path.name!r}, which cannot be read to its end ({type(problem).__name__})",
            needed="a complete .nii or .nii.gz file that may be read",
            remedy="Copy or export the file again, and check its permissions.",
        ) from problem
    except MemoryError as problem:
        raise ReadError(
            "nifti.memory",
            got=f"the file {path.name!r}, too large for this machine's memory",
            needed="an image that fits in memory",
            remedy="Crop it to the spine, store it as 16-bit numbers, or use a machine with more memory.",
        ) from problem
    return array, geometry, header, tuple(notes)


def save_nifti(
    path: str | Path,
    array: NDArray[np.generic],
    geometry: VolumeGeometry,
    *,
    description: str = "vertebro",
    intent_name: str = "",
) -> None:
    """Write an image as NIfTI-1; the same input gives the same bytes.

    Both sform and qform are written; where the axes are sheared the qform cannot say it and is
    left out.

    Parameters
    ----------
    path : path
        Ends in ``.nii`` or ``.nii.gz``; an existing file is replaced.
    array : (i, j, k) array
        uint8, int16, int32, uint16 or float32; booleans become uint8, float64 becomes float32.
    geometry : VolumeGeometry
    description : str
        Up to 79 ASCII characters.
    intent_name : str
        Up to 15 ASCII characters, e.g. ``"labels"``.

    Raises
    ------
    GeometryError
        If the array's shape is not the grid's.
    TypeError
        If the array's type has no place in NIfTI-1.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "ct.nii"
    >>> save_nifti(file, np.zeros((2, 2, 2), np.int16), VolumeGeometry.from_spacing((2, 2, 2), (1, 1, 1)))
    >>> file.stat().st_size
    368
    """
    if tuple(array.shape) != geometry.shape:
        raise GeometryError(
            "nifti.shape",
            got=f"an array of shape {tuple(array.shape)}",
            needed=f"the grid's shape {geometry.shape}",
            remedy="Pass the geometry that belongs to the array.",
        )
    stored = _storable(array)
    header = _new_header(stored, geometry, description, intent_name)
    content = header + stored.astype(stored.dtype.newbyteorder("<"), copy=False).tobytes(order="F")
    path = Path(path)
    if path.name.endswith(".gz"):
        content = gzip.compress(content, compresslevel=6, mtime=0)
    path.write_bytes(content)


# --- reading -----------------------------------------------------------------------------------


def _damaged(name: str, got: str) -> ReadError:
    return ReadError(
        "nifti.header",
        got=f"{got} in {name!r}",
        needed="a NIfTI-1 or NIfTI-2 file (.nii or .nii.gz) with one image volume",
        remedy="Export or convert the image again, for example with dcm2niix.",
    )


def _read_fields(stream: BinaryIO, name: str) -> tuple[np.void, int, str]:
    """The raw header record, its version and its byte order; the stream then stands behind it."""
    start = stream.read(4)
    for version, size in ((1, 348), (2, 540)):
        for order in ("<", ">"):
            if len(start) == 4 and int(np.frombuffer(start, f"{order}i4")[0]) == size:
                rest = stream.read(size - 4)
                if len(rest) != size - 4:
                    raise _damaged(name, "a header that breaks off")
                record = np.frombuffer(start + rest, _header_type(version, order))[0]
                magic = bytes(record["magic"]).rstrip(b"\0")
                if magic in (b"ni1", b"ni2"):
                    raise _damaged(name, "half of a two-file (.hdr and .img) image")
                if magic not in (b"n+1", b"n+2"):
                    raise _damaged(name, "an Analyze 7.5 image or a damaged header")
                return record, version, order
    raise _damaged(name, "no NIfTI header")


def _header(
    fields: np.void, version: int, order: str, *, is_compressed: bool
) -> tuple[NiftiHeader, list[Finding]]:
    """The header in plain numbers, with everything that makes it unusable refused."""
    dims = [int(n) for n in fields["dim"]]
    n_dims = dims[0]
    if not 1 <= n_dims <= 7 or min(dims[1 : n_dims + 1]) < 1:
        raise _damaged("the file", f"image sizes that make no sense ({dims[1:8]})")
    extra = math.prod(dims[4 : n_dims + 1])
    if extra > 1:
        raise ReadError(
            "nifti.several_volumes",
            got=f"{extra} volumes in one file",
            needed="one image volume",
            remedy="Split the file and give the volume wanted (a time series has one per moment).",
        )
    if n_dims < 3 or min(dims[1:4]) < 2:
        raise _damaged("the file", f"a flat image of sizes {dims[1 : n_dims + 1]}")
    shape = (dims[1], dims[2], dims[3])
    if math.prod(shape) > MAX_VOXELS:
        raise ReadError(
            "nifti.too_large",
            got=f"an image declared as {shape[0]} × {shape[1]} × {shape[2]} voxels",
            needed=f"at most {MAX_VOXELS} voxels",
            remedy="Crop the image to the spine, or export it again if its header is damaged.",
        )
    datatype = int(fields["datatype"])
    if datatype not in _TYPES:
        kind = _REFUSED_TYPES.get(datatype, f"values of an unknown type ({datatype})")
        raise ReadError(
            "nifti.type",
            got=f"an image of {kind}",
            needed="an image of whole or floating-point numbers",
            remedy="Export the CT itself instead of a rendering or a mask in colours.",
        )
    offset = float(fields["vox_offset"])
    minimum = 348 if version == 1 else 540
    if not math.isfinite(offset) or not (offset == 0 or minimum <= offset <= 2**31):
        raise _damaged("the file", f"image data said to begin at byte {offset}")
    slope, intercept = float(fields["slope"]), float(fields["intercept"])
    notes: list[Finding] = []
    if not math.isfinite(slope) or slope == 0.0:
        slope, intercept = 1.0, 0.0
    elif not math.isfinite(intercept):
        intercept = 0.0
        notes.append(finding("nifti.scale", "The scale intercept is not a number; 0 was used."))
    units = int(fields["units"]) & 7
    return (
        NiftiHeader(
            version=version,
            shape=shape,
            stored_type=np.dtype(_TYPES[datatype]).name,
            slope=slope,
            intercept=intercept,
            sform_code=int(fields["sform_code"]),
            qform_code=int(fields["qform_code"]),
            description=bytes(fields["description"]).split(b"\0")[0].decode("ascii", "replace"),
            length_unit=_UNIT_NAMES.get(units, "unknown"),
            is_compressed=is_compressed,
            is_big_endian=order == ">",
            data_offset=int(offset) or minimum + 4,
        ),
        notes,
    )


def _require_size(header: NiftiHeader, file_bytes: int, name: str) -> None:
    """Refuse a file too small for what it declares before anything is allocated."""
    needed = header.data_offset + math.prod(header.shape) * np.dtype(header.stored_type).itemsize
    available = file_bytes * _DEFLATE_LIMIT if header.is_compressed else file_bytes
    if needed > available:
        raise ReadError(
            "nifti.truncated",
            got=f"{name!r} of {file_bytes} bytes, which declares an image of {needed} bytes",
            needed="a complete file",
            remedy="Copy or export the file again.",
        )


def _read_voxels(stream: BinaryIO, header: NiftiHeader, name: str, progress: Progress) -> NDArray[np.generic]:
    """The scaled image in C order, read slab by slab so that it is never held twice."""
    stored = np.dtype(header.stored_type).newbyteorder(">" if header.is_big_endian else "<")
    _skip(stream, header.data_offset - (348 if header.version == 1 else 540), name)
    n_x, n_y, n_z = header.shape
    target = np.empty(header.shape, _target_type(header))
    plane_bytes = n_x * n_y * stored.itemsize
    step = max(1, _SLAB_BYTES // plane_bytes)
    for first in range(0, n_z, step):
        count = min(step, n_z - first)
        content = _read_exactly(stream, plane_bytes * count, name)
        slab = np.frombuffer(content, stored).reshape((n_x, n_y, count), order="F")
        if header.slope != 1.0 or header.intercept != 0.0:
            with np.errstate(over="ignore", invalid="ignore"):
                slab = slab.astype(np.float64) * header.slope + header.intercept
        if target.dtype.kind == "i" and slab.dtype.kind == "f" and not _fits(slab, target.dtype):
            target = target.astype(np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            target[:, :, first : first + count] = slab
        progress((first + count) / n_z, f"reading {name}")
    return target


def _target_type(header: NiftiHeader) -> np.dtype[np.generic]:
    """The type that holds the scaled values; integers are given up later if they do not fit."""
    stored = np.dtype(header.stored_type)
    if stored.kind == "f":
        return np.dtype(np.float32)
    if header.slope == 1.0 and header.intercept == 0.0:
        return stored
    if not (header.slope.is_integer() and header.intercept.is_integer()):
        return np.dtype(np.float32)
    return np.dtype(np.int16 if stored.itemsize <= 2 else np.int32)


def _fits(slab: NDArray[np.generic], kind: np.dtype[np.generic]) -> bool:
    limits = np.iinfo(cast("np.dtype[np.signedinteger]", kind))
    return bool(slab.min() >= limits.min and slab.max() <= limits.max)


def _skip(stream: BinaryIO, count: int, name: str) -> None:
    while count > 0:
        count -= len(_read_exactly(stream, min(count, 2**20), name))


def _read_exactly(stream: BinaryIO, count: int, name: str) -> bytes:
    content = stream.read(count)
    if len(content) != count:
        raise ReadError(
            "nifti.truncated",
            got=f"{name!r}, whose image data break off",
            needed="a complete file",
            remedy="Copy or export the file again.",
        )
    return content


def _trailing(stream: BinaryIO, name: str) -> list[Finding]:
    """A finding if more follows the image; reading on also checks a gzip file's check sum."""
    extra = len(stream.read(2**16))
    if not extra:
        return []
    return [finding("nifti.trailing_data", f"{name!r} holds more data behind the image; they were not read.")]


def _geometry(fields: np.void, header: NiftiHeader) -> tuple[VolumeGeometry, list[Finding]]:
    """The grid in LPS, from sform, qform or, with a finding that blocks, voxel sizes alone."""
    units = int(fields["units"]) & 7
    scale = np.diag([*[_MM_PER_UNIT.get(units, 1.0)] * 3, 1.0])
    notes: list[Finding] = []
    if units in (1, 3):
        notes.append(finding("nifti.units", f"Lengths are in {header.length_unit}s; they were converted."))
    forms: dict[str, VolumeGeometry] = {}
    bad: list[str] = []
    for form, code, affine in (
        ("sform", header.sform_code, _sform(fields)),
        ("qform", header.qform_code, _qform(fields)),
    ):
        if code <= 0:
            continue
        try:
            forms[form] = VolumeGeometry(header.shape, _LPS_FROM_RAS @ scale @ affine + 0.0)
        except GeometryError:
            bad.append(form)
    if not forms:
        if bad:
            return VolumeGeometry(header.shape, np.full((4, 4), np.nan)), notes
        sizes = np.abs(fields["pixdim"][1:4].astype(np.float64))
        notes.append(
            finding(
                "nifti.no_orientation",
                "The header gives no orientation: left and right, front and back, up and down are unknown. "
                "The axes were taken to run to the right, the front and the head.",
            )
        )
        return VolumeGeometry(header.shape, _LPS_FROM_RAS @ scale @ np.diag([*sizes, 1.0]) + 0.0), notes
    if bad:
        notes.append(
            finding(
                "nifti.form_damaged",
                f"The {bad[0]} makes no sense; the {next(iter(forms))} was used instead.",
            )
        )
    if len(forms) == 2:
        notes += _disagreement(forms["sform"], forms["qform"])
    return next(iter(forms.values())), notes


def _disagreement(sform: VolumeGeometry, qform: VolumeGeometry) -> list[Finding]:
    """A finding where the two ways of placing the image differ; graver where the axes differ."""
    gap_mm = float(np.abs(sform.corners_lps_mm - qform.corners_lps_mm).max())
    if gap_mm <= FORMS_AGREE_MM:
        return []
    evidence: dict[str, str | float] = {
        "difference_mm": round(gap_mm, 2),
        "sform_axes": sform.axis_codes,
        "qform_axes": qform.axis_codes,
    }
    if sform.axis_codes != qform.axis_codes:
        return [
            finding(
                "nifti.forms_disagree",
                f"sform and qform turn the image differently (axes {sform.axis_codes} against "
                f"{qform.axis_codes}): the patient's sides may be exchanged. The sform was used.",
                evidence=evidence,
                severity=Severity.BLOCK,
            )
        ]
    return [
        finding(
            "nifti.forms_disagree",
            f"sform and qform place the image up to {gap_mm:.1f} mm apart. The sform was used; "
            "labels placed by the other form would not fit.",
            evidence=evidence,
        )
    ]


def _sform(fields: np.void) -> Affine:
    affine = np.eye(4)
    affine[:3] = fields["srow"].astype(np.float64).reshape(3, 4)
    return affine


def _qform(fields: np.void) -> Affine:
    """NIfTI's method 2: a unit quaternion, voxel sizes, and the sign of the third axis [1]_."""
    affine = np.full((4, 4), np.nan)
    pixdim = fields["pixdim"].astype(np.float64)
    b, c, d = (float(x) for x in fields["quatern"])
    squared = 1.0 - (b * b + c * c + d * d)
    if not math.isfinite(squared) or squared < -1e-4:
        return affine
    if squared < 1e-7:
        length = math.sqrt(b * b + c * c + d * d)
        a, b, c, d = 0.0, b / length, c / length, d / length
    else:
        a = math.sqrt(squared)
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    sign = -1.0 if pixdim[0] < 0.0 else 1.0
    affine[:3, :3] = rotation * np.array([pixdim[1], pixdim[2], sign * pixdim[3]])
    affine[:3, 3] = fields["qoffset"].astype(np.float64)
    affine[3] = (0.0, 0.0, 0.0, 1.0)
    return affine


# --- writing -----------------------------------------------------------------------------------


def _storable(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """The array in a type of NIfTI-1."""
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    if array.dtype == np.float64:
        return array.astype(np.float32)
    if array.dtype.name not in {np.dtype(kind).name for kind in _TYPES.values()}:
        raise TypeError(f"an array of {array.dtype} has no place in NIfTI")
    return array


def _new_header(
    array: NDArray[np.generic], geometry: VolumeGeometry, description: str, intent_name: str
) -> bytes:
    """348 bytes of header and 4 of "no extensions follow"."""
    record = np.zeros(1, _header_type(1, "<"))
    ras_from_voxel = _LPS_FROM_RAS @ geometry.lps_from_voxel + 0.0
    record["size"], record["magic"] = 348, b"n+1"
    record["dim"][0] = [3, *array.shape, 1, 1, 1, 1]
    record["datatype"] = next(
        code for code, kind in _TYPES.items() if np.dtype(kind).name == array.dtype.name
    )
    record["bitpix"] = array.dtype.itemsize * 8
    record["vox_offset"], record["slope"], record["units"] = 352, 1.0, 2
    record["description"] = description.encode("ascii", "replace")[:79]
    record["sform_code"] = 1
    record["srow"][0] = ras_from_voxel[:3].ravel()
    spacing = np.array(geometry.spacing_mm)
    record["pixdim"][0, :4] = [1.0, *spacing]
    axes = ras_from_voxel[:3, :3] / spacing
    is_sheared = not np.allclose(axes.T @ axes, np.eye(3), atol=1e-6)
    if not is_sheared:
        sign = 1.0 if np.linalg.det(axes) > 0 else -1.0
        record["pixdim"][0, 0] = sign
        record["quatern"][0] = _quaternion(axes * np.array([1.0, 1.0, sign]))
        record["qoffset"][0] = ras_from_voxel[:3, 3]
        record["qform_code"] = 1
    content = bytearray(record.tobytes())
    content[38:39] = b"r"  # "regular", as every NIfTI file has it
    content[328:344] = intent_name.encode("ascii", "replace")[:15].ljust(16, b"\0")
    return bytes(content) + b"\0\0\0\0"


def _quaternion(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """The (b, c, d) of the unit quaternion of a proper rotation, with a ≥ 0.

    The eigenvector of the largest eigenvalue of Bar-Itzhack's symmetric 4 × 4 matrix: no case
    distinctions, stable at half turns.
    """
    r = rotation
    matrix = (
        np.array(
            [
                [r[0, 0] - r[1, 1] - r[2, 2], 0, 0, 0],
                [r[0, 1] + r[1, 0], r[1, 1] - r[0, 0] - r[2, 2], 0, 0],
                [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], r[2, 2] - r[0, 0] - r[1, 1], 0],
                [r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], r[0, 0] + r[1, 1] + r[2, 2]],
            ]
        )
        / 3.0
    )
    values, vectors = np.linalg.eigh(matrix)
    b, c, d, a = vectors[:, int(np.argmax(values))]
    sign = -1.0 if a < 0 else 1.0
    return float(sign * b), float(sign * c), float(sign * d)


def is_nifti(path: str | Path) -> bool:
    """Whether a file begins like a NIfTI image, unpacked or in gzip.

    Examples
    --------
    >>> is_nifti(__file__)
    False
    """
    path = Path(path)
    if not path.is_file():
        return False
    try:
        with path.open("rb") as raw:
            start = raw.read(4)
            if start[:2] == b"\x1f\x8b":
                return True
    except OSError:
        return False
    sizes = {int(size).to_bytes(4, order) for size in (348, 540) for order in ("little", "big")}
    return start in sizes
