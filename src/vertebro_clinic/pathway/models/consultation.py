"""The talk between radiologist and patient, on an earlier day than the procedure."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.enums import Relief, YesNoUnknown
from vertebro_clinic.pathway.models.base import Record, choice, score, words


class Consultation(Record):
    """The structured note."""

    title = _("Consultation")

    held_on = models.DateField(_("held on"), null=True, blank=True)
    pain_now = score(_("pain now, 0 to 10"))
    pain_worst = score(_("worst pain, 0 to 10"))
    course = choice(_("course"), [("worse", _("Worse")), ("stable", _("Stable")), ("better", _("Better"))])
    odi_percent = score(_("ODI, %"), upper=100)
    rmdq = score(_("RMDQ, 0 to 24"), upper=24)
    walking = choice(
        _("walking"),
        [
            ("free", _("Unaided")),
            ("aid", _("With an aid")),
            ("chair", _("Only a few steps")),
            ("bed", _("In bed")),
        ],
    )
    pain_at_level = choice(_("pain and tenderness at the level of the fracture"), YesNoUnknown)
    neuro_normal = choice(_("legs, bladder and bowel normal"), YesNoUnknown)
    radicular = choice(_("leg pain worse than back pain"), YesNoUnknown)
    analgesia_relief = choice(_("pain medicine"), Relief)
    analgesia = models.CharField(_("pain medicine tried, doses, weeks"), max_length=240, blank=True)
    conservative_weeks = models.PositiveSmallIntegerField(
        _("weeks of treatment so far"), null=True, blank=True
    )
    can_lie_prone = choice(_("can lie prone for an hour per level"), YesNoUnknown)
    infection_now = choice(_("active infection or fever"), YesNoUnknown)
    bleeding_disorder = choice(
        _("bleeding disorder"), [*YesNoUnknown.choices, ("correctable", _("Yes, correctable"))]
    )
    cement_allergy = choice(_("allergy to cement or contrast"), YesNoUnknown)
    pregnancy = choice(_("possibly pregnant"), YesNoUnknown)
    nursing = choice(_("nursing a child"), YesNoUnknown)
    severe_heart_lung = choice(_("severe heart or lung disease"), YesNoUnknown)
    asa_class = models.PositiveSmallIntegerField(
        _("ASA class"), null=True, blank=True, choices=[(n, str(n)) for n in range(1, 6)]
    )
    other_conditions = words(_("other conditions"))
    goals = words(_("what the patient hopes for"))
    discussed = models.BooleanField(
        _("procedure, risks and recovery described; questions answered"), default=False
    )
    note = words(_("note"))

    def __str__(self) -> str:
        return f"consultation {self.pk}"
