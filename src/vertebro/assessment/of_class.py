"""A suggested class of the AO Spine-DGOU OF scheme, as far as CT can tell.

The scheme asks in turn: tension band failed (OF 5)? both endplates deformed (OF 4)? one endplate,
with more (OF 3) or less (OF 2) than a fifth of the back wall involved? oedema alone (OF 1)? CT sees
neither oedema nor the ligaments, so OF 1 and OF 5 are never suggested and always left open.

An endplate's deformation is read against the body's own back wall: the plane half-way up the wall
and square to it parts the expected height in two, and what each endplate lacks of its half, in front
or in the middle, is what it has sunk. Local frame, mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.assessment.anatomy import LevelAnatomy
from vertebro.assessment.tissue_regions import local_axes_mm
from vertebro.assessment.tissue_settings import TissueSettings
from vertebro.assessment.wall_profile import wall_profile
from vertebro.case import Cleft, Estimate, Heights, OfSuggestion, PosteriorWall

_NEEDED_ALWAYS = (
    "oedema (is it fresh, is it OF 1): MRI with STIR",
    "tension band and ligaments (is it OF 5): MRI",
)


@dataclass(frozen=True, slots=True)
class EndplateDeformity:
    """How far the two endplates have sunk towards the middle of the body."""

    superior_percent: float
    """Most of its half height that the upper endplate lacks, in percent of the whole expected height."""
    inferior_percent: float
    superior_depression_mm: float
    """Depth of the upper endplate's middle below the line between its front and back."""
    inferior_depression_mm: float


def endplate_deformity(
    anatomy: LevelAnatomy, expected: Heights, settings: TissueSettings
) -> EndplateDeformity | None:
    """What each endplate has sunk; None where the body or its expectation is incomplete.

    Parameters
    ----------
    anatomy : LevelAnatomy
    expected : Heights
        The unfractured body's heights.
    settings : TissueSettings
    """
    profile = wall_profile(anatomy, settings)
    wanted = (expected.posterior, expected.middle, expected.anterior)
    if profile is None or not all(item.is_known for item in wanted):
        return None
    upper, lower = _endplate_lines(anatomy)
    if upper.shape[0] < 10:
        return None
    corners = profile.middle_corners_mm()
    up = corners[1] - corners[0]
    up = up / np.linalg.norm(up)
    middle = corners.mean(axis=0)
    expected_mm = [item.require() for item in wanted]
    shares = [_half_heights_mm(line, sign, middle, up) for line, sign in ((upper, 1.0), (lower, -1.0))]
    sunk = _sunk_percent(shares[0], shares[1], np.array(expected_mm))
    return EndplateDeformity(*sunk, _depression_mm(upper, 1.0), _depression_mm(lower, -1.0))


def _endplate_lines(anatomy: LevelAnatomy) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n, 2) upper and lower outline near the middle: (anterior, superior), median over planes ± 5 mm."""
    right, anterior, superior = local_axes_mm(anatomy)
    slab = anatomy.body[np.abs(right) <= 5.0]
    half_voxel = 0.5 * (superior[1] - superior[0])
    has = np.asarray(slab.any(axis=2))
    top = superior[slab.shape[2] - 1 - np.argmax(slab[:, :, ::-1], axis=2)] + half_voxel
    bottom = superior[np.argmax(slab, axis=2)] - half_voxel
    kept = np.flatnonzero(has.mean(axis=0) > 0.5)
    upper = [float(np.median(top[has[:, row], row])) for row in kept]
    lower = [float(np.median(bottom[has[:, row], row])) for row in kept]
    y = anterior[kept]
    return np.stack([y, upper], axis=1), np.stack([y, lower], axis=1)


def _half_heights_mm(
    line: NDArray[np.float64], sign: float, middle: NDArray[np.float64], up: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(3,): an endplate's height over the wall's half plane near the back, in the middle and in front."""
    forward = np.array([up[1], -up[0]])
    heights = sign * (line - middle) @ up
    along = (line - middle) @ forward
    share = (along - along.min()) / max(float(np.ptp(along)), 1e-6)
    near = [np.abs(share - at) <= 0.1 for at in (0.15, 0.5, 0.85)]
    return np.array([float(np.median(heights[place])) for place in near])


def _sunk_percent(
    upper_mm: NDArray[np.float64], lower_mm: NDArray[np.float64], expected_mm: NDArray[np.float64]
) -> tuple[float, float]:
    """Largest shortfall of either half height against half the expected one, percent of the whole.

    The two shortfalls of one place add up to its loss of height; neither may exceed that loss, so that
    a tilted half plane does not take from one endplate what it gives to the other.
    """
    loss = np.maximum(100.0 * (1.0 - (upper_mm + lower_mm) / expected_mm), 0.0)
    shortfalls = [np.clip(50.0 - 100.0 * half / expected_mm, 0.0, loss) for half in (upper_mm, lower_mm)]
    return float(shortfalls[0].max()), float(shortfalls[1].max())


