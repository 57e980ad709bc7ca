"""A simulated localizer against the scanner's own radiograph of the same patient."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import ndimage

from validation.study import Study
from vertebro.fluoroscopy import BeamSettings
from vertebro.fluoroscopy.tissue import density_ramps
from vertebro.imaging import Volume, VolumeGeometry
from vertebro.numerics import FanBeam, RayVolume, line_integrals

TITLE = "A simulated X-ray against a real one"
SOURCE = "CT and AP localizer of one patient, ACRIN-NSCLC-FDG-PET collection, CC BY 3.0 (not shipped)"
ACCEPTANCE = (
    "normalised cross-correlation of the whole image at least 0.95 and of bone structures, band-passed "
    "between 2 and 12 mm, at least 0.50 with no more than 4 mm of shift"
)
FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "chest-abdomen-with-scout"
METHOD = (
    "The localizer's own DICOM tags give a fan of rays in each row (source to isocentre 541 mm, columns "
    "spaced at the isocentre) and parallel rows along the table. Attenuation along each ray at 70 keV is "
    "compared with the scanner's picture on the same pixels; no registration. Bone structures: both images "
    "band-passed between 2 and 12 mm, where the simulated mineral path exceeds 0.35 g/cm². The two pictures, "
    "side by side and overlaid, are written to `.scratch/localizer.png`; they show a real patient and are "
    "not shipped."
)
FIGURE = "localizer.png"
PICTURES = Path(__file__).resolve().parents[1] / ".scratch"
"""Not part of the project: the picture shows a real patient."""
LEAST_NCC, LEAST_BONE_NCC, MOST_SHIFT_MM = 0.95, 0.50, 4.0
BAND_MM = (2.0, 12.0)
WATER_PER_MM, MINERAL_CM2_G = 0.0193, 0.313
"""At 70 keV: water 0.193/cm; hydroxyapatite 0.313 cm²/g (xraylib, NIST SRD 126)."""


@dataclass(frozen=True, eq=False)
class Pair:
    """The two images on the localizer's own pixels."""

    real: NDArray[np.float32]
    simulated: NDArray[np.float32]
    mineral: NDArray[np.float32]
    """Line integral of bone mineral, g/cm²."""
    spacing_mm: tuple[float, float]


def load_ct(path: Path) -> Volume:
    """The CT in LPS, as whole Hounsfield units."""
    image = nib.load(path)
    lps_from_voxel = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    hu = np.clip(np.rint(np.asarray(image.dataobj)), -1024, 32000).astype(np.int16)
    return Volume(hu, VolumeGeometry(hu.shape, lps_from_voxel))


def localizer_beam(tags: dict[str, list[float]], shape: tuple[int, int]) -> FanBeam:
    """The scanner's fan: columns are spaced at the isocentre, one row for each table position."""
    corner = np.array(tags["00200032"], dtype=np.float64)
    orientation = np.array(tags["00200037"], dtype=np.float64)
    row_mm, column_mm = (float(value) for value in tags["00280030"])
    across, down = orientation[:3], orientation[3:]
    middle = corner + across * column_mm * (shape[1] - 1) / 2
    forwards = np.cross(across, down)  # of the image plane; for an AP view from front to back
    forwards = forwards * np.sign(forwards[1])
    source = middle - forwards * float(tags["00181111"][0])
    return FanBeam(source, corner, across * column_mm, down * row_mm, shape)


def simulate() -> Pair:
    """Cast the localizer's rays through the CT."""
    tags = json.loads((FOLDER / "scout_ap.json").read_text(encoding="utf-8"))
    real = np.load(FOLDER / "scout_ap.npy").astype(np.float32)
    ct = load_ct(FOLDER / "ct.nii.gz")
    beam = localizer_beam(tags, real.shape)
    volume = RayVolume(ct.hu, ct.lps_from_voxel, floor=-950.0)
    soft, mineral = line_integrals(volume, beam, density_ramps(BeamSettings(), with_metal=False))
    depth = soft * np.float32(0.1 * 0.1916) + mineral * np.float32(0.1 * MINERAL_CM2_G)
    covered = _rows_of_ct(ct, beam)
    row_mm, column_mm = (float(value) for value in tags["00280030"])
    return Pair(
        real[covered],
        depth[covered].astype(np.float32),
        (mineral[covered] / 10).astype(np.float32),
        (row_mm, column_mm),
    )


def _rows_of_ct(ct: Volume, beam: FanBeam) -> slice:
    """Localizer rows whose plane lies within the CT, a centimetre in from its ends."""
    z = beam.first_pixel_mm[2] + np.arange(beam.shape[0]) * beam.row_step_mm[2]
    low, high = ct.geometry.corners_lps_mm[:, 2].min() + 10, ct.geometry.corners_lps_mm[:, 2].max() - 10
    inside = np.flatnonzero((z > low) & (z < high))
    return slice(int(inside[0]), int(inside[-1]) + 1)


