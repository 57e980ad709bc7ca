"""The preparation of one patient for one booked hour, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from vertebro_clinic.preparation.drug_names import Drug, recognise
from vertebro_clinic.preparation.hold_dates import LastDose, last_dose
from vertebro_clinic.preparation.hold_policies import HoldPolicy, approved_policy
from vertebro_clinic.preparation.hours import Fasting, FastingRule, WorkingHours, call_windows, fasting


class Fact(StrEnum):
    """High-risk situations in which no thinner is stopped before the specialists have answered (SIR 2019)."""

    STENT = "stent"
    MECHANICAL_VALVE = "mechanical_valve"
    RECENT_CLOT = "recent_clot"
    RECENT_STROKE = "recent_stroke"


class Kind(StrEnum):
    """What an item of the preparation is about."""

    ASK_SPECIALIST = "ask_specialist"
    """Stop: a specialist must say how to go on with this medicine."""
    ASK_PERSON = "ask_person"
    """A fact is missing or a medicine is not known; a person must find out."""
    APPROVE_HOLD = "approve_hold"
    """The prescriber must agree, and that must be recorded, before the patient is told."""
    LAST_DOSE = "last_dose"
    RESTART = "restart"
    LAB = "lab"
    FASTING = "fasting"
    CALL = "call"
    DRIVER = "driver"
    COMPANION = "companion"
    TRANSPORT = "transport"
    PREGNANCY = "pregnancy"
    NURSING = "nursing"
    ALLERGY = "allergy"
    IMPLANT = "implant"
    INFECTION = "infection"
    IMAGES = "images"
    CLOTHES = "clothes"
    INTERPRETER = "interpreter"
    ARRIVAL = "arrival"


class Who(StrEnum):
    """Who has to act."""

    PATIENT = "patient"
    PRESCRIBER = "prescriber"
    NURSE = "nurse"
    SCHEDULER = "scheduler"
    RADIOLOGIST = "radiologist"


@dataclass(frozen=True, slots=True)
class TakenMedicine:
    """A medicine as the patient or a physician wrote it."""

    name: str
    dose_times: tuple[time, ...] = ()
    purpose: str = ""
    """``"prevention"`` or ``"treatment"``, where it matters."""


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """What is known of a patient. None: nobody has asked yet."""

    zone: ZoneInfo
    """The clock in the patient's home."""
    medicines: tuple[TakenMedicine, ...] = ()
    egfr_ml_min: float | None = None
    high_risk: frozenset[Fact] | None = None
    has_driver: bool | None = None
    has_companion: bool | None = None
    may_be_pregnant: bool | None = None
    is_nursing: bool | None = None
    allergies: tuple[str, ...] | None = None
    implants: tuple[str, ...] | None = None
    has_infection_signs: bool | None = None
    needs_interpreter: str = ""
    """The language, empty where none is needed."""
    labs_taken: tuple[tuple[str, date], ...] = ()
    """``("inr", day)`` and the like."""


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """What a site has chosen and approved."""

    zone: ZoneInfo
    approved_holds: frozenset[str] = frozenset()
    fasting: FastingRule = FastingRule.MIDNIGHT
    working: WorkingHours = field(default_factory=WorkingHours)
    lab_days: int = 30
    """Oldest laboratory value that counts, in days (older practice hand-out, clinical facts 4.2)."""
    inr_days: int = 2
    """Oldest INR after warfarin was stopped, in days (the same)."""
    arrive_minutes: int = 60
    """Minutes before the start at which the patient arrives (assumed; the site sets it)."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to settle before a treatment."""

    kind: Kind
    subject: str
    """What it is about: a medicine, a laboratory value; empty where the kind says it all."""
    who: Who
    due: datetime | None = None
    """Moment by which it must be done, UTC."""
    day: date | None = None
    """Calendar day in the patient's zone, where only the day matters."""
    last_dose: LastDose | None = None
    fasting: Fasting | None = None
    windows: tuple[tuple[datetime, datetime], ...] = ()
    policy: str = ""
    """Name of the hold policy that it follows."""
    why: str = ""
    """Reason in words, for staff."""
    blocks: bool = False
    """Whether the treatment cannot go ahead while it is open."""


@dataclass(frozen=True, slots=True)
class PreparationPlan:
    """Everything to settle before one booked hour."""

    start: datetime
    items: tuple[Item, ...]

    def of_kind(self, kind: Kind) -> tuple[Item, ...]:
        """The items of one kind, in order."""
        return tuple(item for item in self.items if item.kind is kind)


