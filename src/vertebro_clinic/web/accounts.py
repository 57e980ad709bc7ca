"""How accounts behave here: nobody signs up alone; lock-out in words."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


class ClinicAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by administrators."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up alone."""
        del request
        return False


def name_tried(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The e-mail address by which somebody tried to sign in, for counting wrong attempts."""
    told = (credentials or {}).get("email") or request.POST.get("login", "")
    return str(told).strip().lower()


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Too many wrong passwords."""
    del args, kwargs
    context = {
        "title": _("Sign-in is locked for a while"),
        "words": _(
            "There were too many wrong attempts. Wait 15 minutes, or ask an administrator for a sign-in link."
        ),
        "missing": (),
        "code": "locked_out",
    }
    return render(request, "core/problem.html", context, status=429)
