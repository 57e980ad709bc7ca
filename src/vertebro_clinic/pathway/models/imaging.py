"""Images of the spine: ordered, safe to take, taken, reported, read."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.enums import LEVELS, ImagingKind, MriOutcome, YesNoUnknown
from vertebro_clinic.pathway.models.base import CaseRow, Record, choice, words

LEVEL_CHOICES = [(name, name) for name in LEVELS]


class Medium(models.TextChoices):
    """Where the images are."""

    OURS = "ours", _("Made here")
    UPLOAD = "upload", _("Uploaded")
    DISC = "disc", _("On a disc")
    FILM = "film", _("On film")
    REPORT = "report", _("Report only")


class XrayFinding(models.TextChoices):
    """What the X-ray says about a fracture."""

    FRACTURE = "fracture", _("Fracture seen")
    SUSPECTED = "suspected", _("Not sure: high suspicion")
    NONE = "none", _("No fracture, low suspicion")


class ImagingStudy(CaseRow):
    """One examination, ours or from outside."""

    kind = models.CharField(_("examination"), max_length=12, choices=ImagingKind)
    ordered_on = models.DateField(_("ordered on"), null=True, blank=True)
    appointment_at = models.DateTimeField(_("appointment"), null=True, blank=True)
    patient_called = models.BooleanField(_("patient was called about the appointment"), default=False)
    done_on = models.DateField(_("done on"), null=True, blank=True)
    medium = models.CharField(_("images"), max_length=8, choices=Medium, default=Medium.OURS)
    place = models.CharField(_("made at"), max_length=120, blank=True)
    xray_finding = choice(_("fracture on X-ray"), XrayFinding)
    report = words(_("report"))
    reported_on = models.DateField(_("reported on"), null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"study {self.pk}"


class MriSafety(Record):
    """The screen before an MRI: a device asks for its MR status first, it does not rule MRI out."""

    title = _("MRI safety")

    pacemaker = choice(_("pacemaker or defibrillator"), YesNoUnknown)
    stimulator = choice(_("nerve or spinal cord stimulator, or pump"), YesNoUnknown)
    cochlear = choice(_("hearing implant"), YesNoUnknown)
    clip = choice(_("aneurysm clip or vascular stent"), YesNoUnknown)
    metal = choice(_("metal splinter, above all in the eye"), YesNoUnknown)
    pregnancy = choice(_("possibly pregnant"), YesNoUnknown)
    kidney = choice(_("kidney disease"), YesNoUnknown)
    claustrophobia = choice(_("fear of narrow rooms"), YesNoUnknown)
    device = models.CharField(_("device, maker and model"), max_length=160, blank=True)
    device_status = models.CharField(
        _("MR status of the device, and who said so"), max_length=160, blank=True
    )
    outcome = choice(_("outcome"), MriOutcome)

    def __str__(self) -> str:
        return f"MRI safety {self.pk}"


class ImagingReview(Record):
    """The radiologist's structured reading."""

    title = _("Imaging review")

    studies_read = models.CharField(_("images read"), max_length=200, blank=True)
    counted_from = choice(
        _("levels counted from"),
        [
            ("sacrum", _("The sacrum, upwards")),
            ("c2", _("C2, downwards")),
            ("ribs", _("The last rib")),
            ("iliac", _("The iliolumbar ligament")),
        ],
    )
    transitional = choice(_("transitional vertebra"), YesNoUnknown)
    cord_compression = choice(_("compression of cord or cauda"), YesNoUnknown)
    infection_signs = choice(_("signs of infection"), YesNoUnknown)
    malignancy_signs = choice(_("signs of malignancy"), YesNoUnknown)
    unstable = choice(_("unstable (AO B or C, OF 5)"), YesNoUnknown)
    conclusion = words(_("conclusion"))

    def __str__(self) -> str:
        return f"imaging review {self.pk}"


class LevelFinding(CaseRow):
    """What one vertebra shows."""

    review = models.ForeignKey(ImagingReview, on_delete=models.PROTECT, related_name="levels", editable=False)
    level = models.CharField(_("level"), max_length=4, choices=LEVEL_CHOICES)
    oedema = choice(_("oedema or uptake"), YesNoUnknown)
    shape = choice(_("shape"), [("wedge", _("Wedge")), ("biconcave", _("Biconcave")), ("crush", _("Crush"))])
    genant = models.CharField(
        _("Genant grade"),
        max_length=4,
        blank=True,
        choices=[("0", "0"), ("0.5", "0.5"), ("1", "1"), ("2", "2"), ("3", "3")],
    )
    of_type = models.CharField(
        _("OF type"), max_length=4, blank=True, choices=[(f"OF{n}", f"OF {n}") for n in range(1, 6)]
    )
    height_loss_percent = models.PositiveSmallIntegerField(_("height loss, %"), null=True, blank=True)
    kyphosis_deg = models.SmallIntegerField(_("kyphosis, °"), null=True, blank=True)
    posterior_wall = choice(
        _("posterior wall"),
        [
            ("intact", _("Intact")),
            ("bulging", _("Bulging")),
            ("defect", _("Defect")),
            ("retropulsed", _("Retropulsed")),
        ],
    )
    cleft = choice(_("cleft"), YesNoUnknown)
    is_target = models.BooleanField(_("to be treated"), default=False)
    from_run = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["review", "level"], condition=models.Q(is_current=True), name="level_once_per_review"
            )
        ]

    def __str__(self) -> str:
        return f"level finding {self.pk}"