@dataclass(frozen=True, slots=True)
class _Booked:
    """The hour and everyone's facts, as they go through the items."""

    start: datetime
    end: datetime
    patient: PatientFacts
    site: SitePolicy
    told: datetime


_HELD = frozenset({"aspirin", "antiplatelet", "anticoagulant"})
_EVERYBODY = frozenset({"pain", "opioid", "bone", "supplement"})


def plan_preparation(
    start: datetime, end: datetime, patient: PatientFacts, site: SitePolicy, *, told: datetime
) -> PreparationPlan:
    """What to settle before a treatment from ``start`` to ``end``, told at the moment ``told``.

    Parameters
    ----------
    start, end : datetime
        Of the treatment, with time zones.
    patient : PatientFacts
    site : SitePolicy
        Only holds that the site has approved are proposed; all others are asked about.
    told : datetime
        When this is worked out: what already lies behind it cannot be kept and says so.

    Examples
    --------
    >>> zone = ZoneInfo("America/New_York")
    >>> start = datetime(2026, 6, 17, 10, tzinfo=zone)
    >>> plan = plan_preparation(
    ...     start,
    ...     start + timedelta(hours=1),
    ...     PatientFacts(zone, medicines=(TakenMedicine("Aspirin 81 mg"),), high_risk=frozenset()),
    ...     SitePolicy(zone, frozenset({"pages_aspirin"})),
    ...     told=datetime(2026, 6, 1, 12, tzinfo=zone),
    ... )
    >>> plan.of_kind(Kind.LAST_DOSE)[0].last_dose.day.strftime("%A %d %B")
    'Tuesday 09 June'
    """
    items: list[Item] = []
    booked = _Booked(start, end, patient, site, told)
    for medicine in patient.medicines:
        items += _of_medicine(medicine, booked)
    items += _labs(items, start, patient, site)
    items.append(Item(Kind.FASTING, "", Who.PATIENT, fasting=fasting(site.fasting, start, site.zone)))
    items.append(Item(Kind.CALL, "", Who.NURSE, windows=call_windows(start, site.zone, site.working)))
    items += _screens(patient)
    items += _way_home(patient)
    items.append(Item(Kind.IMAGES, "", Who.PATIENT))
    items.append(Item(Kind.CLOTHES, "", Who.PATIENT))
    items.append(Item(Kind.ARRIVAL, "", Who.PATIENT, due=start - timedelta(minutes=site.arrive_minutes)))
    return PreparationPlan(start, tuple(items))


def _of_medicine(medicine: TakenMedicine, booked: _Booked) -> list[Item]:
    drugs = recognise(medicine.name)
    if drugs is None:
        return [_ask(medicine.name, "This medicine is not in the list: what is it, and what is it for?")]
    items: list[Item] = []
    for drug in drugs:
        subject = drug.name if len(drugs) == 1 else f"{drug.name} ({medicine.name})"
        if drug.kind in _HELD:
            items += _hold(medicine, drug, subject, booked)
        elif drug.kind == "nsaid":
            items.append(
                _ask(
                    subject, "An anti-inflammatory: does the site stop it before the treatment?", blocks=False
                )
            )
        elif drug.kind == "glp1":
            items.append(_ask(subject, "It slows the stomach: does the sedation team want longer fasting?"))
        elif drug.kind == "diabetes":
            items.append(_ask(subject, "Fasting with a diabetes medicine: which dose on that morning?"))
        elif drug.kind not in _EVERYBODY:
            items.append(_ask(subject, "It may add to bleeding: ask whether to stop it.", blocks=False))
    return items


