"""Who acts: the one argument that every read and write of a patient's record takes."""

from __future__ import annotations

from dataclasses import dataclass

from vertebro_clinic.core.roles import ActorKind, Role


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or the clinic itself, with what decides on access.

    A user is staff by ``memberships`` (site, role); a patient by ``patient_id``; ``opened`` are patients of
    other sites whom the user has opened in an emergency.
    """

    kind: ActorKind
    user_id: int | None = None
    memberships: frozenset[tuple[int, Role]] = frozenset()
    patient_id: int | None = None
    proxy_id: int | None = None
    opened: frozenset[int] = frozenset()
    name: str = ""

    @property
    def is_staff(self) -> bool:
        """Whether the person works at a site (a referring physician counts as staff of none)."""
        return any(role != Role.REFERRER for _, role in self.memberships)

    @property
    def is_known(self) -> bool:
        """Whether anybody stands behind this actor."""
        return self.kind != ActorKind.PUBLIC

    @property
    def roles(self) -> frozenset[Role]:
        """Every role held anywhere."""
        return frozenset(role for _, role in self.memberships)

    def sites(self, *roles: Role) -> frozenset[int]:
        """The sites at which one of these roles is held.

        >>> Actor(ActorKind.USER, 1, frozenset({(4, Role.NURSE)})).sites(Role.NURSE, Role.QUALITY)
        frozenset({4})
        """
        return frozenset(site for site, role in self.memberships if role in roles)

    def has_role(self, *roles: Role, site_id: int | None = None) -> bool:
        """Whether one of these roles is held, at one site if it is named, else anywhere."""
        held = self.sites(*roles)
        return bool(held) if site_id is None else site_id in held


PUBLIC = Actor(ActorKind.PUBLIC)
SYSTEM = Actor(ActorKind.SYSTEM, name="clinic")
