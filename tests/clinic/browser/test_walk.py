"""One case through the browser, by its different people, from the public request to the closed follow-up.

Every screen on the way is checked by axe. The site's clocks need no waiting.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

PASSWORD = "a-long-password-for-browsers"
TODAY = datetime.now(UTC).date()
YESTERDAY = (TODAY - timedelta(days=1)).isoformat()
pytestmark = [pytest.mark.slow, pytest.mark.e2e]


class Desk:
    """One person at one browser window."""

    def __init__(self, chromium: Any, address: str, axe: str, *, width: int = 1280) -> None:
        context = chromium.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
        self.page = context.new_page()
        self.page.set_default_timeout(20_000)
        self.address, self.axe = address, axe
        self.trouble: list[str] = []

    def look(self, path: str) -> None:
        """Open a page and let axe look at it."""
        answer = self.page.goto(path if path.startswith("http") else self.address + path)
        assert answer.ok, f"{path}: {answer.status}"
        self.check()

    def check(self) -> None:
        """What axe says of the page that is shown."""
        self.page.evaluate(self.axe)
        found = self.page.evaluate("async () => (await axe.run(document)).violations")
        for violation in found:
            where = violation["nodes"][0]["html"][:160]
            self.trouble.append(f"{self.page.url}: {violation['id']}: {violation['help']}: {where}")

    def sign_in(self, role: str) -> Desk:
        self.look("/account/login/")
        self.page.fill("[name=login]", f"{role}@test.example")
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("main form button.button--main")
        self.page.wait_for_url(self.address + "/")
        return self

    def fill(self, **values: Any) -> None:
        """Fill a form: taps, ticks and texts by field name."""
        for name, value in values.items():
            field = self.page.locator(f"main [name='{name}']")
            kind = field.first.get_attribute("type") or ""
            if kind == "radio":
                self.page.check(f"main [name='{name}'][value='{value}']")
            elif kind == "checkbox":
                field.first.set_checked(bool(value))
            elif field.first.evaluate("node => node.tagName") == "SELECT":
                field.first.select_option(str(value))
            else:
                field.first.fill(str(value))

    def press(self, words: str) -> None:
        """Press a button by its words and wait for the next page."""
        button = self.page.get_by_role("button", name=words, exact=True).first
        with self.page.expect_navigation():
            button.click()

    def sign(self) -> None:
        """Save and sign, proving who it is where that is asked."""
        self.press("Save and sign")
        if "/reauthenticate/" in self.page.url:
            self.check()
            self.page.fill("[name=password]", PASSWORD)
            with self.page.expect_navigation():
                self.page.locator("main form button").first.click()
            self.press("Save and sign")

    def add(self, case: str, slug: str, **values: Any) -> None:
        self.look(f"{case}rows/{slug}/add/")
        self.fill(**values)
        self.press("Save")

    def tick_all(self, case: str, checklist: str) -> None:
        """Tick every line of a checklist by the keyboard's space bar."""
        self.look(f"{case}room/")
        ticks = self.page.locator(f"button[id^='tick-{checklist}-']")
        for number in range(ticks.count()):
            tick = ticks.nth(number)
            if not tick.is_visible():
                self.page.locator("details", has=tick).locator("summary").first.click()
            tick.focus()
            tick.press("Space")
            self.page.wait_for_function(
                "id => document.getElementById(id).getAttribute('aria-pressed') === 'true'",
                arg=tick.get_attribute("id"),
            )


def _refer(visitor: Desk, office: Desk) -> str:
    visitor.look("/")
    visitor.look("/about/risks/")
    visitor.look("/appointment/")
    visitor.fill(given_name="Paula", family_name="Prado", birth_date="1950-02-03", phone="505-555-0101")
    visitor.fill(onset_date=YESTERDAY, pain_now=8, cause="minor", medicine_relief="some", agree=True)
    visitor.fill(leg_weakness="no", bladder_bowel="no", fever="no", cancer="no")
    visitor.press("Send")
    visitor.check()
    office.look("/")
    office.page.get_by_role("link", name="Paula Prado").click()
    office.check()
    office.press("Accept and open a case")
    office.check()
    case = re.sub(r"referral/$", "", office.page.url)
    office.press("Accept the referral")
    return case


