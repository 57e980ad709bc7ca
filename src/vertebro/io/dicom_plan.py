"""The needle plan as DICOM: cannulas and tips as a segmentation, each path's numbers as a report.

World frame: DICOM LPS, millimetres. Both objects lie in the CT's frame of reference, so that a viewer
or a navigation system shows them over the images. Only recommended paths are written.

References
----------
.. [1] DICOM PS3.3, A.51 (segmentation IOD); PS3.16, TID 1500, TID 1501, TID 300.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import highdicom
import numpy as np
from highdicom import sr
from highdicom.seg import SegmentDescription
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from vertebro import __version__
from vertebro.case import NeedlePath, TreatmentPlan
from vertebro.devices.cannulas import cannula_named
from vertebro.errors import InputError
from vertebro.geometry import apply_affine
from vertebro.imaging import LabelVolume, Volume, VolumeGeometry
from vertebro.io.dicom_ct_series import reference_images, save_strictly, slice_stack
from vertebro.io.dicom_identity import MANUFACTURER, content_hash, uid_from, volume_hash
from vertebro.io.dicom_seg_writer import (
    SegSeries,
    quiet_toolkit,
    segmentation_of,
    slice_axis_of,
    vertebra_code,
)
from vertebro.io.dicom_sr import UNITS, ReportSeries, identify_scheme, private_code, report_of

TIP_RADIUS_MM = 2.0
"""The tip's place is drawn as a ball of this radius: seen on any CT, smaller than what it may err by."""
WITHOUT_SKIN_MM = 40.0
"""Drawn before the bone where the skin lies outside the scan."""
_CANNULA_RGB, _TIP_RGB = (90, 200, 250), (255, 140, 60)
_DECIMALS = 3

Planned = tuple[str, NeedlePath, bool]
"""Level, recommended path, whether it is to be placed (or an alternative)."""


def planned_paths(plan: TreatmentPlan) -> tuple[Planned, ...]:
    """Every recommended path of a plan with its level, and whether the access asks for it."""
    return tuple(
        (name, path, any(path is needle for needle in level.needles))
        for name, level in plan.levels.items()
        for path in level.paths
        if path.recommended
    )


def write_plan_seg(
    path: str | Path, volume: Volume, labels: LabelVolume, plan: TreatmentPlan, *, when: datetime
) -> None:
    """Write cannulas and tips as a DICOM segmentation on the labels' grid.

    Parameters
    ----------
    path : path
        The file; replaced if there is one.
    volume : Volume
    labels : LabelVolume
        Its grid is used.
    plan : TreatmentPlan
        Two segments for each recommended path: the cannula from the skin (or 40 mm before the bone) to
        the tip, and the tip's place as a ball of 2 mm radius. A voxel belongs to one segment: tips come
        first, then the paths in their order.
    when : datetime

    Raises
    ------
    InputError
        If the plan recommends no path (``plan.no_path``) or the file cannot be written.
    """
    save_strictly(make_plan_seg(volume, labels, plan, when=when), Path(path))