def correlation(first: NDArray[np.float32], second: NDArray[np.float32], where: NDArray[np.bool_]) -> float:
    """Normalised cross-correlation of two images over a mask."""
    a, b = first[where] - first[where].mean(), second[where] - second[where].mean()
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def band_passed(image: NDArray[np.float32], spacing_mm: tuple[float, float]) -> NDArray[np.float32]:
    """Structures between the two widths of the band."""
    fine, coarse = ([width / 2.3548 / step for step in spacing_mm] for width in BAND_MM)
    return np.asarray(ndimage.gaussian_filter(image, fine) - ndimage.gaussian_filter(image, coarse))


def best_shift(pair: Pair, bone: NDArray[np.bool_]) -> tuple[float, tuple[float, float]]:
    """The largest bone correlation over small shifts, and the shift (down, right) in mm."""
    real, simulated = (band_passed(image, pair.spacing_mm) for image in (pair.real, pair.simulated))
    best, where = -1.0, (0.0, 0.0)
    for down in range(-16, 17, 2):
        for right in range(-12, 13, 2):
            moved = np.roll(simulated, (down, right), axis=(0, 1))
            value = correlation(real, moved, bone)
            if value > best:
                best, where = value, (down * pair.spacing_mm[0], right * pair.spacing_mm[1])
    return best, where


def is_available() -> bool:
    """Whether the real images are here."""
    return FOLDER.exists()


def validate(folder: Path) -> Study:  # noqa: ARG001 - the picture shows a real patient and stays out of the pages
    """Compare, judge, draw."""
    pair = simulate()
    body = pair.simulated > 0.25 * np.percentile(pair.simulated, 95)
    body = ndimage.binary_erosion(body, iterations=8, border_value=1)
    bone = body & (ndimage.gaussian_filter(pair.mineral, 3.0) > 0.35)
    whole = correlation(pair.real, pair.simulated, np.ones_like(body))
    inside = correlation(pair.real, pair.simulated, body)
    real, simulated = (band_passed(image, pair.spacing_mm) for image in (pair.real, pair.simulated))
    bone_ncc = correlation(real, simulated, bone)
    shifted, (down, right) = best_shift(pair, bone)
    is_accepted = (
        whole >= LEAST_NCC and bone_ncc >= LEAST_BONE_NCC and float(np.hypot(down, right)) <= MOST_SHIFT_MM
    )
    PICTURES.mkdir(exist_ok=True)
    _draw(pair, bone, PICTURES / FIGURE)
    rows = [
        ("whole image", f"{whole:.3f}"),
        ("inside the body", f"{inside:.3f}"),
        ("bone structures, as they lie", f"{bone_ncc:.3f}"),
        ("bone structures, best small shift", f"{shifted:.3f}"),
        ("that shift, mm down / right", f"{down:.1f} / {right:.1f}"),
        ("share of the picture that is bone", f"{bone.mean():.2f}"),
    ]
    verdict = (
        f"The simulated localizer correlates with the real one by {whole:.2f} over the whole image and by "
        f"{bone_ncc:.2f} in bone structures. The CT has slices of 3.3 mm and the localizer rows of "
        "0.55 mm, so the finest edges along the table cannot agree; breathing differs between the two."
    )
    return Study(("normalised cross-correlation of", "value"), rows, is_accepted, verdict, (), METHOD)


def _draw(pair: Pair, bone: NDArray[np.bool_], path: Path) -> None:
    figure = Figure(figsize=(15, 5.5), layout="constrained")
    axes = figure.subplots(1, 3)
    aspect = pair.spacing_mm[0] / pair.spacing_mm[1]
    for axis, image, title in zip(
        axes, (pair.real, pair.simulated), ("localizer", "simulated"), strict=False
    ):
        low, high = np.percentile(image[bone], [1, 99.5])
        axis.imshow(image, cmap="gray", vmin=low - 0.6 * (high - low), vmax=high, aspect=aspect)
        axis.set_title(title)
    bands = [band_passed(image, pair.spacing_mm) for image in (pair.real, pair.simulated)]
    shown = [np.clip(0.5 + band / (6 * band[bone].std()), 0, 1) for band in bands]
    axes[2].imshow(np.dstack([shown[0], shown[1], shown[1]]), aspect=aspect)
    axes[2].set_title("bone structures overlaid")
    for axis in axes:
        axis.set_axis_off()
    figure.savefig(path, dpi=110)