def _hold(medicine: TakenMedicine, drug: Drug, subject: str, booked: _Booked) -> list[Item]:
    """The proposal to stop one ingredient, or what keeps it from being made."""
    patient = booked.patient
    if patient.high_risk is None:
        return [
            _ask(
                subject,
                "Stent, mechanical heart valve, a clot within 3 months or a stroke? Nobody has asked yet.",
            )
        ]
    if patient.high_risk:
        facts = ", ".join(sorted(fact.value.replace("_", " ") for fact in patient.high_risk))
        why = f"Stopping it is dangerous here ({facts}): the specialists decide."
        return [Item(Kind.ASK_SPECIALIST, subject, Who.RADIOLOGIST, why=why, blocks=True)]
    policy = approved_policy(
        drug, booked.site.approved_holds, egfr_ml_min=patient.egfr_ml_min, purpose=medicine.purpose
    )
    if isinstance(policy, str):
        return [_ask(subject, policy)]
    dose = last_dose(policy, booked.start, patient.zone, medicine.dose_times)
    if isinstance(dose, str):
        return [_ask(subject, dose)]
    items = [
        Item(
            Kind.APPROVE_HOLD,
            subject,
            Who.PRESCRIBER,
            day=dose.day,
            policy=policy.name,
            why=policy.source,
            blocks=True,
        ),
        Item(
            Kind.LAST_DOSE,
            subject,
            Who.PATIENT,
            day=dose.day,
            last_dose=dose,
            policy=policy.name,
            blocks=True,
        ),
        _restart(subject, policy, booked.end),
    ]
    if dose.day < booked.told.astimezone(patient.zone).date():
        why = f"The last dose would have been on {dose.day:%d %B}: too late to stop it for this hour."
        items.insert(
            0, Item(Kind.ASK_SPECIALIST, subject, Who.RADIOLOGIST, policy=policy.name, why=why, blocks=True)
        )
    return items


def _restart(subject: str, policy: HoldPolicy, end: datetime) -> Item:
    if policy.restart_hours is None:
        why = "The policy gives no time: the prescriber says when."
        return Item(Kind.RESTART, subject, Who.PRESCRIBER, policy=policy.name, why=why)
    return Item(
        Kind.RESTART, subject, Who.NURSE, due=end + timedelta(hours=policy.restart_hours), policy=policy.name
    )


def _labs(items: Sequence[Item], start: datetime, patient: PatientFacts, site: SitePolicy) -> list[Item]:
    """INR, platelets and haemoglobin for everyone; the INR fresh where a vitamin K antagonist was stopped."""
    stopped = any("warfarin" in item.policy for item in items)
    day = start.astimezone(site.zone).date()
    found = []
    for name in ("inr", "platelets", "haemoglobin"):
        days = site.inr_days if name == "inr" and stopped else site.lab_days
        oldest = day - timedelta(days=days)
        fresh = [taken for lab, taken in patient.labs_taken if lab == name and oldest <= taken <= day]
        if not fresh:
            why = f"Needed from {oldest:%d %B} on."
            found.append(Item(Kind.LAB, name, Who.NURSE, day=oldest, why=why, blocks=True))
    return found


def _screens(patient: PatientFacts) -> list[Item]:
    items = []
    if patient.may_be_pregnant or patient.may_be_pregnant is None:
        why = "A test before any X-ray." if patient.may_be_pregnant else "Nobody has asked yet."
        items.append(Item(Kind.PREGNANCY, "", Who.NURSE, why=why, blocks=True))
    if patient.is_nursing:
        items.append(Item(Kind.NURSING, "", Who.NURSE, why="Tell the sedation team."))
    if patient.has_infection_signs or patient.has_infection_signs is None:
        why = (
            "Signs of infection: the radiologist decides."
            if patient.has_infection_signs
            else "Nobody has asked yet."
        )
        items.append(Item(Kind.INFECTION, "", Who.RADIOLOGIST, why=why, blocks=True))
    for kind, values in ((Kind.ALLERGY, patient.allergies), (Kind.IMPLANT, patient.implants)):
        if values is None:
            items.append(Item(kind, "", Who.NURSE, why="Nobody has asked yet.", blocks=kind is Kind.ALLERGY))
        items += [Item(kind, value, Who.NURSE, why="Tell the team.") for value in values or ()]
    if patient.needs_interpreter:
        items.append(Item(Kind.INTERPRETER, patient.needs_interpreter, Who.SCHEDULER, blocks=True))
    return items


def _way_home(patient: PatientFacts) -> list[Item]:
    items = []
    if patient.has_driver is not True:
        items.append(Item(Kind.DRIVER, "", Who.PATIENT, blocks=True))
    if patient.has_driver is False:
        items.append(
            Item(Kind.TRANSPORT, "", Who.SCHEDULER, why="No driver: the site helps (S2.18).", blocks=True)
        )
    if patient.has_companion is not True:
        items.append(Item(Kind.COMPANION, "", Who.PATIENT, blocks=True))
    return items


def _ask(subject: str, why: str, *, blocks: bool = True) -> Item:
    return Item(Kind.ASK_PERSON, subject, Who.NURSE, why=why, blocks=blocks)