def make_plan_seg(volume: Volume, labels: LabelVolume, plan: TreatmentPlan, *, when: datetime) -> Dataset:
    """The segmentation as a data set."""
    planned = _required(plan)
    grid = labels.geometry
    drawn = np.zeros(grid.shape, np.uint8)
    solids = [
        (2 * index + 1, _start(path), path.target_lps_mm, cannula_named(path.device).radius_mm)
        for index, (_, path, _) in enumerate(planned)
    ]
    # the last drawn wins: cannulas in reverse, then tips
    for number, start, tip, radius_mm in reversed(solids):
        _draw(drawn, grid, (start, tip), radius_mm, number)
    for number, _, tip, _ in reversed(solids):
        _draw(drawn, grid, (tip, tip), TIP_RADIUS_MM, number + 1)
    seed = volume_hash(volume) + content_hash(repr(plan.to_json()))
    stack = slice_stack(grid, slice_axis=slice_axis_of(volume, labels))
    pixels = np.ascontiguousarray(stack.arrange(drawn))
    present = sorted(set(np.unique(pixels).tolist()) - {0})
    table = np.zeros(2 * len(planned) + 1, np.uint8)
    table[present] = np.arange(1, len(present) + 1)
    with quiet_toolkit():
        segments = [
            _segment(position, planned[(number - 1) // 2], is_tip=number % 2 == 0, seed=seed)
            for position, number in enumerate(present, start=1)
        ]
        dataset = segmentation_of(
            reference_images(volume),
            (table[pixels], stack.geometry.lps_from_voxel),
            segments,
            SegSeries("plan seg", 902, "NEEDLE_PLAN", "Planned needles"),
            seed,
            when,
        )
    identify_scheme(dataset)
    return dataset


def _required(plan: TreatmentPlan) -> tuple[Planned, ...]:
    planned = planned_paths(plan)
    if not planned:
        raise InputError(
            "plan.no_path",
            got="a plan without any recommended needle path",
            needed="at least one",
            remedy="See what the plan says of each side.",
        )
    return planned


def _start(path: NeedlePath) -> NDArray[np.float64]:
    if path.entry_skin_lps_mm is not None:
        return path.entry_skin_lps_mm
    backwards = path.entry_bone_lps_mm - path.target_lps_mm
    return np.asarray(path.entry_bone_lps_mm + WITHOUT_SKIN_MM * backwards / np.linalg.norm(backwards))


def _draw(
    drawn: NDArray[np.uint8],
    grid: VolumeGeometry,
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
    radius_mm: float,
    number: int,
) -> None:
    """Mark the voxels whose centres lie within a radius of a segment, at least half a voxel's diagonal.

    So a thin cannula leaves an unbroken trace on thick slices, too.
    """
    reach = max(radius_mm, 0.5 * float(np.linalg.norm(grid.spacing_mm)))
    corners = np.array([end + reach * sign for end in ends for sign in _corner_signs()])
    index = apply_affine(grid.voxel_from_lps, corners)
    low = np.maximum(np.floor(index.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(index.max(axis=0)).astype(int) + 1, grid.shape)
    if np.any(high <= low):
        return
    window = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    local = np.indices(tuple(int(b - a) for a, b in zip(low, high, strict=True))).reshape(3, -1).T + low
    start, stop = ends
    span = stop - start
    offset = apply_affine(grid.lps_from_voxel, local) - start
    along = np.clip(offset @ span / max(float(span @ span), 1e-9), 0.0, 1.0)
    is_near = np.linalg.norm(offset - along[:, None] * span, axis=1) <= reach
    part = drawn[window]
    part[is_near.reshape(part.shape)] = number


def _corner_signs() -> NDArray[np.float64]:
    return np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1).T


def _segment(number: int, planned: Planned, *, is_tip: bool, seed: str) -> SegmentDescription:
    name, path, to_place = planned
    code = "NEEDLE_TIP" if is_tip else "CANNULA"
    use = "" if to_place else " (alternative)"
    label = f"{name} {path.side.value} {'tip' if is_tip else 'cannula'}{use}"
    description = SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=codes.SCT.SpatialAndRelationalConcept,
        segmented_property_type=private_code("segments", code),
        algorithm_type="AUTOMATIC",
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name="vertebro",
            family=private_code("families", "MARGIN_SEARCH"),
            version=__version__,
            source=MANUFACTURER,
            parameters={"device": path.device, "approach": path.approach.value},
        ),
        tracking_uid=uid_from("plan tracking", seed, label),
        tracking_id=label,
    )
    lab = highdicom.color.CIELabColor.from_rgb(*(_TIP_RGB if is_tip else _CANNULA_RGB)).value
    description.RecommendedDisplayCIELabValue = [int(component) for component in lab]
    return description


def write_plan_sr(path: str | Path, volume: Volume, plan: TreatmentPlan, *, when: datetime) -> None:
    """Write the numbers of every recommended path as a DICOM structured report (TID 1500).

    Parameters
    ----------
    path : path
        The file; replaced if there is one.
    volume : Volume
        The CT that was planned on; the report refers to its images.
    plan : TreatmentPlan
    when : datetime

    Raises
    ------
    InputError
        If the plan recommends no path (``plan.no_path``) or the file cannot be written.

    Notes
    -----
    The path is the line of its length in bone, from the entry on bone to the tip. The report is marked
    complete and unverified: no person has confirmed it.
    """
    save_strictly(make_plan_sr(volume, plan, when=when), Path(path))


