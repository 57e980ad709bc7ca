"""Simulated cement as a DICOM segmentation that refers to the CT it was computed on.

A segment for each level; a voxel of the CT belongs to it where at least a quarter of it is cement. The
object says in its description that the cement is simulated.

References
----------
.. [1] DICOM PS3.3, A.51 (segmentation IOD), C.8.20; CID 7150 Segmentation Property Categories.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import highdicom
import numpy as np
from highdicom.seg import SegmentDescription
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from vertebro import __version__
from vertebro.case import InjectionResult
from vertebro.errors import InputError
from vertebro.geometry import apply_affine
from vertebro.imaging import ScalarVolume, Volume, VolumeGeometry, resample
from vertebro.io.dicom_ct_series import has_dicom_source, reference_images, save_strictly, slice_stack
from vertebro.io.dicom_identity import MANUFACTURER, content_hash, uid_from, volume_hash
from vertebro.io.dicom_seg_writer import SegSeries, quiet_toolkit, segmentation_of
from vertebro.io.dicom_sr import identify_scheme, private_code

SHARE = 0.25
"""Share of a voxel that is cement from which it belongs to the segment."""
_RGB = (255, 138, 216)


def write_cement_seg(path: str | Path, volume: Volume, result: InjectionResult, *, when: datetime) -> None:
    """Write the cement of every level as a DICOM segmentation on the CT's grid.

    Parameters
    ----------
    path : path
        The file; replaced if there is one.
    volume : Volume
    result : InjectionResult
    when : datetime
        Date and time of the object.

    Raises
    ------
    InputError
        If no level holds cement that a voxel of the CT shows (``cement.none``), or the file cannot be
        written.

    Notes
    -----
    The same input and moment give the same bytes.
    """
    save_strictly(make_cement_seg(volume, result, when=when), Path(path))


def make_cement_seg(volume: Volume, result: InjectionResult, *, when: datetime) -> Dataset:
    """The segmentation as a data set."""
    drawn = np.zeros(volume.shape, np.uint8)
    named: list[str] = []
    for name, level in result.levels.items():
        place, mask = cement_on(level.cement_fraction, volume.geometry)
        if mask.any():
            named.append(name)
            part = drawn[place]
            part[mask & (part == 0)] = len(named)
    present = [name for number, name in enumerate(named, start=1) if bool((drawn == number).any())]
    if not present:
        raise InputError(
            "cement.none",
            got="an injection without cement that the CT's voxels show",
            needed="at least one voxel of cement",
            remedy="Inject a level first.",
        )
    numbers = np.zeros(len(named) + 1, np.uint8)
    for number, name in enumerate(present, start=1):
        numbers[named.index(name) + 1] = number
    seed = volume_hash(volume) + content_hash(repr(_gist(result)))
    axis = volume.facts.slice_axis if has_dicom_source(volume) else None
    stack = slice_stack(volume.geometry, slice_axis=axis)
    pixels = np.ascontiguousarray(stack.arrange(numbers[drawn]))
    with quiet_toolkit():
        dataset = segmentation_of(
            reference_images(volume),
            (pixels, stack.geometry.lps_from_voxel),
            [_segment(number, name, result, seed) for number, name in enumerate(present, start=1)],
            SegSeries("cement seg", 904, "CEMENT", "Simulated cement"),
            seed,
            when,
        )
    identify_scheme(dataset)
    return dataset


def cement_on(
    field: ScalarVolume, target: VolumeGeometry
) -> tuple[tuple[slice, slice, slice], NDArray[np.bool_]]:
    """The part of a grid that cement touches, and which of its voxels are cement.

    Examples
    --------
    >>> grid = VolumeGeometry.from_spacing((4, 4, 4), (1.0, 1.0, 1.0))
    >>> values = np.zeros((4, 4, 4), np.float32)
    >>> values[1, 1, 1] = 1.0
    >>> place, mask = cement_on(ScalarVolume(values, grid, "cement"), grid)
    >>> int(mask.sum())
    1
    """
    index = np.argwhere(field.values > 0.0)
    nothing = (slice(0, 1), slice(0, 1), slice(0, 1))
    if not len(index):
        return nothing, np.zeros((1, 1, 1), dtype=np.bool_)
    ends = np.array([index.min(axis=0) - 1, index.max(axis=0) + 1])
    corners = np.array([[ends[i, 0], ends[j, 1], ends[k, 2]] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    there = apply_affine(target.voxel_from_lps, apply_affine(field.geometry.lps_from_voxel, corners))
    start = np.clip(np.floor(there.min(axis=0)).astype(int), 0, target.shape)
    stop = np.clip(np.ceil(there.max(axis=0)).astype(int) + 1, 0, target.shape)
    if np.any(stop <= start):
        return nothing, np.zeros((1, 1, 1), dtype=np.bool_)
    low, high = (int(start[0]), int(start[1]), int(start[2])), (int(stop[0]), int(stop[1]), int(stop[2]))
    values = np.asarray(
        resample(field.values, field.geometry, target.crop(low, high), outside=0.0), dtype=np.float32
    )
    place = (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))
    return place, np.asarray(values >= SHARE, dtype=np.bool_)


def _gist(result: InjectionResult) -> Mapping[str, object]:
    return {
        name: (level.product, level.injected_ml, {k.value: v for k, v in level.volumes_ml.items()})
        for name, level in result.levels.items()
    }


def _segment(number: int, name: str, result: InjectionResult, seed: str) -> SegmentDescription:
    label = f"{name} cement (simulated)"
    level = result.levels[name]
    description = SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.PhysicalObject,
        segmented_property_type=private_code("segments", "SIMULATED_CEMENT"),
        algorithm_type="AUTOMATIC",
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name="vertebro",
            family=private_code("families", "FLOW_SIMULATION"),
            version=__version__,
            source=MANUFACTURER,
            parameters={"cement": level.product, "injected_ml": f"{level.injected_ml:.2f}"},
        ),
        tracking_uid=uid_from("cement tracking", seed, label),
        tracking_id=label,
    )
    lab = highdicom.color.CIELabColor.from_rgb(*_RGB).value
    description.RecommendedDisplayCIELabValue = [int(component) for component in lab]
    return description
