"""What a clinician should know of a level's balloons: findings in words."""

from __future__ import annotations

from vertebro.balloon.body import BodyField
from vertebro.balloon.fracture import Fracture
from vertebro.balloon.growth import Growth
from vertebro.balloon.settings import BalloonSettings
from vertebro.case import BalloonInflation, InflationStop, LevelAssessment, Mobility
from vertebro.findings import Finding, finding

_STOP_CODES = {
    InflationStop.RATED_PRESSURE: "balloon.rated_pressure",
    InflationStop.RATED_VOLUME: "balloon.rated_volume",
    InflationStop.WALL_CONTACT: "balloon.wall_contact",
    InflationStop.BREACH: "balloon.breach",
    InflationStop.NO_ROOM: "balloon.no_room",
}
_STOP_WORDS = {
    InflationStop.RATED_PRESSURE: "the next step would pass its rated pressure of {pressure:.0f} kPa",
    InflationStop.RATED_VOLUME: "the balloon's rated volume is reached",
    InflationStop.WALL_CONTACT: "the balloon touches the wall of the body",
    InflationStop.BREACH: "the balloon lies against a place where the body's shell seems to be missing",
    InflationStop.NO_ROOM: "there is no room for another step",
}


def level_findings(
    level: LevelAssessment,
    body: BodyField,
    fracture: Fracture,
    growths: tuple[Growth, ...],
    balloons: tuple[BalloonInflation, ...],
    settings: BalloonSettings,
) -> tuple[Finding, ...]:
    """Stops, contacts, and what makes the prediction less sure."""
    found = [*_stops(level.name, balloons), *_endplates(level.name, growths, balloons)]
    if not fracture.is_known or fracture.deficits_mm.max() <= 0.5:
        message = (
            f"{level.name}: no height is lost that a balloon could give back; only the cavity is predicted."
        )
        found.append(finding("balloon.no_height_lost", message, where=level.name))
    elif fracture.mobility is Mobility.UNKNOWN:
        message = (
            f"{level.name}: nobody has said how old the fracture is; the heights assume that it still moves, "
            "and their ranges reach down to nothing regained."
        )
        found.append(finding("balloon.age_unknown", message, where=level.name))
    elif fracture.mobility in (Mobility.STIFFENING, Mobility.HEALED):
        message = (
            f"{level.name}: older than {settings.mobile_days:.0f} days without a gas cleft; little height "
            "may come back, because the fracture has begun to heal."
        )
        found.append(finding("balloon.healing", message, where=level.name))
    if not body.is_calibrated:
        message = f"{level.name}: the scan's density is not calibrated; pressures are a rough guide."
        found.append(finding("balloon.uncalibrated", message, where=level.name))
    return tuple(found)


def _stops(name: str, balloons: tuple[BalloonInflation, ...]) -> list[Finding]:
    found = []
    for balloon in balloons:
        code = _STOP_CODES.get(balloon.stop)
        if code is None:
            continue
        why = _STOP_WORDS[balloon.stop].format(pressure=balloon.rated_pressure_kpa)
        message = f"{name}, {balloon.side.value} balloon: stop at {balloon.volume_ml:.1f} mL, because {why}."
        evidence = {"volume_ml": round(balloon.volume_ml, 3), "pressure_kpa": round(balloon.pressure_kpa, 1)}
        found.append(finding(code, message, where=name, evidence=evidence))
    return found


def _endplates(
    name: str, growths: tuple[Growth, ...], balloons: tuple[BalloonInflation, ...]
) -> list[Finding]:
    found = []
    for growth, balloon in zip(growths, balloons, strict=True):
        if balloon.volume_ml >= growth.endplate_ml:
            message = (
                f"{name}, {balloon.side.value} balloon: it reaches an endplate at about "
                f"{growth.endplate_ml:.1f} mL; go on only slowly and with a look after each step."
            )
            evidence = {"volume_ml": round(growth.endplate_ml, 3)}
            found.append(finding("balloon.endplate_contact", message, where=name, evidence=evidence))
    return found
