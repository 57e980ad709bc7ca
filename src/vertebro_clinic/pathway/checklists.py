"""The three checks of the day.

Items adapted from the WHO and CIRSE checklists and the service's own pages.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Item:
    """One line to tick."""

    code: str
    words: str | Promise


SIGN_IN = (
    Item("identity", _("Name, date of birth and wristband agree")),
    Item("procedure", _("Procedure and levels agree with the consent")),
    Item("levels_counted", _("Levels counted on the images and marked")),
    Item("allergies", _("Allergies read aloud")),
    Item("fasting", _("Fasting times checked")),
    Item("last_doses", _("Last dose of every blood thinner checked")),
    Item("labs", _("INR and platelets in range")),
    Item("pregnancy", _("Pregnancy excluded or not applicable")),
    Item("device", _("Pacemaker or stimulator asked for")),
    Item("airway", _("Airway and ASA class assessed")),
    Item("iv", _("Line in the arm works")),
    Item("monitor", _("Monitor, oximeter and oxygen are on")),
    Item("reversal", _("Reversal drugs and resuscitation kit are here")),
    Item("pain", _("Pain still justifies the procedure")),
)
TIME_OUT = (
    Item("team", _("Everybody said their name and role")),
    Item("patient", _("Patient and procedure said aloud")),
    Item("level_live", _("Level confirmed on the live image, images shown")),
    Item("prone", _("Lying prone on a cushioned table, pressure points padded")),
    Item("antibiotic", _("Antibiotic given within 60 minutes, or declined with a reason")),
    Item("views", _("Both views of the fluoroscope are good")),
    Item("cement", _("Cement, expiry and lot checked; timer ready")),
    Item("leak_plan", _("What to do in case of a leak; surgeon reachable")),
    Item("dose", _("Expected dose said")),
)
SIGN_OUT = (
    Item("recorded", _("Procedure, levels and volumes recorded")),
    Item("sharps", _("Sharps and needles counted")),
    Item("specimens", _("Specimens labelled, or none")),
    Item("leaks", _("Leaks looked for and recorded")),
    Item("dose", _("Fluoroscopy time and dose recorded")),
    Item("plan", _("Prone and supine times said")),
    Item("restart", _("Restart of held medicines said")),
    Item("legs", _("Legs checked after the procedure")),
    Item("handover", _("Handed over to recovery")),
)
