"""Read a CT, whatever it came as, into one kind of volume: Hounsfield units in DICOM LPS, mm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import ReadError
from vertebro.findings import Finding, finding
from vertebro.imaging import ImageFacts, Volume
from vertebro.io.dicom_ct import assemble
from vertebro.io.dicom_files import open_files
from vertebro.io.dicom_series import pick, scan
from vertebro.io.image_findings import LOWEST_HU, MIN_PADDING_SHARE, look_at, padding_finding
from vertebro.io.nifti import is_nifti, load_nifti_array
from vertebro.progress import Progress, scaled, silent


def read_ct(path: str | Path, *, series: str | None = None, progress: Progress = silent) -> Volume:
    """Read a CT from a DICOM folder, zip, disc or file, or from a NIfTI file.

    What the path is, is found from its content, not its name. Nothing is written anywhere.

    Parameters
    ----------
    path : path
        A folder (searched through all its subfolders), a zip, a disc (its folder or its
        ``DICOMDIR``), one DICOM file, or a NIfTI file (``.nii``, ``.nii.gz``).
    series : str, optional
        Which series to read where there are several: its number as listed by
        :func:`~vertebro.io.list_series`, its UID, or the beginning of its UID. The best one by
        the rule told in :mod:`vertebro.io.dicom_series` if not given.
    progress : callable
        Called as ``progress(fraction, text)``.

    Returns
    -------
    Volume
        HU in DICOM LPS millimetres, int16 where the values are whole and fit, else float32; in C
        order; with ``facts`` (what the source says) and ``findings`` (what was noticed, and what
        it means for the result).

    Raises
    ------
    ReadError
        If there is nothing there that can be read as a CT, or the series asked for is not there.
    GeometryError
        If the images have no sensible place in the world.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from vertebro.imaging import VolumeGeometry
    >>> from vertebro.io import save_nifti
    >>> file = Path(tempfile.mkdtemp()) / "ct.nii.gz"
    >>> grid = VolumeGeometry.from_spacing((20, 20, 20), (1.0, 1.0, 2.0))
    >>> hu = np.full((20, 20, 20), -1000, np.int16)
    >>> hu[5:15, 5:15, :] = 40
    >>> save_nifti(file, hu, grid)
    >>> volume = read_ct(file)
    >>> volume.geometry.axis_codes, int(volume.hu[10, 10, 0])
    ('LPS', 40)
    """
    path = Path(path)
    if not path.exists():
        raise ReadError(
            "read.missing",
            got="a path where nothing is",
            needed="a DICOM folder, zip or disc, or a .nii or .nii.gz file",
            remedy="Check the path's spelling and that the disc or drive is connected.",
            fields=("path",),
        )
    try:
        volume = _read(path, series, scaled(progress, 0.0, 0.9))
        progress(0.9, "looking at the image")
        return volume.with_findings(*look_at(volume))
    except MemoryError as problem:
        raise ReadError(
            "read.memory",
            got="an image too large for this machine's free memory",
            needed="a smaller image or more memory",
            remedy="Crop the image to the spine, or close other programs.",
            fields=("path",),
        ) from problem


def _read(path: Path, series: str | None, progress: Progress) -> Volume:
    if not is_nifti(path):
        return _read_dicom(path, series, progress)
    if series is not None:
        raise ReadError(
            "read.series_of_nifti",
            got="a series asked for in a NIfTI file",
            needed="no series, for a NIfTI file holds one image",
            remedy="Leave the series out, or give the DICOM folder.",
            fields=("series",),
        )
    return _read_nifti(path, progress)


def _read_dicom(path: Path, series: str | None, progress: Progress) -> Volume:
    with open_files(path) as files:
        contents = scan(files, scaled(progress, 0.0, 0.3))
        stack, _, notes = pick(contents, series)
        volume = assemble(stack, scaled(progress, 0.3, 1.0))
    return Volume(volume.hu, volume.geometry, volume.facts, (*contents.findings, *notes, *volume.findings))


def _read_nifti(path: Path, progress: Progress) -> Volume:
    array, geometry, header, findings = load_nifti_array(path, progress=progress)
    hu, notes = _hounsfield(array)
    axis = int(np.abs(geometry.axis_directions_lps[:, 2]).argmax())
    facts = ImageFacts(
        source_kind="nifti",
        series_description=header.description,
        slice_spacing_mm=geometry.spacing_mm[axis],
        n_slices=geometry.shape[axis],
        slice_axis=axis,
    )
    return Volume(hu, geometry, facts, (*findings, *notes))


def _hounsfield(array: NDArray[np.generic]) -> tuple[NDArray[np.int16] | NDArray[np.float32], list[Finding]]:
    """The array as int16 or float32, with what was not measured at −1024."""
    notes: list[Finding] = []
    limits = np.iinfo(np.int16)
    if array.dtype.kind in "iu" and array.min() >= limits.min and array.max() <= limits.max:
        hu: NDArray[np.int16] | NDArray[np.float32] = array.astype(np.int16, copy=False)
    else:
        hu = array.astype(np.float32, copy=False)
        is_bad = ~np.isfinite(hu)
        if is_bad.any():
            percent = 100.0 * float(is_bad.mean())
            message = (
                f"{percent:.1f} % of the values are not numbers; they were taken as not measured (−1024 HU)."
            )
            notes.append(finding("image.not_a_number", message, evidence={"percent": round(percent, 3)}))
            hu = np.where(is_bad, np.float32(LOWEST_HU), hu)
        if not np.any(hu % 1.0) and hu.min() >= limits.min and hu.max() <= limits.max:
            hu = hu.astype(np.int16)
    n_below = int((hu < LOWEST_HU).sum())
    if n_below > MIN_PADDING_SHARE * hu.size:
        notes.append(padding_finding(n_below / hu.size, float(hu.min())))
    return (np.maximum(hu, hu.dtype.type(LOWEST_HU)) if n_below else hu), notes
