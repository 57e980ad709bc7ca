"""The measurements of an assessment as a strict DICOM structured report (TID 1500).

One measurement group (TID 1501) for each level: finding site, tracking identifier, algorithm, numbers
with UCUM units and their uncertainty, the lines that heights were measured along, Genant grade and
shape as codes. What could not be measured is left out, never written as zero. Concepts that no public
scheme names stand under a private one, which the object identifies.

References
----------
.. [1] DICOM PS3.16, TID 1500 Measurement Report, TID 1501, TID 300, TID 310.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from vertebro import __version__
from vertebro.case import Assessment, Estimate, GenantGrade, LevelAssessment
from vertebro.errors import InputError
from vertebro.imaging import Volume
from vertebro.io.dicom_ct_series import reference_images, save_strictly
from vertebro.io.dicom_identity import MANUFACTURER, MODEL, content_hash, stamp, uid_from, volume_hash
from vertebro.io.dicom_seg_writer import quiet_toolkit, vertebra_code

if TYPE_CHECKING:
    from pydicom.sr.coding import Code as CodeType

UNITS: Mapping[str, CodeType] = MappingProxyType(
    {
        "mm": Code("mm", "UCUM", "mm"),
        "deg": Code("deg", "UCUM", "degree"),
        "percent": Code("%", "UCUM", "percent"),
        "hu": Code("[hnsf'U]", "UCUM", "Hounsfield unit"),
        "mg/cc": Code("mg/cm3", "UCUM", "mg/cm3"),
        "ml": Code("ml", "UCUM", "ml"),
    }
)
_DECIMALS = 3


def write_sr(path: str | Path, volume: Volume, assessment: Assessment, *, when: datetime) -> None:
    """Write the measurements of every level as a DICOM structured report.

    Parameters
    ----------
    path : path
        The file; replaced if there is one.
    volume : Volume
        The CT that was measured; the report refers to its images.
    assessment : Assessment
    when : datetime
        Date and time of the report.

    Raises
    ------
    InputError
        If there is no level to report (``sr.no_levels``) or the file cannot be written.

    Notes
    -----
    The same input and moment give the same bytes. The report is marked complete and unverified: no
    person has confirmed it.
    """
    save_strictly(make_sr(volume, assessment, when=when), Path(path))


def make_sr(volume: Volume, assessment: Assessment, *, when: datetime) -> Dataset:
    """The structured report as a data set.

    Parameters
    ----------
    volume, assessment, when : as for :func:`write_sr`
    """
    if not assessment.levels:
        raise InputError(
            "sr.no_levels",
            got="an assessment without any level",
            needed="at least one level",
            remedy="Check that the labels name levels from T1 to L5.",
        )
    images = reference_images(volume)
    seed = volume_hash(volume) + content_hash(repr(assessment.to_json()))
    frame_uid = str(images[0].FrameOfReferenceUID)
    with quiet_toolkit():
        groups = [_group(name, level, seed, frame_uid) for name, level in assessment.levels.items()]
        return report_of(
            images, groups, ReportSeries("sr", 901, "Vertebral fracture measurements (vertebro)"), seed, when
        )


@dataclass(frozen=True, slots=True)
class ReportSeries:
    """What tells one kind of report from another."""

    kind: str
    """Part of its identifiers."""
    number: int
    """Of the series."""
    description: str


def report_of(
    images: Sequence[Dataset],
    groups: Sequence[sr.MeasurementsAndQualitativeEvaluations],
    series: ReportSeries,
    seed: str,
    when: datetime,
) -> Dataset:
    """A measurement report (TID 1500) of groups, with the private scheme identified.

    Parameters
    ----------
    images : sequence of Dataset
        The CT images that it refers to.
    groups : sequence of measurement groups (TID 1501)
    series : ReportSeries
    seed : str
        What its identifiers are derived from.
    when : datetime
    """
    report = sr.MeasurementReport(
        observation_context=_observer(),
        procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=list(groups),
        title=codes.DCM.ImagingMeasurementReport,
    )
    dataset: Dataset = sr.Comprehensive3DSR(
        evidence=images,
        content=report,
        series_instance_uid=uid_from(f"{series.kind} series", seed, __version__),
        series_number=series.number,
        sop_instance_uid=uid_from(series.kind, seed, __version__, when.isoformat()),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL,
        software_versions=__version__,
        is_complete=True,
        series_description=series.description,
    )
    stamp(dataset, when, series.kind)
    identify_scheme(dataset)
    return dataset


def identify_scheme(dataset: Dataset) -> None:
    """Say in an object whose scheme its private codes belong to."""
    scheme = _concepts()["scheme"]
    item = Dataset()
    item.CodingSchemeDesignator = scheme["designator"]
    item.CodingSchemeUID = uid_from("coding scheme", scheme["designator"])
    item.CodingSchemeName = scheme["name"]
    item.CodingSchemeVersion = scheme["version"]
    item.CodingSchemeResponsibleOrganization = scheme["organisation"]
    dataset.CodingSchemeIdentificationSequence = [item]


@cache
def _concepts() -> Mapping[str, Mapping[str, str]]:
    text = resources.files("vertebro.io").joinpath("sr_concepts.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


def private_code(table: str, code: str) -> CodeType:
    """A concept of the private scheme."""
    return Code(code, _concepts()["scheme"]["designator"], _concepts()[table][code])


def _observer() -> sr.ObservationContext:
    """The software as the observer."""
    return sr.ObservationContext(
        observer_device_context=sr.ObserverContext(
            observer_type=codes.DCM.Device,
            observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
                uid=uid_from("device", "vertebro", __version__),
                name="vertebro",
                manufacturer_name=MANUFACTURER,
                model_name=f"{MODEL} {__version__}",
            ),
        )
    )


def _group(
    name: str, level: LevelAssessment, seed: str, frame_uid: str
) -> sr.MeasurementsAndQualitativeEvaluations:
    """Everything measured at one level (TID 1501)."""
    site = sr.FindingSite(anatomic_location=vertebra_code(name))
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=uid_from("tracking", seed, name), identifier=name[:64]),
        finding_type=Code("51282000", "SCT", "Vertebra"),
        algorithm_id=sr.AlgorithmIdentification(
            name="vertebro", version=__version__, manufacturer=MANUFACTURER
        ),
        finding_sites=[site],
        measurements=list(_measurements(level, frame_uid)),
        qualitative_evaluations=list(_evaluations(level)),
    )


def _measurements(level: LevelAssessment, frame_uid: str) -> Iterator[sr.Measurement]:
    """Every number of a level that is known, in the order a reader expects."""
    heights = level.heights_mm
    lines = level.height_lines_lps_mm
    for code, estimate, line in (
        ("ANTERIOR_HEIGHT", heights.anterior, lines.get("anterior")),
        ("MIDDLE_HEIGHT", heights.middle, lines.get("middle")),
        ("POSTERIOR_HEIGHT", heights.posterior, lines.get("posterior")),
        ("HEIGHT_LOSS", level.height_loss_percent, None),
        ("WEDGE_ANGLE", level.wedge_angle_deg, None),
        ("KYPHOSIS_ANGLE", level.kyphosis_deg, None),
        ("WALL_BULGE", level.posterior_wall.bulge_mm, None),
        ("CANAL_ENCROACHMENT", level.posterior_wall.canal_encroachment_percent, None),
        ("CLEFT_VOLUME", level.cleft.volume_ml, None),
        ("CORE_BMD", level.density.bmd_mg_cc, None),
    ):
        if estimate.is_known:
            yield _measurement(private_code("measurements", code), estimate, line, frame_uid)
    if level.density.core_hu.is_known:
        yield _measurement(codes.DCM.MeanAttenuationCoefficient, level.density.core_hu, None, frame_uid)


def _measurement(
    concept: CodeType, estimate: Estimate, line: np.ndarray | None, frame_uid: str
) -> sr.Measurement:
    """One number (TID 300) with its uncertainty (TID 310) and the line it was measured along."""
    value = estimate.require()
    assert estimate.lower is not None
    assert estimate.upper is not None
    where = None
    if line is not None and np.all(np.isfinite(line)):
        where = [
            sr.CoordinatesForMeasurement3D(
                graphic_type=sr.GraphicTypeValues3D.POLYLINE,
                graphic_data=np.round(np.asarray(line, dtype=np.float64), _DECIMALS),
                frame_of_reference_uid=frame_uid,
            )
        ]
    return sr.Measurement(
        name=concept,
        value=round(value, _DECIMALS) + 0.0,
        unit=UNITS[estimate.unit],
        properties=sr.MeasurementProperties(
            upper_measurement_uncertainty=round(estimate.upper - value, _DECIMALS),
            lower_measurement_uncertainty=round(value - estimate.lower, _DECIMALS),
        ),
        referenced_coordinates=where,
    )


def _evaluations(level: LevelAssessment) -> Iterator[sr.QualitativeEvaluation]:
    """Grade, shape, cleft and completeness as codes."""
    grade = level.genant_grade
    is_graded = isinstance(grade, GenantGrade)
    pairs = [
        ("GENANT_GRADE", f"GENANT_{int(grade)}" if grade is not None else "GENANT_NOT_GRADED"),
        ("COMPLETENESS", "COMPLETE" if level.complete else "CUT"),
        ("GAS_CLEFT", {True: "PRESENT", False: "ABSENT", None: "NOT_JUDGED"}[level.cleft.present]),
    ]
    if is_graded:
        pairs[1:1] = [
            ("GENANT_SHAPE", f"SHAPE_{level.genant_shape.value.upper()}"),
            ("GRADE_CERTAINTY", "CERTAIN" if level.grade_is_certain else "UNCERTAIN"),
        ]
    for name, value in pairs:
        yield sr.QualitativeEvaluation(private_code("evaluations", name), private_code("values", value))