def _image(office: Desk, nurse: Desk, case: str) -> None:
    office.look(f"{case}imaging/")
    office.add(
        case, "studies", kind="xray", done_on=YESTERDAY, reported_on=YESTERDAY, xray_finding="fracture"
    )
    nurse.look(case)
    nurse.press("Fracture confirmed or likely")
    nurse.look(f"{case}mri_safety/")
    nurse.fill(**dict.fromkeys(("pacemaker", "stimulator", "cochlear", "clip", "metal", "pregnancy"), "no"))
    nurse.fill(outcome="safe")
    nurse.press("Save")
    nurse.press("MRI is safe")
    office.add(case, "studies", kind="mri", patient_called=True, done_on=YESTERDAY, reported_on=YESTERDAY)
    office.press("Imaging is reported")


def _decide(doctor: Desk, case: str) -> None:
    doctor.look(f"{case}imaging_review/")
    doctor.fill(counted_from="sacrum", transitional="no", conclusion="Recent fracture.")
    doctor.fill(
        **dict.fromkeys(("cord_compression", "infection_signs", "malignancy_signs", "unstable"), "no")
    )
    doctor.press("Save")
    doctor.add(
        case,
        "level-findings",
        level="L1",
        oedema="yes",
        genant="2",
        posterior_wall="intact",
        cleft="no",
        is_target=True,
    )
    doctor.sign()
    doctor.press("Confirm levels")
    doctor.look(f"{case}consultation/")
    doctor.fill(held_on=TODAY.isoformat(), pain_now=8, course="stable", discussed=True, conservative_weeks=3)
    doctor.fill(pain_at_level="yes", neuro_normal="yes", can_lie_prone="yes")
    doctor.fill(**dict.fromkeys(("infection_now", "bleeding_disorder", "cement_allergy", "pregnancy"), "no"))
    doctor.sign()
    doctor.press("Complete the consultation")
    doctor.look(f"{case}eligibility/")
    doctor.fill(mdt="not_needed")
    doctor.sign()
    doctor.press("Suitable for a procedure")
    doctor.look(f"{case}procedure_choice/")
    doctor.fill(sedation="moderate", reason="Recent, moderate, at the thoracolumbar junction.")
    doctor.press("Save")
    doctor.add(case, "level-choices", level="L1", procedure="vertebroplasty", approach="bipedicular")
    doctor.sign()
    doctor.press("Confirm the procedure")
    doctor.look(f"{case}consent/")
    explained = (
        "read_text",
        "risks_explained",
        "alternatives_explained",
        "evidence_explained",
        "has_capacity",
    )
    doctor.fill(
        **dict.fromkeys(explained, True),
        patient_signature="Paula Prado",
        physician_signature="The radiologist",
    )
    doctor.sign()
    doctor.press("Consent is complete")


def _prepare(office: Desk, nurse: Desk, case: str) -> None:
    starts = datetime.now(UTC) + timedelta(hours=20)
    office.add(case, "bookings", starts_at=starts.strftime("%Y-%m-%dT%H:%M"), room="Suite 1", radiologist="4")
    office.press("Book")
    nurse.look(f"{case}preparation/")
    nurse.fill(
        medicines_reviewed=True,
        fasting_told=True,
        driver="Daughter",
        adult_at_home="yes",
        images_to_bring=True,
    )
    nurse.press("Save")
    for kind, value in (("inr", "1.1"), ("platelets", "210")):
        nurse.add(case, "labs", kind=kind, value=value, taken_on=YESTERDAY)
    nurse.press("Preparation is settled")
    nurse.look(f"{case}precall/")
    asked = ("medicines_asked", "allergies_asked", "history_asked", "questions_answered", "driver_confirmed")
    nurse.fill(
        state="reached", **dict.fromkeys(asked, True), fasting_confirmed=True, pregnant_or_nursing="no"
    )
    nurse.press("Save")
    nurse.press("Call is done")
    nurse.press("Patient has arrived")
    nurse.look(f"{case}check_in/")
    nurse.fill(identity_checked=True, pain_now=8, improved="no", fasted="yes", doses_as_planned="none")
    nurse.fill(driver_present="yes", pregnancy="not_applicable", infection="no")
    nurse.press("Save")
    nurse.press("Check-in passed")