def make_plan_sr(volume: Volume, plan: TreatmentPlan, *, when: datetime) -> Dataset:
    """The structured report as a data set."""
    planned = _required(plan)
    images = reference_images(volume)
    seed = volume_hash(volume) + content_hash(repr(plan.to_json()))
    frame_uid = str(images[0].FrameOfReferenceUID)
    with quiet_toolkit():
        groups = [_group(entry, seed, frame_uid) for entry in planned]
        series = ReportSeries("plan sr", 903, "Needle plan (vertebro)")
        return report_of(images, groups, series, seed, when)


def _group(planned: Planned, seed: str, frame_uid: str) -> sr.MeasurementsAndQualitativeEvaluations:
    name, path, to_place = planned
    label = f"{name} {path.side.value} needle"
    side = codes.SCT.Left if path.side.value == "left" else codes.SCT.Right
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            uid=uid_from("plan tracking", seed, label), identifier=label[:64]
        ),
        finding_type=private_code("findings", "PLANNED_PATH"),
        algorithm_id=sr.AlgorithmIdentification(
            name="vertebro", version=__version__, manufacturer=MANUFACTURER
        ),
        finding_sites=[sr.FindingSite(anatomic_location=vertebra_code(name), laterality=side)],
        measurements=list(_measurements(path, frame_uid)),
        qualitative_evaluations=[
            sr.QualitativeEvaluation(private_code("evaluations", concept), private_code("values", value))
            for concept, value in (
                ("NEEDLE_SIDE", path.side.value.upper()),
                ("NEEDLE_APPROACH", path.approach.value.upper()),
                ("NEEDLE_USE", "TO_PLACE" if to_place else "ALTERNATIVE"),
                ("BREACH_GRADE", f"GR_{path.gertzbein_robbins}"),
            )
        ],
    )


def _measurements(path: NeedlePath, frame_uid: str) -> Iterator[sr.Measurement]:
    """Lengths with their lines, margins, angles, the cannula."""
    lines = {"PATH_IN_BONE": (path.entry_bone_lps_mm, path.target_lps_mm)}
    if path.entry_skin_lps_mm is not None:
        lines["PATH_IN_TISSUE"] = (path.entry_skin_lps_mm, path.entry_bone_lps_mm)
    values: Mapping[str, tuple[float | None, str]] = {
        "PATH_IN_BONE": (path.length_bone_mm, "mm"),
        "PATH_IN_TISSUE": (path.length_tissue_mm, "mm"),
        **{f"MARGIN_{key.upper()}": (value, "mm") for key, value in path.margins_mm.items()},
        "AXIAL_ANGLE": (path.axial_angle_deg, "deg"),
        "SAGITTAL_ANGLE": (path.sagittal_angle_deg, "deg"),
        "TOLERANCE_SIDEWAYS": (path.tolerance_mm, "mm"),
        "TOLERANCE_ANGLE": (path.tolerance_deg, "deg"),
        "PEDICLE_WIDTH": (path.pedicle_width_mm, "mm"),
        "CANNULA_DIAMETER": (cannula_named(path.device).outer_diameter_mm, "mm"),
    }
    for code, (value, unit) in values.items():
        if value is None:
            continue
        where = None
        if code in lines:
            graphic = np.round(np.stack(lines[code]), _DECIMALS)
            where = [
                sr.CoordinatesForMeasurement3D(
                    graphic_type=sr.GraphicTypeValues3D.POLYLINE,
                    graphic_data=graphic,
                    frame_of_reference_uid=frame_uid,
                )
            ]
        yield sr.Measurement(
            name=private_code("measurements", code),
            value=round(float(value), _DECIMALS) + 0.0,
            unit=UNITS[unit],
            referenced_coordinates=where,
        )
