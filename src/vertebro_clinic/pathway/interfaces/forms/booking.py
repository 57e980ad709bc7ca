"""Form of a booking."""

from __future__ import annotations

from typing import Any

from vertebro_clinic.core.models import Site, User
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.interfaces.forms.base import ClinicForm, formfield
from vertebro_clinic.pathway.models import Booking


class BookingForm(ClinicForm):
    """Time, suite and radiologist; the length comes from the number of levels."""

    class Meta:
        model = Booking
        formfield_callback = formfield
        fields = ("starts_at", "minutes", "recovery_minutes", "room", "biplane", "radiologist")

    def __init__(self, *args: Any, site: Site | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if site is not None:
            self.fields["radiologist"].queryset = User.objects.filter(  # type: ignore[attr-defined]
                memberships__site=site, memberships__role=Role.RADIOLOGIST, memberships__ended_at=None
            )
