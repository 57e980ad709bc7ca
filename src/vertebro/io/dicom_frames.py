"""The image planes of one file: of a single image, or of every frame of an enhanced one.

References
----------
.. [1] DICOM PS3.3, C.7.6.2.1.1 (position and orientation), C.7.6.16.2 (functional group macros:
   pixel measures, frame content, plane position, plane orientation, pixel value transformation).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vertebro.io.dicom_image import DicomImage, Plane
from vertebro.io.dicom_values import first_item, items, number, numbers, text, texts, whole

if TYPE_CHECKING:
    from pydicom import Dataset

MAX_FRAMES = 20_000
"""Frames of one object (assumed: a whole body at 0.5 mm has some 4,000)."""
UNIT_TOLERANCE = 1e-2
"""How far direction cosines may be from unit length and a right angle (headers round to 4 digits)."""

Vector = tuple[float, float, float]


def with_planes(image: DicomImage, dataset: Dataset) -> DicomImage:
    """The image with its planes, or with the reason why it has none."""
    frames = items(dataset, "PerFrameFunctionalGroupsSequence")
    if len(frames) or image.pixels.n_frames > 1:
        return _from_frames(image, dataset)
    plane = _plane(image, 0, dataset, dataset, dataset, dataset)
    if isinstance(plane, str):
        return replace(image, problem=plane)
    plane = replace(
        plane,
        image_type=texts(dataset, "ImageType"),
        thickness_mm=image.facts.slice_thickness_mm,
        acquisition=text(dataset, "AcquisitionNumber"),
        moment=text(dataset, "TemporalPositionIdentifier") or text(dataset, "TemporalPositionIndex"),
        instance_number=whole(dataset, "InstanceNumber", 0),
    )
    return replace(image, planes=(plane,))


def _from_frames(image: DicomImage, dataset: Dataset) -> DicomImage:
    """Every frame as a plane; what a frame does not say for itself, the shared group says."""
    listed = items(dataset, "PerFrameFunctionalGroupsSequence")
    if len(listed) != image.pixels.n_frames or len(listed) > MAX_FRAMES:
        return replace(image, problem=f"{image.pixels.n_frames} frames but the places of {len(listed)}")
    shared = first_item(dataset, "SharedFunctionalGroupsSequence")
    image = _with_shared_facts(image, shared, listed[0])
    planes: list[Plane] = []
    problem = ""
    for index, own in enumerate(listed):

        def macro(keyword: str, own: Dataset = own) -> Dataset | None:
            return first_item(own, keyword) or first_item(shared, keyword)

        measures = macro("PixelMeasuresSequence")
        plane = _plane(
            image,
            index,
            macro("PlanePositionSequence"),
            macro("PlaneOrientationSequence"),
            measures,
            macro("PixelValueTransformationSequence"),
        )
        if isinstance(plane, str):
            problem = plane
            continue
        content = first_item(own, "FrameContentSequence")
        kind = macro("CTImageFrameTypeSequence")
        planes.append(
            replace(
                plane,
                image_type=(texts(kind, "FrameType") if kind is not None else ())
                or texts(dataset, "ImageType"),
                thickness_mm=number(measures, "SliceThickness") if measures is not None else None,
                acquisition=text(content, "FrameAcquisitionNumber") if content is not None else "",
                moment=_moment(content),
                instance_number=index + 1,
            )
        )
    return replace(image, planes=tuple(planes), problem="" if planes else problem)


def _moment(content: Dataset | None) -> str:
    """Which of several moments and stacks a frame belongs to."""
    if content is None:
        return ""
    parts = (text(content, "StackID"), text(content, "TemporalPositionIndex"))
    return "/".join(parts) if any(parts) else ""


def _with_shared_facts(image: DicomImage, shared: Dataset | None, own: Dataset) -> DicomImage:
    """Facts that an enhanced object keeps in its functional groups."""

    def macro(keyword: str) -> Dataset | None:
        return first_item(shared, keyword) or first_item(own, keyword)

    facts = image.facts
    reconstruction = macro("CTReconstructionSequence")
    if reconstruction is not None and not facts.kernel:
        facts = replace(facts, kernel=text(reconstruction, "ConvolutionKernel"))
    details = macro("CTAcquisitionDetailsSequence")
    if details is not None and facts.gantry_tilt_deg is None:
        facts = replace(facts, gantry_tilt_deg=number(details, "GantryDetectorTilt"))
    beam = macro("CTXRayDetailsSequence")
    if beam is not None and facts.kvp_kv is None:
        facts = replace(facts, kvp_kv=number(beam, "KVP"))
    measures = macro("PixelMeasuresSequence")
    if measures is not None and facts.slice_thickness_mm is None:
        facts = replace(facts, slice_thickness_mm=number(measures, "SliceThickness"))
    return replace(image, facts=facts)


def _plane(
    image: DicomImage,
    index: int,
    position: Dataset | None,
    orientation: Dataset | None,
    measures: Dataset | None,
    transformation: Dataset | None,
) -> Plane | str:
    """One plane from the data sets that hold its place, turn, spacing and scale; or what is wrong."""
    place = numbers(position, "ImagePositionPatient", 3) if position is not None else None
    if place is None or max(abs(x) for x in place) > 1e5:
        return "images without a position in the patient"
    axes = _axes(numbers(orientation, "ImageOrientationPatient", 6) if orientation is not None else None)
    if axes is None:
        return "images without an orientation in the patient"
    spacing = numbers(measures, "PixelSpacing", 2) if measures is not None else None
    if spacing is None or not all(0.01 <= length <= 20.0 for length in spacing):
        return "images without a pixel spacing between 0.01 and 20 mm"
    slope = number(transformation, "RescaleSlope") if transformation is not None else None
    intercept = number(transformation, "RescaleIntercept") if transformation is not None else None
    return Plane(
        image=image,
        frame_index=index,
        position_lps_mm=(place[0], place[1], place[2]),
        row_direction_lps=axes[0],
        column_direction_lps=axes[1],
        row_spacing_mm=spacing[0],
        column_spacing_mm=spacing[1],
        slope=1.0 if slope is None or slope == 0.0 else slope,
        intercept=0.0 if intercept is None else intercept,
        has_rescale=slope is not None and intercept is not None and slope != 0.0,
        rescale_type=text(transformation, "RescaleType").upper() if transformation is not None else "",
        image_type=(),
        thickness_mm=None,
        acquisition="",
        moment="",
        instance_number=0,
    )


def _axes(cosines: tuple[float, ...] | None) -> tuple[Vector, Vector] | None:
    """Exact unit vectors at a right angle from the six direction cosines; ``None`` if they are none."""
    if cosines is None:
        return None
    row, column = np.array(cosines[:3]), np.array(cosines[3:])
    lengths = float(np.linalg.norm(row)), float(np.linalg.norm(column))
    if max(abs(length - 1.0) for length in lengths) > UNIT_TOLERANCE or abs(row @ column) > UNIT_TOLERANCE:
        return None
    row = row / lengths[0]
    column = column - (column @ row) * row
    column = column / np.linalg.norm(column)
    first, second = row + 0.0, column + 0.0
    return (
        (float(first[0]), float(first[1]), float(first[2])),
        (float(second[0]), float(second[1]), float(second[2])),
    )