def _treat(doctor: Desk, nurse: Desk, case: str) -> None:
    nurse.tick_all(case, "sign_in")
    nurse.look(f"{case}room/")
    nurse.press("Sign-in complete")
    nurse.tick_all(case, "time_out")
    doctor.look(f"{case}room/")
    doctor.press("Time-out complete")
    nurse.look(f"{case}room/")
    nurse.page.get_by_role("button", name="+0.5 mL").click()
    nurse.page.get_by_text("L1: cement 0.5 mL").first.wait_for()
    nurse.page.get_by_label("Pulse, per minute").fill("71")
    nurse.page.get_by_role("button", name="Save vital signs").click()
    nurse.page.get_by_text("pulse 71").first.wait_for()
    nurse.check()
    doctor.look(f"{case}room/")
    doctor.page.get_by_role("link", name="Details L1").click()
    doctor.check()
    doctor.fill(level_confirmed=True, cement_product="Cement", cement_lot="7", leak="none", outcome="treated")
    doctor.press("Save")
    nurse.tick_all(case, "sign_out")
    doctor.look(f"{case}room/")
    doctor.press("Procedure finished")
    nurse.look(f"{case}recovery/")
    nurse.fill(bed="2", sample_set=True)
    nurse.press("Save")
    nurse.press("Cement is set: turn the patient")
    nurse.add(case, "observations", pain=2, legs="same", aldrete=10, padss=10)
    nurse.look(f"{case}discharge/")
    fit = (
        "dressing_dry",
        "drinks",
        "walked",
        "driver_here",
        "instructions_given",
        "understood",
        "activity_guidance",
    )
    nurse.fill(**dict.fromkeys(fit, True), restart_plan="none", reversal_given="no")
    nurse.press("Save")
    nurse.press("Discharge")


def _follow(nurse: Desk, quality: Desk, case: str) -> None:
    nurse.look(f"{case}followup/")
    flags = ("leg_weakness", "bladder_bowel", "breathing", "fever_wound", "new_pain")
    for name in ("Call after 1–2 days", "Call after 2 weeks"):
        nurse.look(f"{case}followup/")
        nurse.page.locator("main table").get_by_role("link", name=name).click()
        nurse.check()
        nurse.fill(pain_now=2, analgesia="less", walking="better", **dict.fromkeys(flags, "no"))
        nurse.press("Save")
    nurse.page.locator("main table").get_by_role("link", name="Visit to the primary").click()
    nurse.press("Done")
    for months in ("1 month", "3 months", "6 months", "12 months"):
        quality.look(f"{case}followup/")
        quality.page.locator("main table").get_by_role(
            "link", name=f"Questionnaire at {months}", exact=True
        ).click()
        quality.check()
        quality.fill(pain_now=1, odi_percent=12, rmdq=3, opioid="no")
        quality.press("Save")
    nurse.look(f"{case}bone_health/")
    nurse.page.get_by_role("link", name="Open 1").click()
    nurse.fill(referred_to="Fracture liaison service", treatment="Zoledronate")
    nurse.press("Save")
    for event in ("Refer", "Treated"):
        nurse.look(f"{case}bone_health/")
        nurse.page.get_by_role("link", name="Open 1").click()
        nurse.press(event)
    quality.look(case)
    quality.press("Close the case")


def test_a_case_walks_from_request_to_closed_follow_up(chromium: Any, served: str, axe_script: str) -> None:
    visitor = Desk(chromium, served, axe_script, width=390)
    office, nurse, doctor, quality = (
        Desk(chromium, served, axe_script).sign_in(role)
        for role in ("scheduler", "nurse", "radiologist", "quality")
    )
    case = _refer(visitor, office)

    _image(office, nurse, case)
    _decide(doctor, case)
    _prepare(office, nurse, case)
    _treat(doctor, nurse, case)
    _follow(nurse, quality, case)

    quality.look(case)
    assert quality.page.locator(".tag--stage").inner_text() == "Closed"
    trouble = [line for desk in (visitor, office, nurse, doctor, quality) for line in desk.trouble]
    assert sorted(set(trouble)) == []


def test_the_checker_finds_what_is_wrong(chromium: Any, served: str, axe_script: str) -> None:
    desk = Desk(chromium, served, axe_script)
    desk.page.goto(f"{served}/about/")
    desk.page.evaluate("document.querySelector('main').innerHTML = '<input><img src=\"x.png\">'")

    desk.check()

    assert {"image-alt", "label"} <= {line.split(": ")[1] for line in desk.trouble}
