"""Stage ``injection``: cement into the planned levels; fields, surfaces and the film of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vertebro.case import Assessment, InjectionResult, TreatmentPlan
from vertebro.cement import InjectionSettings, inject_cement
from vertebro.errors import InputError
from vertebro.fluoroscopy import FluoroscopySettings, prepare_anatomy
from vertebro.imaging import Volume
from vertebro.io.case_folder import CaseFolder
from vertebro.io.dicom_cement import write_cement_seg
from vertebro.io.mesh_stl import write_stl
from vertebro.io.nifti import save_nifti
from vertebro.progress import Progress
from vertebro.reporting import injection_json
from vertebro.workflow.injection_film import film_frames, write_film
from vertebro.workflow.stage_dicom import content_time
from vertebro.workflow.stages import Inputs, StageResult

SURFACE_SHARE = 0.3
"""Share of a voxel that is cement from which it lies within the surface shown (assumed: bone between
trabeculae holds at most 0.9)."""
SMOOTHING_MM = 0.6
FILM_PIXELS = 640
"""Rows and columns of the films' pictures before they are cropped to the level."""


def run(inputs: Inputs, settings: InjectionSettings, *, seed: int, progress: Progress) -> StageResult:
    """Inject every level that the plan treats, or that the settings name."""
    result = inject_cement(
        inputs["ct"],
        inputs["labels"],
        inputs["assessment"],
        inputs["plan"],
        settings,
        balloon=inputs["balloon"],
        seed=seed,
        progress=progress,
    )
    findings = (*result.findings, *(item for level in result.levels.values() for item in level.findings))
    injected = sum(level.injected_ml for level in result.levels.values())
    return StageResult(result, findings, {"injected_ml": round(injected, 4)})


def save(result: InjectionResult, folder: CaseFolder) -> list[Path]:
    """Keep the injection as documented JSON and losslessly, its fields as NIfTI, its cement as STL."""
    written = [folder.write_json("injection.json", injection_json(result))]
    written += folder.save_noun("injection", result)
    for name, level in result.levels.items():
        stem = file_stem(name)
        fields = {"cement": level.cement_fraction, "peak-temperature": level.peak_temperature}
        if level.leak_probability is not None:
            fields["cement-probability"] = level.leak_probability.map
        for word, field in fields.items():
            if field is None:
                continue
            place = Path(f"fields/{stem}-{word}.nii.gz")
            with folder.replacing(place) as path:
                save_nifti(path, field.values, field.geometry, description=f"{field.quantity} ({field.unit})")
            written.append(place)
        written += _save_surface(name, level.cement_fraction, folder)
    if any(level.injected_ml > 0.0 for level in result.levels.values()):
        volume = folder.load_noun("ct", Volume)
        written += _save_segmentation(volume, result, folder)
        written += _save_films(volume, result, folder)
    return written


def _save_segmentation(volume: Volume, result: InjectionResult, folder: CaseFolder) -> list[Path]:
    """The cement as DICOM; nothing where no voxel of the CT shows it."""
    place = Path("dicom/cement.dcm")
    try:
        with folder.replacing(place) as path:
            write_cement_seg(path, volume, result, when=content_time(volume.facts))
    except InputError as problem:
        if problem.code != "cement.none":
            raise
        return []
    return [place]


def _save_films(volume: Volume, result: InjectionResult, folder: CaseFolder) -> list[Path]:
    """AP and lateral fluoroscopy of each injection, as a GIF."""
    assessment = folder.load_noun("assessment", Assessment)
    plan = folder.load_noun("plan", TreatmentPlan)
    settings = FluoroscopySettings(n_rows=FILM_PIXELS, n_columns=FILM_PIXELS)
    anatomy = prepare_anatomy(volume, settings.beam)
    written = []
    for number, (name, level) in enumerate(result.levels.items()):
        if not level.frames:
            continue
        frames = film_frames(anatomy, assessment, plan.levels.get(name), level, settings, number)
        place = Path(f"views/{file_stem(name)}-injection.gif")
        with folder.replacing(place) as path:
            write_film(path, frames)
        written.append(place)
    return written


def _save_surface(name: str, field: Any, folder: CaseFolder) -> list[Path]:
    """The cement's surface; nothing where there is too little for one."""
    place = Path(f"stl/{file_stem(name)}-cement.stl")
    try:
        with folder.replacing(place) as path:
            write_stl(path, field.values >= SURFACE_SHARE, field.geometry, smoothing_mm=SMOOTHING_MM)
    except InputError as problem:
        if problem.code != "stl.empty":
            raise
        return []
    return [place]


def file_stem(name: str) -> str:
    """A level's name as part of a file name.

    Examples
    --------
    >>> file_stem("T12"), file_stem("label 7")
    ('T12', 'label_7')
    """
    return "".join(letter if letter.isalnum() else "_" for letter in name)


def load(folder: CaseFolder) -> InjectionResult:
    """Load the injection that was kept."""
    result: InjectionResult = folder.load_noun("injection", InjectionResult)
    return result
