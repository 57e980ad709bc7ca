"""What can go wrong in the clinic, by code. One middleware turns a code into a status and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

Words = str | Promise
"""A sentence, translated when it is shown."""


class ClinicError(Exception):
    """Any expected trouble; ``status`` is the HTTP status that the web answers with."""

    code = "error"
    status = 400

    def __init__(self, message: Words = "") -> None:
        super().__init__(message)
        self.message = message


class NotVisible(ClinicError):
    """The record does not exist, or this person may not see it: both look alike from outside."""

    code = "not_visible"
    status = 404


class NotAllowed(ClinicError):
    """The person may see the record but not do this to it."""

    code = "not_allowed"
    status = 403


class SignInFirst(ClinicError):
    """Nobody is signed in."""

    code = "sign_in_first"
    status = 401


class NoSuchTransition(ClinicError):
    """The pathway has no such step from the stage that the case is in."""

    code = "no_such_transition"
    status = 409


@dataclass(frozen=True, slots=True)
class Missing:
    """One condition that is not met: a code for tests and screens, a sentence for people."""

    code: str
    words: Words
    step: str = ""


class ConditionsUnmet(ClinicError):
    """The step is right but something is missing; ``missing`` says what, in plain words."""

    code = "conditions_unmet"
    status = 409

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__("; ".join(str(item.words) for item in missing))
        self.missing = tuple(missing)


class ChangedMeanwhile(ClinicError):
    """Somebody else saved the same record in between; nothing was overwritten."""

    code = "changed_meanwhile"
    status = 409

    def __init__(self, message: Words, current: object = None) -> None:
        super().__init__(message)
        self.current = current


class TooMany(ClinicError):
    """Too many attempts in a short time."""

    code = "too_many"
    status = 429
