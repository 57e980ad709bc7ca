"""The needle paths of one level: both sides, one needle or two, through the pedicle or beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vertebro.case import Approach, NeedlePath, Side
from vertebro.devices.cannulas import Cannula, load_cannulas
from vertebro.findings import Finding, finding
from vertebro.geometry import apply_affine, invert_affine
from vertebro.imaging import Volume
from vertebro.planning.limits import TipPlace, short_of_midline
from vertebro.planning.paths import choose_cannula, make_path
from vertebro.planning.search import Aim, find_axis
from vertebro.planning.settings import AccessSettings
from vertebro.planning.site import Pedicle, Site

BESIDE_MM = 3.0
"""Beside a pedicle, the body is entered about this far lateral of the pedicle's outer wall."""
MAX_LATERAL_SHARE = 0.6
"""Tips lie within this share of the body's half-width (assumed: beyond it the wall curves in)."""


@dataclass(frozen=True, slots=True)
class AccessPlan:
    """How a level is reached."""

    paths: tuple[NeedlePath, ...]
    access: str
    reason: str
    findings: tuple[Finding, ...]


def plan_access(site: Site, use: str, volume: Volume | None, settings: AccessSettings) -> AccessPlan:
    """Plan the paths of both sides of a level.

    Parameters
    ----------
    site : Site
    use : str
        ``"vertebroplasty"`` or ``"kyphoplasty"``: decides the usual cannula.
    volume : Volume or None
        For the way from the skin.
    settings : AccessSettings

    Returns
    -------
    AccessPlan
        On each side at most one path is recommended; alternatives follow it.
    """
    findings: list[Finding] = []
    paths: list[NeedlePath] = []
    if len(site.canal_v) == 0:
        findings.append(
            finding(
                "plan.no_canal", f"{site.name}: the labels hold no arch behind the body.", where=site.name
            )
        )
        return AccessPlan((), "none", "the canal cannot be seen in the labels", tuple(findings))
    for side in Side:
        pedicle = site.pedicles.get(side)
        if pedicle is None:
            message = f"{site.name}: no pedicle could be followed on the {side.value}."
            findings.append(finding("plan.no_pedicle", message, where=site.name))
            continue
        of_side = _paths_of_side(site, pedicle, use, volume, settings)
        paths.extend(of_side)
    usable = [path for path in paths if path.recommended]
    if len({path.side for path in usable}) == 1 and all(path.access == "bipedicular" for path in usable):
        # one side alone must reach the midline; beside the pedicle it may
        pedicle = site.pedicles[usable[0].side]
        cannula = choose_cannula(pedicle.width_mm, site.name, use, settings)
        near = settings.unipedicular_offset_mm
        paths += _path_beside(site, pedicle, (-near, near), cannula, settings, volume)
    access, reason = _one_or_two(paths, settings)
    if access == "none":
        paths = [_alone(site, path, settings) for path in paths]
    ranked = _with_one_recommended(paths, access)
    for side in site.pedicles:
        of_side = [path for path in ranked if path.side is side]
        findings.extend(_findings_of_side(site, side, of_side, settings))
    return AccessPlan(ranked, access, reason, tuple(findings))


def _alone(site: Site, path: NeedlePath, settings: AccessSettings) -> NeedlePath:
    """A path that would have to fill the body alone: that it stops short of the midline breaks a limit."""
    tip_v = apply_affine(invert_affine(site.lps_from_vertebra), path.target_lps_mm)
    lateral_mm = float(tip_v[0]) * (1.0 if path.side is Side.RIGHT else -1.0)
    short = short_of_midline(lateral_mm, TipPlace(tip_v, site.back_mm, site.depth_mm), settings)
    if not short or path.broken_limits:
        return path
    text = f"a single needle must reach the midline's anterior third: its tip {short}"
    return replace(path, recommended=False, broken_limits=(text,), tolerance_mm=0.0, tolerance_deg=0.0)


def _paths_of_side(
    site: Site, pedicle: Pedicle, use: str, volume: Volume | None, settings: AccessSettings
) -> list[NeedlePath]:
    """The safest path of a side, one that reaches the midline, and one beside a pedicle too narrow."""
    cannula = choose_cannula(pedicle.width_mm, site.name, use, settings)
    far = MAX_LATERAL_SHARE * site.half_width_mm
    wished = settings.bipedicular_offset_fraction * 2.0 * site.half_width_mm
    near = settings.unipedicular_offset_mm
    aims = (Aim(pedicle.side, 0.0, far, wished), Aim(pedicle.side, -near, near, 0.0))
    paths = []
    for aim in aims:
        found = find_axis(site, pedicle, aim, cannula, settings)
        if found is not None:
            paths.append(make_path(site, pedicle, found, cannula, settings, volume))
    if not any(path.recommended for path in paths) or _is_too_narrow(pedicle, cannula, settings):
        paths += _path_beside(site, pedicle, (-near, far), cannula, settings, volume)
    return sorted(paths, key=lambda path: (not path.recommended, path.score))[: 1 + settings.n_alternatives]


