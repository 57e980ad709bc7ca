"""Which CT series there are in one place, and which of them to read.

Images are gathered by patient, study and series; within a series by what makes a stack: the same
orientation, size, pixel spacing and kind of image, and one moment where several were taken. The
best stack is the first by this rule, each step deciding only among equals of the one before:

1. usable at all: at least three slices, in Hounsfield units as far as the header says, no localizer;
2. of the trunk rather than of the head or a limb (where the header names the body part);
3. axial, original and primary, rather than reformatted or derived;
4. slices at most 3 mm apart;
5. covering at least 80 % of the length that the longest of those left covers;
6. thinner slices (in steps of 0.25 mm);
7. a softer kernel (less noise in density; a sharp one is for lungs and fine fracture lines);
8. more slices; then the lower series number and the UID, so that the choice is always the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import ReadError
from vertebro.findings import Finding, JsonScalar, finding
from vertebro.imaging import ImageFacts
from vertebro.io.dicom_files import FileSet, open_files
from vertebro.io.dicom_header import read_header
from vertebro.io.dicom_image import DicomImage, OtherObject, Plane
from vertebro.io.untrusted import DamagedBytes
from vertebro.progress import Progress, silent

MIN_SLICES = 3
"""A volume needs at least three slices: two have no spacing that could be checked."""
THIN_MM = 3.0
"""Slices for measuring vertebral heights are at most 3 mm apart (assumed: a tenth of a body's height)."""
SAME_LENGTH_FRACTION = 0.8
"""Series covering this share of the longest count as equally long (assumed)."""
SAME_DIRECTION = 1e-3
"""Largest difference of a direction cosine within one stack (0.06 degrees)."""
SAME_PLACE_MM = 0.01
"""Slices closer than this lie at the same place."""

_TRUNK_AVOIDED: tuple[str, ...] = (
    "HEAD",
    "BRAIN",
    "SKULL",
    "SINUS",
    "ORBIT",
    "FACE",
    "EXTREMITY",
    "KNEE",
    "FOOT",
    "ANKLE",
)
_TRUNK_AVOIDED += ("HAND", "WRIST", "ELBOW", "SHOULDER", "ARM", "LEG", "FEMUR", "TEMPORAL", "TOOTH", "JAW")
_NOT_HU_TYPES = ("MGML", "Z_EFF", "ED", "EDW", "PCT", "OD")
_NOT_CT_VALUES = ("RESAMPLED_DOSE", "PERFUSION", "LABEL")


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """One CT series (or one stack of a series that holds several) as a user chooses it."""

    number: int
    """Its number in the list, from 1."""
    key: str
    """Series UID; with ``#2``, ``#3``, … for further stacks of the same series."""
    description: str
    n_slices: int
    slice_spacing_mm: float | None
    slice_thickness_mm: float | None
    length_mm: float
    orientation: str
    """``"axial"``, ``"sagittal"``, ``"coronal"`` or ``"oblique"``."""
    kernel: str
    kernel_kind: str
    """``"soft"``, ``"sharp"`` or ``"unknown"``."""
    image_type: str
    body_part: str
    contrast_agent: str
    is_usable: bool
    why_not: str
    """Why it cannot be read as a CT volume; empty if it can."""
    is_chosen: bool = False
    """Whether it is read unless another is asked for."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Planes that form one volume, in no order yet."""

    key: str
    planes: tuple[Plane, ...]
    moment_note: str = ""
    """Says which of several moments this is; empty if the series has one."""

    @property
    def facts(self) -> ImageFacts:
        """What the first plane's file says."""
        return self.planes[0].image.facts


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything found in one place."""

    stacks: tuple[Stack, ...]
    infos: tuple[SeriesInfo, ...]
    """One for each stack, in the same order."""
    others: tuple[OtherObject, ...] = ()
    problems: Counter[str] = field(default_factory=Counter)
    """CT images that cannot be used, and damaged files, by reason."""
    n_files: int = 0
    findings: tuple[Finding, ...] = ()


def list_series(path: str | Path, *, progress: Progress = silent) -> tuple[SeriesInfo, ...]:
    """The CT series in a folder, zip, disc or file, numbered as ``read_ct(series=…)`` takes them.

    Parameters
    ----------
    path : path
    progress : callable

    Returns
    -------
    tuple of SeriesInfo
        The one that would be read has ``is_chosen``. Empty if there is no CT.

    Raises
    ------
    ReadError
        If the place cannot be looked at.

    Examples
    --------
    >>> import tempfile
    >>> list_series(tempfile.mkdtemp())
    ()
    """
    with open_files(Path(path)) as files:
        return scan(files, progress).infos


def scan(files: FileSet, progress: Progress = silent) -> Contents:
    """Parse every file's header once and gather the CT images into stacks."""
    images: list[DicomImage] = []
    others: list[OtherObject] = []
    problems: Counter[str] = Counter()
    for index, file in enumerate(files.files):
        try:
            found = read_header(file)
        except DamagedBytes:
            problems["damaged files"] += 1
            continue
        if isinstance(found, DicomImage):
            if found.problem:
                problems[found.problem] += 1
            else:
                images.append(found)
        elif found is not None:
            others.append(found)
        if index % 16 == 0:
            progress(index / len(files.files), "looking through the files")
    stacks = _stacks(images)
    infos = _choose([_info(number, stack) for number, stack in enumerate(stacks, 1)])
    return Contents(tuple(stacks), infos, tuple(others), problems, len(files.files), files.findings)


def pick(contents: Contents, series: str | None) -> tuple[Stack, SeriesInfo, list[Finding]]:
    """The stack to read: the one asked for or the best, with findings that say which and why.

    Raises
    ------
    ReadError
        If there is no usable CT (``dicom.no_ct``), or none or several match ``series``
        (``dicom.series_unknown``).
    """
    if series is not None:
        index = _asked_for(contents, series)
    else:
        chosen = [index for index, info in enumerate(contents.infos) if info.is_chosen]
        if not chosen:
            raise _no_ct(contents)
        index = chosen[0]
    info, stack = contents.infos[index], contents.stacks[index]
    if not info.is_usable:
        raise _unusable(info)
    return stack, info, _choice_findings(contents, index, is_asked=series is not None)


# --- gathering ---------------------------------------------------------------------------------


def _stacks(images: Sequence[DicomImage]) -> list[Stack]:
    """All stacks, ordered by series number, UID and the order in which stacks appear."""
    series: dict[tuple[str, ...], list[Plane]] = {}
    for image in images:
        facts = image.facts
        name = facts.series_uid or f"{image.series_number}/{facts.series_description}/{facts.kernel}"
        identity: tuple[str, ...] = (
            image.series_number.zfill(6),
            facts.patient_id,
            facts.study_uid,
            name,
        )
        series.setdefault(identity, []).extend(image.planes)
    stacks: list[Stack] = []
    used: Counter[str] = Counter()
    for identity in sorted(series):
        for planes in _by_grid(_unique(series[identity])):
            for part, note in _by_moment(planes):
                uid = part[0].image.facts.series_uid or "no-uid"
                used[uid] += 1
                key = uid if used[uid] == 1 else f"{uid}#{used[uid]}"
                stacks.append(Stack(key, tuple(part), note))
    return stacks


def _unique(planes: Iterable[Plane]) -> list[Plane]:
    """Each SOP instance once: discs often hold the same image in two folders."""
    seen: set[tuple[str, int]] = set()
    kept = []
    for plane in planes:
        identity = (plane.image.facts.sop_instance_uids[0], plane.frame_index)
        if identity[0] and identity in seen:
            continue
        seen.add(identity)
        kept.append(plane)
    return kept


def _by_grid(planes: Sequence[Plane]) -> list[list[Plane]]:
    """Planes of the same kind, turn, size and spacing together."""
    groups: list[tuple[tuple[object, ...], NDArray[np.float64], list[Plane]]] = []
    for plane in planes:
        exact = (plane.image.pixels.rows, plane.image.pixels.columns, is_localizer(plane), _kind(plane))
        turn = np.array([*plane.row_direction_lps, *plane.column_direction_lps, *_spacing(plane)])
        for key, reference, members in groups:
            if key == exact and float(np.abs(reference - turn).max()) < SAME_DIRECTION:
                members.append(plane)
                break
        else:
            groups.append((exact, turn, [plane]))
    groups.sort(key=lambda group: -len(group[2]))
    return [members for _, _, members in groups]


def _spacing(plane: Plane) -> tuple[float, float]:
    return plane.row_spacing_mm, plane.column_spacing_mm


def _kind(plane: Plane) -> tuple[str, ...]:
    """The parts of the image type and of the making that a stack shares."""
    return (*plane.image_type[:2], plane.image.facts.kernel)


def is_localizer(plane: Plane) -> bool:
    """Whether a plane is a scout radiograph."""
    return any(value in ("LOCALIZER", "SCOUT", "TOPOGRAM") for value in plane.image_type)


def normal_of(plane: Plane) -> NDArray[np.float64]:
    """(3,) unit normal of a plane: row direction × column direction."""
    return np.cross(plane.row_direction_lps, plane.column_direction_lps)


def heights_mm(planes: Sequence[Plane]) -> NDArray[np.float64]:
    """(n,) place of each plane along the first one's normal."""
    positions = np.array([plane.position_lps_mm for plane in planes])
    return np.asarray(positions @ normal_of(planes[0]))


def _has_doubles(planes: Sequence[Plane]) -> bool:
    steps = np.diff(np.sort(heights_mm(planes)))
    return bool(len(steps) and steps.min() < SAME_PLACE_MM)


def _by_moment(planes: list[Plane]) -> list[tuple[list[Plane], str]]:
    """Split where places repeat, by the first of time, acquisition and clock that explains it."""
    if not _has_doubles(planes):
        return [(planes, "")]
    keys: tuple[tuple[str, Callable[[Plane], str]], ...] = (
        ("moment", lambda plane: plane.moment),
        ("acquisition", lambda plane: plane.acquisition),
        ("frame of reference", lambda plane: plane.image.facts.frame_of_reference_uid),
        ("acquisition time", lambda plane: plane.image.acquisition_time),
    )
    for name, key in keys:
        parts: dict[str, list[Plane]] = {}
        for plane in planes:
            parts.setdefault(key(plane), []).append(plane)
        is_split = 1 < len(parts) <= len(planes) // MIN_SLICES
        if is_split and not any(_has_doubles(part) for part in parts.values()):
            ordered = sorted(parts.items(), key=lambda item: (-len(item[1]), item[0].zfill(20)))
            return [(part, f"{name} {index} of {len(parts)}") for index, (_, part) in enumerate(ordered, 1)]
    return [(planes, "")]


# --- describing and choosing -------------------------------------------------------------------


def _info(number: int, stack: Stack) -> SeriesInfo:
    planes, facts = stack.planes, stack.facts
    places = np.unique(np.round(heights_mm(planes), 2))
    steps = np.diff(places)
    spacing = float(np.median(steps)) if len(steps) else None
    why_not = _why_not(planes, len(places))
    return SeriesInfo(
        number=number,
        key=stack.key,
        description=facts.series_description,
        n_slices=len(places),
        slice_spacing_mm=None if spacing is None else round(spacing, 3),
        slice_thickness_mm=planes[0].thickness_mm,
        length_mm=round(float(places[-1] - places[0]) + (spacing or 0.0), 1),
        orientation=_orientation(planes[0]),
        kernel=facts.kernel,
        kernel_kind=kernel_kind(facts.kernel),
        image_type="\\".join(planes[0].image_type),
        body_part=facts.body_part,
        contrast_agent=facts.contrast_agent,
        is_usable=not why_not,
        why_not=why_not,
    )


def _why_not(planes: Sequence[Plane], n_places: int) -> str:
    if is_localizer(planes[0]):
        return "it is a scout radiograph"
    if planes[0].rescale_type in _NOT_HU_TYPES:
        return f"its values are no Hounsfield units ({planes[0].rescale_type})"
    if any(value in _NOT_CT_VALUES for value in planes[0].image_type):
        return "it is a map computed from a CT, not the CT"
    if n_places < MIN_SLICES:
        return f"it has {n_places} slice{'s' if n_places != 1 else ''}"
    return ""


def _orientation(plane: Plane) -> str:
    share = np.abs(normal_of(plane))
    names = ("sagittal", "coronal", "axial")
    return names[int(share.argmax())] if share.max() > np.cos(np.deg2rad(35.0)) else "oblique"


def kernel_kind(kernel: str) -> str:
    """Whether a reconstruction kernel is soft or sharp, by the makers' ways of naming them.

    Siemens counts sharpness in two digits (``Br38f``, ``B70s``), Canon from 30 (``FC30``: bone, but
    ``FC50`` lung), GE and Philips use words and letters.

    Examples
    --------
    >>> kernel_kind("Br38f"), kernel_kind("BONEPLUS"), kernel_kind("D"), kernel_kind("")
    ('soft', 'sharp', 'sharp', 'unknown')
    """
    name = kernel.upper().strip()
    if name in ("SOFT", "STANDARD", "STND", "DETAIL", "CHEST", "A", "B", "C", "YA", "SA", "SB"):
        return "soft"
    if name in ("BONE", "BONEPLUS", "EDGE", "LUNG", "ULTRA", "D", "E", "F", "L", "YB", "YC", "YD", "YE"):
        return "sharp"
    digits = "".join(letter for letter in name if letter.isdigit())[:2]
    if not name or not digits:
        return "unknown"
    if name.startswith("FC"):
        return "sharp" if 30 <= int(digits) <= 39 or 50 <= int(digits) <= 59 or int(digits) >= 80 else "soft"
    return "sharp" if int(digits) >= 55 else "soft"


def _choose(infos: list[SeriesInfo]) -> tuple[SeriesInfo, ...]:
    """The same list with the best usable stack marked, by the rule at the top of this module."""
    left = [info for info in infos if info.is_usable]
    if not left:
        return tuple(infos)
    first_class = min(_class(info) for info in left)
    left = [info for info in left if _class(info) == first_class]
    longest = max(info.length_mm for info in left)
    left = [info for info in left if info.length_mm >= SAME_LENGTH_FRACTION * longest]
    best = min(left, key=_finesse)
    return tuple(replace(info, is_chosen=info is best) for info in infos)


def _class(info: SeriesInfo) -> tuple[bool, bool, bool, bool]:
    """Steps 2 to 4 of the rule; less is better."""
    kind = info.image_type.upper().split("\\")
    is_elsewhere = any(word in info.body_part.upper() for word in _TRUNK_AVOIDED)
    is_primary = kind[:1] != ["DERIVED"] and kind[1:2] != ["SECONDARY"]
    is_thin = info.slice_spacing_mm is not None and info.slice_spacing_mm <= THIN_MM + 0.01
    return is_elsewhere, info.orientation != "axial", not is_primary, not is_thin


def _finesse(info: SeriesInfo) -> tuple[int, int, int, int]:
    """Steps 6 to 8 of the rule; less is better."""
    steps = round((info.slice_spacing_mm or 100.0) / 0.25)
    kernel = {"soft": 0, "unknown": 1, "sharp": 2}[info.kernel_kind]
    return steps, kernel, -info.n_slices, info.number


def _asked_for(contents: Contents, series: str) -> int:
    """Index of the stack that a user's word means."""
    wanted = series.strip()
    keys = [info.key for info in contents.infos]
    if wanted in keys:
        return keys.index(wanted)
    if wanted.isdigit() and 1 <= int(wanted) <= len(keys):
        return int(wanted) - 1
    matches = [index for index, key in enumerate(keys) if wanted and key.startswith(wanted)]
    stems = {keys[index].split("#")[0] for index in matches}
    if len(stems) == 1:
        return matches[0]
    raise ReadError(
        "dicom.series_unknown",
        got="a series that is not there" if not matches else f"a series name that fits {len(stems)} series",
        needed=f"one of {_listing(contents.infos)}",
        remedy="Give its number in this list, or its UID or the beginning of it.",
        fields=("series",),
    )


def _listing(infos: Sequence[SeriesInfo]) -> str:
    """The series in short, without any text that could name a patient."""
    parts = []
    for info in infos[:12]:
        spacing = f" every {info.slice_spacing_mm:g} mm" if info.slice_spacing_mm else ""
        kernel = f", kernel {info.kernel}" if info.kernel else ""
        parts.append(f"{info.number}: {info.n_slices} {info.orientation} slices{spacing}{kernel}")
    more = f"; and {len(infos) - 12} more" if len(infos) > 12 else ""
    return "; ".join(parts) + more if parts else "nothing, for there is no CT series"


def _unusable(info: SeriesInfo) -> ReadError:
    code = "dicom.too_few_slices" if info.why_not.startswith("it has") else "dicom.series_unusable"
    return ReadError(
        code,
        got=f"series {info.number}, which cannot be read as a CT volume: {info.why_not}",
        needed=f"a CT series of at least {MIN_SLICES} slices in Hounsfield units",
        remedy="Choose another series, or export this one whole.",
        fields=("series",),
    )


def _no_ct(contents: Contents) -> ReadError:
    """The error for a place without a usable CT: it says what is there instead."""
    if len(contents.infos) == 1 and contents.infos[0].why_not.startswith("it has"):
        return _unusable(contents.infos[0])
    found = [f"{info.n_slices} CT images ({info.why_not})" for info in contents.infos[:6]]
    found += [
        f"{count} CT images that cannot be used ({reason})" for reason, count in _sorted(contents.problems)
    ]
    found += list(_other_words(contents.others))
    if not found:
        found = [f"no DICOM images among {contents.n_files} files"]
    return ReadError(
        "dicom.no_ct",
        got=", ".join(found),
        needed=f"a CT series of at least {MIN_SLICES} slices",
        remedy="Give the folder that holds the CT images; ask for them if the disc has none.",
        fields=("path",),
    )


def _sorted(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _other_words(others: Sequence[OtherObject]) -> Iterable[str]:
    """``"2 MR series (40 images)"``, ``"1 structured report"``, … in order of number."""
    counts = Counter(other.kind for other in others)
    for kind, count in _sorted(counts):
        n_series = len({other.series_uid for other in others if other.kind == kind})
        if kind.endswith("image") and count > 1:
            yield f"{n_series} {kind.removesuffix(' image')} series of {count} images"
        else:
            yield f"{count} {kind}{'s' if count > 1 else ''}"


def _choice_findings(contents: Contents, index: int, *, is_asked: bool) -> list[Finding]:
    """What the reader should know of the choice and of what was passed over."""
    notes: list[Finding] = []
    info, stack = contents.infos[index], contents.stacks[index]
    usable = [other for other in contents.infos if other.is_usable]
    if len(usable) > 1:
        why = "as asked for" if is_asked else _reason(info, usable)
        message = (
            f"Series {info.number} of {len(contents.infos)} was read, {why}. All: {_listing(contents.infos)}."
        )
        evidence: dict[str, JsonScalar] = {"key": info.key, "n_series": len(usable), "asked_for": is_asked}
        notes.append(finding("dicom.series_chosen", message, evidence=evidence))
    if stack.moment_note:
        message = f"The series holds several images of every place; one set was read ({stack.moment_note})."
        notes.append(finding("dicom.several_moments", message))
    patients = {other.facts.patient_id for other in contents.stacks}
    if len(patients) > 1:
        message = f"There are images of {len(patients)} patients in one place; only one series was read."
        notes.append(finding("dicom.several_patients", message, evidence={"n_patients": len(patients)}))
    passed = [f"{count} CT images ({reason})" for reason, count in _sorted(contents.problems)]
    passed += list(_other_words(contents.others))
    scouts = sum(1 for other in contents.infos if not other.is_usable)
    passed += [f"{scouts} CT series that are no volume"] if scouts else []
    if passed:
        notes.append(finding("dicom.other_objects", f"Passed over: {', '.join(passed)}."))
    return notes


def _reason(info: SeriesInfo, usable: Sequence[SeriesInfo]) -> str:
    """Why the rule preferred this one, in words."""
    kind = "axial original" if _class(info)[1:3] == (False, False) else info.orientation
    spacing = f"{info.slice_spacing_mm:g} mm apart" if info.slice_spacing_mm else "of unknown spacing"
    kernel = {"soft": ", with a soft kernel", "sharp": ", with a sharp kernel", "unknown": ""}[
        info.kernel_kind
    ]
    return (
        f"the best of {len(usable)} by the rule (trunk, axial original, thin, long, then thinnest and "
        f"softest): {info.n_slices} {kind} slices {spacing} over {info.length_mm:g} mm{kernel}"
    )
