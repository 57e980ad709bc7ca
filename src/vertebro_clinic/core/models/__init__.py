"""The core's tables."""

from vertebro_clinic.core.models.access import AccessLink, BrokenGlass
from vertebro_clinic.core.models.audit import AuditEntry, AuditHead
from vertebro_clinic.core.models.site import Membership, Site
from vertebro_clinic.core.models.user import User

__all__ = ["AccessLink", "AuditEntry", "AuditHead", "BrokenGlass", "Membership", "Site", "User"]