def _path_beside(
    site: Site,
    pedicle: Pedicle,
    lateral_mm: tuple[float, float],
    cannula: Cannula,
    settings: AccessSettings,
    volume: Volume | None,
) -> list[NeedlePath]:
    """The path along a pedicle's outer wall whose tip comes to lie in a range beside the midline."""
    beside = beside_pedicle(site, pedicle)
    aim = Aim(pedicle.side, *lateral_mm, 0.0, Approach.PARAPEDICULAR)
    found = find_axis(site, beside, aim, cannula, settings)
    if found is None:
        return []
    path = make_path(site, beside, found, cannula, settings, volume)
    return [replace(path, pedicle_width_mm=pedicle.width_mm, pedicle_height_mm=pedicle.height_mm)]


def _is_too_narrow(pedicle: Pedicle, cannula: Cannula, settings: AccessSettings) -> bool:
    return (
        cannula is load_cannulas()[0]
        and pedicle.width_mm < cannula.outer_diameter_mm + settings.pedicle_reserve_mm
    )


def beside_pedicle(site: Site, pedicle: Pedicle) -> Pedicle:
    """A stand-in for a pedicle: where a needle passing beside it enters the body."""
    sign = 1.0 if pedicle.side is Side.RIGHT else -1.0
    lateral = abs(pedicle.centre_v[0]) + 0.5 * pedicle.width_mm + BESIDE_MM
    centre = np.array([sign * lateral, site.back_mm + 2.0, pedicle.centre_v[2]])
    return replace(pedicle, centre_v=centre, width_mm=2.0 * BESIDE_MM)


def _one_or_two(paths: list[NeedlePath], settings: AccessSettings) -> tuple[str, str]:
    """One needle where one reaches the midline with room to spare, two where it does not."""
    single = [path for path in paths if path.access == "unipedicular" and _has_room(path, settings)]
    if single:
        best = max(single, key=lambda path: path.least_margin_mm)
        return (
            "unipedicular",
            f"one needle from the {best.side.value} reaches the midline with {best.least_margin_mm:.1f} mm "
            "of bone around it; trials found pain relief equal to two needles, in less time "
            "(14 studies, 1,043 patients: J Orthop Surg Res 2016, doi 10.1186/s13018-016-0479-6)",
        )
    usable = [path for path in paths if path.recommended]
    sides = {path.side for path in usable}
    if len(sides) == 2:
        return (
            "bipedicular",
            "no single needle reaches the midline with the bone wanted around it; two do not need to",
        )
    if not sides:
        return "none", "no straight path keeps to the limits"
    (side,) = sides
    if any(path.access == "unipedicular" for path in usable):
        return "unipedicular", f"only the {side.value} side can be reached without breaking a limit"
    return (
        "none",
        f"only the {side.value} side can be reached without breaking a limit, and no needle from there "
        "reaches the midline",
    )


def _has_room(path: NeedlePath, settings: AccessSettings) -> bool:
    return (
        path.recommended
        and path.least_margin_mm >= settings.wall_margin_mm
        and path.axial_angle_deg <= settings.comfortable_axial_deg
    )


def _with_one_recommended(paths: list[NeedlePath], access: str) -> tuple[NeedlePath, ...]:
    """On each side, the path of the chosen access first and alone recommended."""
    result: list[NeedlePath] = []
    for side in Side:
        of_side = [path for path in paths if path.side is side]
        of_side.sort(key=lambda path: (not path.recommended, path.access != access, path.score))
        for rank, path in enumerate(of_side):
            result.append(replace(path, recommended=path.recommended and rank == 0))
    return tuple(result)


def _findings_of_side(
    site: Site, side: Side, paths: list[NeedlePath], settings: AccessSettings
) -> list[Finding]:
    where = f"{site.name} {side.value}"
    usable = [path for path in paths if path.recommended]
    if not usable:
        why = "; ".join(paths[0].broken_limits or paths[0].traded) if paths else "no line stays in the bone"
        return [
            finding("plan.no_safe_path", f"{where}: no path keeps to the limits: {why}.", where=site.name)
        ]
    best = usable[0]
    notes = []
    if best.least_margin_mm < settings.wall_margin_mm:
        evidence = {"margin_mm": round(best.least_margin_mm, 2), "wanted_mm": settings.wall_margin_mm}
        message = f"{where}: only {best.least_margin_mm:.1f} mm of bone to spare ({best.tightest})."
        notes.append(finding("plan.thin_margin", message, where=site.name, evidence=evidence))
    if best.entry_skin_lps_mm is None:
        message = f"{where}: the skin lies outside the scan; its entry point is not known."
        notes.append(finding("plan.skin_outside_scan", message, where=site.name))
    return notes
