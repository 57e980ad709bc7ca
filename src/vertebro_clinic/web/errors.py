"""Errors as pages: a code becomes a status and words."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from vertebro_clinic.core.errors import ClinicError, ConditionsUnmet, SignInFirst


def answer(request: HttpRequest, error: ClinicError) -> HttpResponse:
    """The page for an expected trouble."""
    if isinstance(error, SignInFirst):
        if request.method == "GET":
            messages.info(request, str(error.message))
        return redirect(f"{reverse('account_login')}?{urlencode({'next': request.path})}")
    missing = error.missing if isinstance(error, ConditionsUnmet) else ()
    context = {
        "title": _("This did not work"),
        "words": error.message,
        "missing": missing,
        "code": error.code,
    }
    return render(request, "core/problem.html", context, status=error.status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open for too long, or came from elsewhere."""
    del reason
    words = _(
        "This form was open for too long. Go back, reload the page and send it again; what you typed is kept."
    )
    context = {"title": _("Please send it again"), "words": words, "missing": (), "code": "csrf"}
    return render(request, "core/problem.html", context, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such page."""
    del exception
    context = {"title": _("There is no such page"), "words": "", "missing": (), "code": "not_found"}
    return render(request, "core/problem.html", context, status=404)
