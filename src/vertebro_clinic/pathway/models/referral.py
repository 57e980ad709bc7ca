"""How a case begins: a request from the public page, and the referral that staff or a physician completes."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.core.models import Site
from vertebro_clinic.pathway.enums import Cause, Relief, YesNoUnknown
from vertebro_clinic.pathway.models.base import Kept, Record, choice, score, words
from vertebro_clinic.pathway.models.patient import Patient


class Story(models.Model):
    """What is asked about the pain, of the patient and of the physician alike."""

    onset_date = models.DateField(_("when did the pain begin"), null=True, blank=True)
    pain_now = score(_("pain now, 0 to 10"))
    pain_worst = score(_("worst pain in the last week, 0 to 10"))
    cause = choice(_("how did it begin"), Cause)
    symptoms = words(_("where it hurts and what makes it worse"))
    better_lying = choice(_("is it better when lying down"), YesNoUnknown)
    leg_pain_worse = choice(_("is pain in a leg worse than in the back"), YesNoUnknown)
    medicine_relief = choice(_("did pain medicine help"), Relief)
    medicines_tried = models.CharField(_("which pain medicines"), max_length=240, blank=True)
    bed_rest_days = models.PositiveSmallIntegerField(_("days of bed rest"), null=True, blank=True)
    brace = choice(_("a brace"), Relief)
    leg_weakness = choice(_("new weakness or numbness in the legs"), YesNoUnknown)
    bladder_bowel = choice(_("new trouble with bladder or bowel"), YesNoUnknown)
    fever = choice(_("fever or chills"), YesNoUnknown)
    weight_loss = choice(_("unexplained weight loss"), YesNoUnknown)
    cancer = choice(_("cancer, now or in the past"), YesNoUnknown)
    implants = choice(_("pacemaker, nerve stimulator or other implant"), YesNoUnknown)
    thinners = choice(_("aspirin or a blood thinner"), YesNoUnknown)
    medicines = words(_("all medicines"))
    allergies = words(_("allergies"))

    class Meta:
        abstract = True


class RequestState(models.TextChoices):
    """What became of a request."""

    NEW = "new", _("New")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")


class AppointmentRequest(Kept, Story):
    """What somebody sent from the public page. Becomes a case when a scheduler accepts it."""

    given_name = models.CharField(_("given name"), max_length=80)
    family_name = models.CharField(_("family name"), max_length=80)
    birth_date = models.DateField(_("date of birth"))
    phone = models.CharField(_("telephone"), max_length=40)
    email = models.EmailField(_("e-mail"), blank=True)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default="en")
    physician_name = models.CharField(_("primary care physician"), max_length=120, blank=True)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="requests", verbose_name=_("site"))
    question = words(_("anything else"))
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.NEW, editable=False)
    decided_at = models.DateTimeField(null=True, editable=False)
    decision_note = models.CharField(max_length=240, blank=True, editable=False)
    case = models.ForeignKey("pathway.Case", null=True, editable=False, on_delete=models.PROTECT)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"request {self.pk}"


class Referral(Record, Story):
    """The referral as the clinic keeps it."""

    title = _("Referral")

    source = models.CharField(
        _("who refers"),
        max_length=12,
        choices=[("patient", _("The patient")), ("physician", _("A physician")), ("staff", _("Our staff"))],
        default="staff",
    )
    midline_tender = choice(_("tender over the spine"), YesNoUnknown)
    known_osteoporosis = choice(_("osteoporosis known"), YesNoUnknown)
    earlier_fracture = choice(_("earlier vertebral fracture"), YesNoUnknown)
    steroids = choice(_("long steroid treatment"), YesNoUnknown)
    question = words(_("question to us"))

    def __str__(self) -> str:
        return f"referral {self.pk}"


__all__ = ["AppointmentRequest", "Patient", "Referral", "RequestState", "Story"]
