"""What a treated level does to the levels beside it: a jump in stiffness, a change of disc pressure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vertebro.case import Estimate, level_order
from vertebro.case.mechanics import NeighbourEffect
from vertebro.findings import Finding, finding
from vertebro.mechanics.disc import Disc, endplate_give_mm3_per_mpa, pressure_change_percent
from vertebro.mechanics.settings import MechanicsSettings
from vertebro.mechanics.states import WorkedLevel, spread_about

JUMP_LIMIT = 1.5
"""Stiffness over the neighbour's above which it is worth a word (see ``mechanics.stiffness_jump``)."""
JUMP_SD = 0.15
"""Relative standard deviation of that ratio (assumed: two levels of one spine, one scale of density)."""
PRESSURE_SPREAD = 3.0
"""Factor between the middle and the ends of the pressure change's interval: published changes reach from
2.4 % (Rohlmann 2006) to 19 % (Polikeit 2003)."""


@dataclass(frozen=True, eq=False, slots=True)
class ToldEffect:
    """An effect, and what is to be said of it."""

    effect: NeighbourEffect
    finding: Finding | None


def neighbour_effects(
    name: str,
    item: WorkedLevel,
    work: Mapping[str, WorkedLevel],
    stiffness: Mapping[str, Estimate],
    settings: MechanicsSettings,
) -> tuple[ToldEffect, ...]:
    """Effects of a treated level on the sound levels directly above and below it.

    Parameters
    ----------
    name : str
    item : WorkedLevel
        With its treated state; empty without one.
    work : mapping
        All levels that were computed.
    stiffness : mapping
        Of the sound levels.
    settings : MechanicsSettings
    """
    if item.after is None:
        return ()
    told = []
    for other in work:
        step = level_order(other) - level_order(name)
        if not _are_adjacent(name, other) or other not in stiffness:
            continue
        value = item.after.axial.stiffness_n_per_mm / stiffness[other].require()
        jump = spread_about(value, JUMP_SD, "1", f"stiffness of {name} with cement over that of {other}")
        change = _disc_change(item, 1 if step < 0 else -1, settings)
        effect = NeighbourEffect(other, jump, change)
        told.append(ToldEffect(effect, _finding(name, other, value)))
    return tuple(told)


def _are_adjacent(name: str, other: str) -> bool:
    """Whether no vertebra lies between two levels; T13 and L6 are taken for absent."""
    step = abs(level_order(other) - level_order(name))
    return step == 1 or {name, other} in ({"T12", "L1"}, {"L5", "S1"})


def _finding(name: str, other: str, jump: float) -> Finding | None:
    if jump < JUMP_LIMIT:
        return None
    return finding(
        "mechanics.stiffness_jump",
        f"With cement {name} is {jump:.1f} times as stiff as {other}.",
        where=name,
        evidence={"neighbour": other, "jump": round(jump, 3)},
    )


def _disc_change(item: WorkedLevel, side: int, settings: MechanicsSettings) -> Estimate:
    """Change of the pressure in the disc on one side (+1 above), its other endplate as this one was."""
    assert item.after is not None
    mesh = item.mesh
    cap = mesh.cap_superior if side > 0 else mesh.cap_inferior
    area = float(cap.any(axis=2).sum()) * mesh.spacing_mm**2
    before = endplate_give_mm3_per_mpa(item.before.model, side, tolerance=settings.tolerance)
    after = endplate_give_mm3_per_mpa(item.after.model, side, tolerance=settings.tolerance)
    disc = Disc.healthy(area, before, before)
    change = pressure_change_percent(disc, before, after, before)
    given = f"{before:.0f} mm³ per MPa without and {after:.0f} with cement"
    basis = f"fluid core and ring; the endplate gives {given}"
    low, high = sorted((change / PRESSURE_SPREAD, change * PRESSURE_SPREAD))
    return Estimate(change, low, high, "percent", basis)