def _depression_mm(line: NDArray[np.float64], sign: float) -> float:
    """Depth of an outline's middle below the line through its front and back quarters' highest points."""
    y, height = line[:, 0], sign * line[:, 1]
    quarter = max(2, y.size // 4)
    back = int(np.argmax(height[:quarter]))
    front = y.size - quarter + int(np.argmax(height[-quarter:]))
    rim = np.interp(y, (y[back], y[front]), (height[back], height[front]))
    inner = slice(back + 1, front)
    gap = (rim - height)[inner]
    return float(max(gap.max(), 0.0)) if gap.size else 0.0


def suggest_of_class(
    anatomy: LevelAnatomy,
    expected: Heights,
    height_loss_percent: Estimate,
    posterior_wall: PosteriorWall,
    cleft: Cleft,
    settings: TissueSettings,
) -> OfSuggestion:
    """Suggest an OF class from shape, back wall and cleft.

    Parameters
    ----------
    anatomy : LevelAnatomy
    expected : Heights
        The unfractured body's heights, as the grading used them.
    height_loss_percent : Estimate
        The loss that decided the grade.
    posterior_wall : PosteriorWall
    cleft : Cleft
    settings : TissueSettings

    Returns
    -------
    OfSuggestion
        ``"OF 2"``, ``"OF 3"``, ``"OF 4"``, ``"none"`` (no deformity on CT) or ``"undetermined"``.

    References
    ----------
    .. [1] Schnake KJ et al., The AOSpine-DGOU osteoporotic fracture classification system,
       Global Spine J 2018; algorithm of the AO pocket card.
    """
    if not anatomy.complete:
        return OfSuggestion("undetermined", ("the level is cut by the field of view",), _NEEDED_ALWAYS)
    deformity = endplate_deformity(anatomy, expected, settings)
    if deformity is None or not height_loss_percent.is_known:
        reason = height_loss_percent.basis if not height_loss_percent.is_known else "no outline to judge"
        return OfSuggestion("undetermined", (reason,), _NEEDED_ALWAYS)
    sunken = _sunken(deformity, height_loss_percent, cleft, settings)
    if not sunken:
        reason = "no endplate is deformed beyond the thresholds on CT"
        return OfSuggestion("none", (reason,), _NEEDED_ALWAYS)
    profile = wall_profile(anatomy, settings)
    share = profile.share_behind(settings.of_wall_bulge_mm) if profile is not None else 0.0
    bulge = posterior_wall.bulge_mm
    reasons = [_endplate_words(name, deformity) for name in sunken]
    if round(100.0 * share) > 0:
        reasons.append(f"{100.0 * share:.0f} % of the back wall stands behind its corners' line")
    if bulge.is_known and bulge.require() >= settings.of_wall_bulge_mm:
        reasons.append(f"bulge {bulge.require():.1f} mm")
    if cleft.present:
        reasons.append("a gas cleft shows that the fracture has not healed")
    if len(sunken) == 2:
        kind = "OF 4"
    elif share > settings.of_wall_fraction:
        kind = "OF 3"
    else:
        kind = "OF 2"
    return OfSuggestion(kind, tuple(reasons), _NEEDED_ALWAYS)


def _sunken(
    deformity: EndplateDeformity, loss: Estimate, cleft: Cleft, settings: TissueSettings
) -> list[str]:
    """Names of the deformed endplates; where the level as a whole is deformed, at least the worse one."""
    by_name = {
        "upper": (deformity.superior_percent, deformity.superior_depression_mm),
        "lower": (deformity.inferior_percent, deformity.inferior_depression_mm),
    }
    is_deformed = loss.require() >= 2.0 * settings.endplate_deformed_percent or cleft.present is True
    sunken = [
        name
        for name, (percent, depression) in by_name.items()
        if percent >= settings.endplate_deformed_percent or depression >= settings.endplate_depression_mm
    ]
    if not is_deformed:
        return []
    return sunken or [max(by_name, key=lambda name: by_name[name][0])]


def _endplate_words(name: str, deformity: EndplateDeformity) -> str:
    percent = deformity.superior_percent if name == "upper" else deformity.inferior_percent
    depression = deformity.superior_depression_mm if name == "upper" else deformity.inferior_depression_mm
    return (
        f"{name} endplate sunk by {percent:.0f} % of the expected height, "
        f"{depression:.1f} mm deep in the middle"
    )
