"""Forms of imaging: studies, MRI safety, the structured reading."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm, formfield
from vertebro_clinic.pathway.models import ImagingReview, ImagingStudy, LevelFinding, MriSafety


class ImagingStudyForm(ClinicForm):
    """One examination."""

    sections = (
        (_("Examination"), ("kind", "medium", "place")),
        (_("When"), ("ordered_on", "patient_called", "appointment_at", "done_on")),
        (_("Result"), ("xray_finding", "report", "reported_on")),
    )

    class Meta:
        model = ImagingStudy
        formfield_callback = formfield
        fields = (
            "kind",
            "medium",
            "place",
            "ordered_on",
            "patient_called",
            "appointment_at",
            "done_on",
            "xray_finding",
            "report",
            "reported_on",
        )


class MriSafetyForm(ClinicForm):
    """The safety screen."""

    sections = (
        (_("In the body"), ("pacemaker", "stimulator", "cochlear", "clip", "metal")),
        (_("The device, if there is one"), ("device", "device_status")),
        (_("Also"), ("pregnancy", "kidney", "claustrophobia")),
        (_("Result"), ("outcome",)),
    )

    class Meta:
        model = MriSafety
        formfield_callback = formfield
        fields = (
            "pacemaker",
            "stimulator",
            "cochlear",
            "clip",
            "metal",
            "device",
            "device_status",
            "pregnancy",
            "kidney",
            "claustrophobia",
            "outcome",
        )


class ImagingReviewForm(ClinicForm):
    """The reading."""

    sections = (
        (_("Images"), ("studies_read", "counted_from", "transitional")),
        (
            _("Signs that send elsewhere"),
            ("cord_compression", "infection_signs", "malignancy_signs", "unstable"),
        ),
        (_("Conclusion"), ("conclusion",)),
    )

    class Meta:
        model = ImagingReview
        formfield_callback = formfield
        fields = (
            "studies_read",
            "counted_from",
            "transitional",
            "cord_compression",
            "infection_signs",
            "malignancy_signs",
            "unstable",
            "conclusion",
        )


class LevelFindingForm(ClinicForm):
    """One vertebra."""

    class Meta:
        model = LevelFinding
        formfield_callback = formfield
        fields = (
            "level",
            "oedema",
            "shape",
            "genant",
            "of_type",
            "height_loss_percent",
            "kyphosis_deg",
            "posterior_wall",
            "cleft",
            "is_target",
        )
