"""What an injection's run says to the reader, as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vertebro.case import Compartment, Finding, LevelInjection, finding
from vertebro.case.injection import LEAKS
from vertebro.cement.state import Ending
from vertebro.devices.cements import CementPhase

if TYPE_CHECKING:
    from vertebro.cement.inject import Run

LEAK_ML = 0.03
"""Less cement outside than this is not told as a leak (assumed: a drop of 4 mm)."""
MUCH_ML = 7.0
"""Volume above which lung emboli became more frequent (Hsieh et al., J Orthop Surg Res 2019)."""
PLACES = {
    Compartment.CANAL: "the spinal canal",
    Compartment.FORAMEN: "a neural foramen",
    Compartment.DISC_ABOVE: "the disc above",
    Compartment.DISC_BELOW: "the disc below",
    Compartment.PARAVERTEBRAL: "the soft tissue beside the body",
    Compartment.VEIN: "veins outside the bone",
}


def injection_findings(run: Run, level: LevelInjection) -> tuple[Finding, ...]:
    """Findings of one run."""
    found = [*_needle_findings(run, level), *_leak_findings(level), *_ending_findings(run, level)]
    if run.posterior_quarter_ml is not None and run.posterior_quarter_s is not None:
        found.append(
            finding(
                "cement.posterior_quarter",
                f"{level.name}: cement passes into the posterior quarter of the body after "
                f"{run.posterior_quarter_ml:.1f} mL ({run.posterior_quarter_s:.0f} s).",
                where=level.name,
                evidence={
                    "volume_ml": round(run.posterior_quarter_ml, 2),
                    "time_s": round(run.posterior_quarter_s, 1),
                },
            )
        )
    if level.injected_ml > MUCH_ML:
        found.append(
            finding(
                "cement.much",
                f"{level.name}: {level.injected_ml:.1f} mL were injected, above {MUCH_ML:g} mL.",
                where=level.name,
                evidence={"injected_ml": round(level.injected_ml, 2)},
            )
        )
    return tuple(found)


def _leak_findings(level: LevelInjection) -> list[Finding]:
    found = []
    for place in LEAKS:
        volume = level.volumes_ml[place]
        if volume < LEAK_ML:
            continue
        is_grave = place in (Compartment.CANAL, Compartment.FORAMEN)
        found.append(
            finding(
                "cement.leak_canal" if is_grave else "cement.leak",
                f"{level.name}: in this run {volume:.2f} mL of cement reach {PLACES[place]}.",
                where=level.name,
                evidence={"compartment": place.value, "volume_ml": round(volume, 3)},
            )
        )
    return found


def _needle_findings(run: Run, level: LevelInjection) -> list[Finding]:
    found = []
    for needle in run.state.site.needles:
        if needle.outside is not None:
            found.append(
                finding(
                    "cement.needle_outside",
                    f"{level.name}: the tip of the {needle.side} needle lies in {PLACES[needle.outside]}, "
                    "not in the bone; what it gives goes there.",
                    where=level.name,
                    evidence={"side": needle.side, "compartment": needle.outside.value},
                )
            )
        elif needle.cell is None:
            found.append(
                finding(
                    "cement.no_way_in",
                    f"{level.name}: the tip of the {needle.side} needle lies in bone without open pores; "
                    "nothing can be injected there.",
                    where=level.name,
                    evidence={"side": needle.side},
                )
            )
    return found


def _ending_findings(run: Run, level: LevelInjection) -> list[Finding]:
    """Why less than asked went in; injecting outside the working phase."""
    site = run.state.site
    found = []
    evidence: dict[str, str | int | float | bool | None] = {
        "asked_ml": round(level.asked_ml, 2),
        "injected_ml": round(level.injected_ml, 2),
    }
    if run.ending is Ending.SET:
        found.append(
            finding(
                "cement.set",
                f"{level.name}: the cement set after {level.injected_ml:.1f} of {level.asked_ml:.1f} mL.",
                where=level.name,
                evidence=evidence,
            )
        )
    if run.ending is Ending.PRESSURE:
        found.append(
            finding(
                "cement.pressure_limit",
                f"{level.name}: the syringe reached its limit; {level.injected_ml:.1f} of "
                f"{level.asked_ml:.1f} mL went in.",
                where=level.name,
                evidence=evidence,
            )
        )
    room = site.settings.room_c
    phase = site.product.phase_at(level.start_min, room)
    if phase is not CementPhase.WORKING and run.ending is not Ending.SET:
        found.append(
            finding(
                "cement.phase",
                f"{level.name}: injected from {level.start_min:.1f} min, when this cement is in its "
                f"{phase.value} phase at {room:.0f} °C.",
                where=level.name,
                evidence={"start_min": round(level.start_min, 2), "phase": phase.value},
            )
        )
    return found
