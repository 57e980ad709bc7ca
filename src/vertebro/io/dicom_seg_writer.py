"""The levels as a strict DICOM segmentation that refers to the CT it was drawn on.

World frame: DICOM LPS, millimetres.

References
----------
.. [1] DICOM PS3.3, A.51 (segmentation IOD), C.8.20.
.. [2] DICOM PS3.16, CID 7603 Vertebra, CID 7150 Segmentation Property Categories.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import highdicom
import numpy as np
from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
from numpy.typing import NDArray
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from vertebro import __version__
from vertebro.errors import InputError
from vertebro.imaging import LabelVolume, Volume
from vertebro.io.dicom_ct_series import (
    has_dicom_source,
    reference_images,
    save_strictly,
    slice_stack,
)
from vertebro.io.dicom_identity import (
    MANUFACTURER,
    MODEL,
    SERIAL,
    labels_hash,
    stamp,
    uid_from,
    volume_hash,
)
from vertebro.io.label_conventions import snomed_codes
from vertebro.io.label_grid import count_values

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_COLOURS = ((84, 130, 53), (46, 117, 182), (191, 144, 0), (112, 48, 160), (197, 90, 17), (0, 128, 128))
"""RGB of the segments, in turn: neighbours are told apart, also by most colour-blind readers."""


def vertebra_code(name: str) -> Code:
    """The coded concept of a level; that of any vertebra where the level has no code (T13, L6).

    Examples
    --------
    >>> vertebra_code("L1").value, vertebra_code("L6").value
    ('66794005', '51282000')
    """
    value = snomed_codes().get(name)
    if value is None:
        return Code("51282000", "SCT", "Vertebra")
    meaning = {"S1": "Sacrum", "sacrum": "Sacrum", "coccyx": "Coccyx"}.get(name, f"{name} vertebra")
    return Code(value, "SCT", meaning)


def write_seg(path: str | Path, volume: Volume, labels: LabelVolume, *, when: datetime) -> None:
    """Write the levels as a DICOM segmentation, one binary segment for each.

    Parameters
    ----------
    path : path
        The file; replaced if there is one.
    volume : Volume
        The CT. Where it was read from DICOM its images are referred to; otherwise the images that
        :func:`~vertebro.io.dicom_ct_series.write_ct_series` writes of it.
    labels : LabelVolume
        May lie on another grid than the CT.
    when : datetime
        Date and time of the object.

    Raises
    ------
    GeometryError
        If either grid's axes are not at right angles (``dicom.sheared``).
    InputError
        If there are no labels (``labels.empty``) or the file cannot be written.

    Notes
    -----
    The same input and moment give the same bytes.

    Examples
    --------
    >>> import tempfile
    >>> from vertebro.imaging import VolumeGeometry
    >>> grid = VolumeGeometry.from_spacing((8, 8, 4), (2.0, 2.0, 2.0))
    >>> drawn = np.zeros((8, 8, 4), np.uint8)
    >>> drawn[2:6, 2:6, 1:3] = 20
    >>> file = Path(tempfile.mkdtemp()) / "levels.dcm"
    >>> ct = Volume(np.zeros((8, 8, 4), np.int16), grid)
    >>> write_seg(file, ct, LabelVolume(drawn, grid, {20: "L1"}), when=datetime(2026, 1, 2))
    >>> file.stat().st_size > 1000
    True
    """
    save_strictly(make_seg(volume, labels, when=when), Path(path))


def make_seg(volume: Volume, labels: LabelVolume, *, when: datetime) -> Dataset:
    """The segmentation as a data set, for writing or for a report to refer to.

    Parameters
    ----------
    volume, labels, when : as for :func:`write_seg`
    """
    present = set(np.flatnonzero(count_values(labels.labels)).tolist())
    named = [(value, name) for value, name in labels.names.items() if value in present]
    if not named:
        raise InputError(
            "labels.empty",
            got="labels without a single named vertebra",
            needed="at least one",
            remedy="Read or make labels first.",
        )
    images = reference_images(volume)
    table = np.zeros(int(labels.labels.max()) + 1, np.uint8)
    table[[value for value, _ in named]] = np.arange(1, len(named) + 1)
    stack = slice_stack(labels.geometry, slice_axis=slice_axis_of(volume, labels))
    pixels = np.ascontiguousarray(stack.arrange(table[labels.labels]))
    seed = volume_hash(volume) + labels_hash(labels)
    with quiet_toolkit():
        segments = [
            _description(number, name, labels, seed) for number, (_, name) in enumerate(named, start=1)
        ]
        return segmentation_of(
            images,
            (pixels, stack.geometry.lps_from_voxel),
            segments,
            SegSeries("seg", 900, "LEVELS", "Vertebral levels"),
            seed,
            when,
        )


@dataclass(frozen=True, slots=True)
class SegSeries:
    """What tells one kind of segmentation from another."""

    kind: str
    """Part of its identifiers."""
    number: int
    """Of the series."""
    label: str
    description: str


def segmentation_of(
    images: Sequence[Dataset],
    pixels_on_grid: tuple[NDArray[np.uint8], NDArray[np.float64]],
    segments: Sequence[SegmentDescription],
    series: SegSeries,
    seed: str,
    when: datetime,
) -> Dataset:
    """A binary segmentation that refers to CT images.

    Parameters
    ----------
    images : sequence of Dataset
    pixels_on_grid : ((slices, rows, columns) uint8 array, (4, 4) float array)
        Number of the segment at each voxel, 0 for none, and the grid's LPS from voxel.
    segments : sequence of SegmentDescription
        Numbered from 1.
    series : SegSeries
    seed : str
        What its identifiers are derived from.
    when : datetime
    """
    pixels, lps_from_voxel = pixels_on_grid
    dataset = Segmentation(
        source_images=images,
        pixel_array=highdicom.Volume(
            pixels,
            lps_from_voxel,
            coordinate_system="PATIENT",
            frame_of_reference_uid=str(images[0].FrameOfReferenceUID),
        ),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=segments,
        series_instance_uid=uid_from(f"{series.kind} series", seed, __version__),
        series_number=series.number,
        sop_instance_uid=uid_from(series.kind, seed, __version__, when.isoformat()),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL,
        software_versions=__version__,
        device_serial_number=SERIAL,
        content_description=series.description,
        content_label=series.label,
        series_description=f"{series.description} (vertebro)",
    )
    stamp(dataset, when, series.kind)
    return dataset


def slice_axis_of(volume: Volume, labels: LabelVolume) -> int | None:
    """The CT's own slice axis where the labels lie on the CT's grid, so that frames match its images."""
    if has_dicom_source(volume) and labels.geometry.is_close(volume.geometry):
        return volume.facts.slice_axis
    return None


def _description(number: int, name: str, labels: LabelVolume, seed: str) -> SegmentDescription:
    """One segment: what it is, and that vertebro wrote it from labels that came from elsewhere."""
    algorithm = highdicom.AlgorithmIdentificationSequence(
        name="vertebro",
        family=Code("123109", "DCM", "Manual Processing"),
        version=__version__,
        source=MANUFACTURER,
        parameters={"labels": labels.convention, "extent": labels.extent},
    )
    is_body = labels.extent == "body"
    description = SegmentDescription(
        segment_number=number,
        segment_label=f"{name} body" if is_body else name,
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=vertebra_code(name),
        algorithm_type="SEMIAUTOMATIC",
        algorithm_identification=algorithm,
        tracking_uid=uid_from("tracking", seed, name),
        tracking_id=name,
    )
    red, green, blue = _COLOURS[number % len(_COLOURS)]
    lab = highdicom.color.CIELabColor.from_rgb(red, green, blue).value
    description.RecommendedDisplayCIELabValue = [int(component) for component in lab]
    return description


@contextmanager
def quiet_toolkit() -> Iterator[None]:
    """Keep the toolkit's advice to its callers from ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
