"""What a CT's own values and grid say about how far it can be trusted.

Looks at any volume, whatever file it came from: thick or coarse voxels, values cut off above or
below, metal and where it is, contrast medium, and values that cannot be Hounsfield units. Nothing
is changed. Positions in words are the patient's: left is the patient's left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.errors import ReadError
from vertebro.findings import Finding, JsonScalar, Severity, finding
from vertebro.geometry import apply_affine
from vertebro.imaging import Volume, VolumeGeometry
from vertebro.settings import setting, validate


@dataclass(frozen=True)
class ImageCheckSettings:
    """Thresholds of the checks, each with its source."""

    thick_mm: float = setting(
        3.0,
        "Slices further apart or thicker than this make heights less certain.",
        lower=0.5,
        upper=20.0,
        unit="mm",
        source="assumed: a tenth of a lumbar body's height; published height thresholds are 4 mm or 20 %",
    )
    very_thick_mm: float = setting(
        5.0,
        "Slices further apart or thicker than this cannot show a mild fracture.",
        lower=0.5,
        upper=20.0,
        unit="mm",
        source="assumed: 20 % of a 25 mm body is 5 mm, so a mild fracture is one slice",
    )
    coarse_pixel_mm: float = setting(
        1.5,
        "Pixels larger than this blur walls and pedicles.",
        lower=0.1,
        upper=10.0,
        unit="mm",
        source="assumed: a pedicle of 5 mm is then three pixels wide",
    )
    metal_hu: float = setting(
        2500.0,
        "Values from here on are metal (or very dense cement or enamel).",
        lower=1500.0,
        upper=20000.0,
        unit="hu",
        source="assumed: above cortical bone (up to about 2000 HU), below the 12-bit ceiling of 3071 HU",
    )
    metal_mm3: float = setting(
        30.0,
        "Smaller specks of such values are not reported.",
        lower=0.0,
        upper=1e5,
        unit="mm3",
        source="assumed: a surgical clip holds about 10 mm3, a screw 500 mm3",
    )
    ceiling_fraction: float = setting(
        2e-5,
        "Share of voxels at the very highest value from which it counts as a ceiling.",
        lower=0.0,
        upper=1.0,
        source="assumed: free noise gives a few voxels at its maximum, a ceiling gives hundreds",
    )
    short_mm: float = setting(
        80.0,
        "An image that covers less from head to foot holds at most two whole vertebrae.",
        lower=0.0,
        upper=1000.0,
        unit="mm",
        source="assumed: a lumbar vertebra with its disc is 35 to 40 mm high",
    )

    def __post_init__(self) -> None:
        validate(self)


DEFAULTS = ImageCheckSettings()
LOWEST_HU = -1024
"""Value of voxels that were not measured: air, and the lowest that CT has in 12 bits."""
MIN_PADDING_SHARE = 1e-3
"""A smaller share of filling values is not worth telling (assumed: noise and ringing reach it)."""
_SAMPLE_VOXELS = 2_000_000
_NEAR_MM = 20.0
_SIDE_MM = 15.0
_MAX_PLACES = 4


def look_at(volume: Volume, settings: ImageCheckSettings = DEFAULTS) -> tuple[Finding, ...]:
    """Everything worth telling about a volume.

    Parameters
    ----------
    volume : Volume
    settings : ImageCheckSettings

    Returns
    -------
    tuple of Finding

    Raises
    ------
    ReadError
        If the image has no content at all (``image.empty``).

    Examples
    --------
    >>> grid = VolumeGeometry.from_spacing((40, 40, 30), (1.0, 1.0, 4.0))
    >>> hu = np.random.default_rng(0).normal(-80.0, 60.0, (40, 40, 30)).astype(np.float32)
    >>> [note.code for note in look_at(Volume(hu, grid))]
    ['image.thick_slices']
    """
    extremes = float(volume.hu.max()), float(volume.hu.min())
    _require_content(*extremes)
    return (
        *_grid_findings(volume, settings),
        *_value_findings(_sample(volume.hu)),
        *_ceiling_findings(volume.hu, extremes, settings),
        *(_metal_findings(volume, settings) if extremes[0] >= settings.metal_hu else []),
        *_contrast_findings(volume),
    )


def padding_finding(share: float, lowest_hu: float) -> Finding:
    """The finding of a reader that set filling values to :data:`LOWEST_HU`.

    Parameters
    ----------
    share : float in [0, 1]
        Of all voxels.
    lowest_hu : float
        The lowest value that stood there.
    """
    message = (
        f"{100.0 * share:.2g} % of the voxels held filling values or less than −1024 HU (down to "
        f"{lowest_hu:g}); they count as not measured and now hold −1024."
    )
    evidence: dict[str, JsonScalar] = {"percent": round(100.0 * share, 4), "lowest_hu": lowest_hu}
    return finding("image.padding", message, evidence=evidence)


def _sample(hu: NDArray[np.int16] | NDArray[np.float32]) -> NDArray[np.float32]:
    """At most about two million values, evenly taken."""
    step = max(1, round((hu.size / _SAMPLE_VOXELS) ** (1.0 / 3.0)))
    return hu[::step, ::step, ::step].astype(np.float32)


def _require_content(highest: float, lowest: float) -> None:
    if highest <= -300.0 or highest == lowest:
        got = "an image of nothing but air" if highest <= -300.0 else "an image with one value everywhere"
        raise ReadError(
            "image.empty",
            got=got,
            needed="a CT of a body",
            remedy="Check that the right series was exported, and that its values are Hounsfield units.",
        )


# --- the grid ----------------------------------------------------------------------------------


def _grid_findings(volume: Volume, settings: ImageCheckSettings) -> list[Finding]:
    notes: list[Finding] = []
    spacing = np.array(volume.spacing_mm)
    axis = int(spacing.argmax())
    thickness = volume.facts.slice_thickness_mm
    slice_mm = float(spacing[axis])
    words = f"Slices are {slice_mm:.2f} mm apart"
    if thickness is not None and axis == volume.facts.slice_axis and slice_mm < thickness <= 50.0:
        slice_mm, words = thickness, f"Slices are {thickness:g} mm thick"
    evidence: dict[str, JsonScalar] = {"slice_mm": round(slice_mm, 3)}
    if slice_mm > settings.thick_mm + 0.01:
        is_severe = slice_mm > settings.very_thick_mm + 0.01
        effect = (
            "a mild fracture can hide; grades below moderate are not reliable"
            if is_severe
            else (f"heights across them are uncertain by about ±{slice_mm / 2.0:.1f} mm")
        )
        message = f"{words} (along {_direction_words(volume.geometry, axis)}): {effect}."
        severity = Severity.BLOCK if is_severe else Severity.WARN
        notes.append(finding("image.thick_slices", message, evidence=evidence, severity=severity))
    pixel_mm = float(np.sort(spacing)[1])
    if pixel_mm > settings.coarse_pixel_mm + 0.01:
        message = f"Pixels of {pixel_mm:.2f} mm: walls, pedicles and gas clefts are blurred."
        notes.append(finding("image.coarse_pixels", message, evidence={"pixel_mm": round(pixel_mm, 3)}))
    gap = None if thickness is None else float(spacing[volume.facts.slice_axis]) - thickness
    if gap is not None and thickness is not None and thickness > 0.0 and gap > 0.3 * thickness and gap > 0.5:
        message = f"Between slices, {gap:.1f} mm were not imaged: endplates there are guessed."
        notes.append(finding("image.unscanned_gaps", message, evidence={"gap_mm": round(gap, 3)}))
    length = float(np.ptp(volume.geometry.corners_lps_mm[:, 2]))
    if length < settings.short_mm:
        message = f"The image covers {length:.0f} mm from head to foot: at most two whole vertebrae."
        notes.append(finding("image.short", message, evidence={"length_mm": round(length, 1)}))
    return notes


def _direction_words(geometry: VolumeGeometry, axis: int) -> str:
    return {
        "L": "the patient's left and right",
        "R": "the patient's left and right",
        "A": "front and back",
        "P": "front and back",
        "S": "head and foot",
        "I": "head and foot",
    }[geometry.axis_codes[axis]]


# --- the values --------------------------------------------------------------------------------


def _value_findings(sample: NDArray[np.float32]) -> list[Finding]:
    """Whether the values can be Hounsfield units of a body.

    A body in HU holds fat (about −100 HU) and soft tissue (0 to 80 HU), and mostly air (−1000 HU)
    around or in it. Values without any below zero are something else.
    """
    n = sample.size
    air = float((sample < -500.0).sum()) / n
    fat = float(((sample >= -200.0) & (sample < -20.0)).sum()) / n
    if air > 1e-4 or fat > 0.01:
        return []
    zero = float((np.abs(sample) < 0.5).sum()) / n
    evidence: dict[str, JsonScalar] = {
        "lowest": round(float(sample.min()), 1),
        "highest": round(float(sample.max()), 1),
        "percent_zero": round(100.0 * zero, 1),
    }
    raised = float(((sample > 800.0) & (sample < 1200.0)).sum()) / n
    if sample.min() >= 0.0 and raised > 0.2:
        message = (
            "No value is below 0 and most tissue lies near 1000: the values look like Hounsfield units plus "
            "1024. They were not changed; subtract 1024 if that is so."
        )
        return [finding("image.offset_values", message, evidence=evidence)]
    if sample.min() >= 0.0:
        message = (
            "No value is below 0, so there is neither air nor fat as CT shows them. This looks like an MR "
            "image, or like a picture of a CT instead of the CT."
        )
        return [finding("image.not_ct_like", message, evidence=evidence)]
    if zero > 0.2:
        message = (
            f"{100.0 * zero:.0f} % of the voxels hold exactly 0 and almost none are fat or air: the "
            "surroundings were cut away, or the values are a calibrated density instead of Hounsfield units."
        )
        return [finding("image.masked_background", message, evidence=evidence)]
    message = "Neither air nor fat is in the image: check that the values are Hounsfield units."
    return [finding("image.no_air_or_fat", message, evidence=evidence)]


def _ceiling_findings(
    hu: NDArray[np.int16] | NDArray[np.float32],
    extremes: tuple[float, float],
    settings: ImageCheckSettings,
) -> list[Finding]:
    """Values cut off at the top or, as in windowed exports, at the bottom."""
    notes: list[Finding] = []
    top, bottom = extremes
    high = hu[hu >= top - 5.0]
    n_top = int((high == top).sum())
    n_near = high.size - n_top
    if n_top >= max(20, settings.ceiling_fraction * hu.size) and n_top > 2 * n_near:
        is_low = top < 2000.0
        effect = (
            "cortical bone, cement and metal are cut off and cannot be told apart"
            if is_low
            else "metal and dense cement may be denser than shown"
        )
        message = f"Values are cut off at {top:g} HU ({n_top} voxels): {effect}."
        severity = Severity.WARN if is_low else Severity.INFO
        evidence: dict[str, JsonScalar] = {"ceiling_hu": top, "n_voxels": n_top}
        notes.append(finding("image.clipped", message, evidence=evidence, severity=severity))
    if not -900.0 < bottom < 0.0:
        return notes
    low = hu[hu <= bottom + 5.0]
    n_bottom = int((low == bottom).sum())
    if n_bottom > max(0.01 * hu.size, 2 * (low.size - n_bottom)):
        message = (
            f"Values are cut off below at {bottom:g} HU: air and gas in clefts look like soft tissue or fat."
        )
        evidence = {"floor_hu": bottom, "n_voxels": n_bottom}
        notes.append(finding("image.clipped", message, evidence=evidence, severity=Severity.WARN))
    return notes


def _contrast_findings(volume: Volume) -> list[Finding]:
    if not volume.facts.contrast_agent:
        return []
    message = (
        "Contrast medium was given: bone marrow reads denser than without, so density overestimates bone, "
        "and bright vessels lie beside the spine."
    )
    return [finding("image.contrast", message)]


# --- metal -------------------------------------------------------------------------------------


def _metal_findings(volume: Volume, settings: ImageCheckSettings) -> list[Finding]:
    """One finding for each place where metal lies, the largest first."""
    mask = volume.hu >= settings.metal_hu
    places = [place for place in _places(mask, volume.geometry) if place[0] >= settings.metal_mm3]
    if not places:
        return []
    body = _body_box(volume)
    notes: list[Finding] = []
    for size_mm3, centre in places[:_MAX_PLACES]:
        where = _where_words(centre, body)
        message = (
            f"Metal (or matter as dense) of {size_mm3 / 1000.0:.1f} ml {where}: streaks spoil densities and "
            "outlines in the slices through it."
        )
        evidence: dict[str, JsonScalar] = {
            "volume_mm3": round(size_mm3, 1),
            "left_mm": round(float(centre[0]), 1),
            "posterior_mm": round(float(centre[1]), 1),
            "superior_mm": round(float(centre[2]), 1),
        }
        notes.append(finding("image.metal", message, where=where, evidence=evidence))
    return notes


def _places(mask: NDArray[np.bool_], geometry: VolumeGeometry) -> list[tuple[float, NDArray[np.float64]]]:
    """Volume (mm³) and centre (LPS, mm) of each piece, pieces within 20 mm taken as one; largest first."""
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    labels, count = ndimage.label(mask[box], structure=np.ones((3, 3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:].astype(np.float64)
    largest = np.argsort(-sizes, kind="stable")[:200]
    centres = np.array(ndimage.center_of_mass(labels > 0, labels, (largest + 1).tolist()))
    centres = apply_affine(geometry.lps_from_voxel, centres + [part.start for part in box])
    merged: list[tuple[float, NDArray[np.float64]]] = []
    for size, centre in zip(sizes[largest] * geometry.voxel_volume_mm3, centres, strict=True):
        for index, (other_size, other) in enumerate(merged):
            radius = (3.0 * other_size / (4.0 * np.pi)) ** (1.0 / 3.0)
            if float(np.linalg.norm(centre - other)) < _NEAR_MM + radius:
                total = size + other_size
                merged[index] = (total, (size * centre + other_size * other) / total)
                break
        else:
            merged.append((float(size), centre))
    return sorted(merged, key=lambda place: -place[0])


def _body_box(volume: Volume) -> NDArray[np.float64]:
    """(2, 3): mean position of the body, and its range from foot to head in the last row's z entries."""
    step = max(1, round((volume.hu.size / _SAMPLE_VOXELS) ** (1.0 / 3.0)))
    index = np.argwhere(volume.hu[::step, ::step, ::step] > -300) * step
    points = apply_affine(volume.lps_from_voxel, index)
    return np.array([points.mean(axis=0), [points[:, 2].min(), points[:, 2].max(), 0.0]])


def _where_words(place_lps_mm: NDArray[np.float64], body: NDArray[np.float64]) -> str:
    """A place in words, e.g. ``"on the patient's left, in the lower third of the image"``."""
    aside, behind, _ = place_lps_mm - body[0]
    if abs(aside) < _SIDE_MM:
        side = "in the midline"
    else:
        side = "on the patient's left" if aside > 0 else "on the patient's right"
    depth = "" if abs(behind) < 2.0 * _SIDE_MM else (", at the back" if behind > 0 else ", at the front")
    low, high = body[1, 0], body[1, 1]
    share = (place_lps_mm[2] - low) / max(high - low, 1.0)
    third = ("lower", "middle", "upper")[int(np.clip(share * 3.0, 0, 2))]
    return f"{side}{depth}, in the {third} third of the image"
