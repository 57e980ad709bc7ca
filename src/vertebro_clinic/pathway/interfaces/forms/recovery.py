"""Forms of recovery and discharge."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm, formfield
from vertebro_clinic.pathway.models import DischargeCheck, Observation, RecoveryStay


class RecoveryStayForm(ClinicForm):
    """Bed and sample."""

    class Meta:
        model = RecoveryStay
        formfield_callback = formfield
        fields = ("bed", "sample_set")


class ObservationForm(ClinicForm):
    """One observation."""

    class Meta:
        model = Observation
        formfield_callback = formfield
        fields = ("at", "systolic", "pulse", "spo2", "pain", "legs", "aldrete", "padss", "remark")


_GATE = ("dressing_dry", "drinks", "walked", "driver_here", "reversal_given", "reversal_at")
_TOLD = ("instructions_given", "understood", "activity_guidance", "restart_plan")


class DischargeCheckForm(ClinicForm):
    """The gate."""

    sections = ((_("Fit to go"), _GATE), (_("Told"), _TOLD), (_("Remark"), ("remark",)))

    class Meta:
        model = DischargeCheck
        formfield_callback = formfield
        fields = (*_GATE, *_TOLD, "remark")
