"""Pages without sign-in: information, the request for an appointment, links that let a person in."""

from __future__ import annotations

from datetime import date, timedelta

from allauth.account.internal.flows.login import record_authentication
from django.contrib import messages
from django.contrib.auth import login
from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from vertebro_clinic.core.domain import links
from vertebro_clinic.core.errors import NotVisible, TooMany
from vertebro_clinic.core.models import Site
from vertebro_clinic.core.models.access import LinkKind
from vertebro_clinic.pathway.domain import referral
from vertebro_clinic.pathway.domain.own import birth_date_of
from vertebro_clinic.pathway.enums import YesNoUnknown
from vertebro_clinic.pathway.interfaces.forms.referral import RequestForm
from vertebro_clinic.web import education
from vertebro_clinic.web.access import EVERYBODY, ClinicRequest, allow
from vertebro_clinic.web.middleware import LANGUAGE_KEY, PATIENT_KEY

REQUESTS_PER_HOUR = 5
DATES_PER_HOUR = 20
_HOUR = int(timedelta(hours=1).total_seconds())


def limit_rate(request: ClinicRequest, what: str, most: int) -> None:
    """Refuse the same address after ``most`` tries in an hour."""
    key = f"rate:{what}:{request.META.get('REMOTE_ADDR', '')}"
    cache.add(key, 0, _HOUR)
    if cache.incr(key) > most:
        raise TooMany(_("There were too many tries from here. Please call us, or try again in an hour."))


@require_http_methods(["GET", "POST"])
@allow(EVERYBODY)
def request_appointment(request: ClinicRequest) -> HttpResponse:
    """Ask for an appointment."""
    form = RequestForm(request.POST or None, initial={"language": request.LANGUAGE_CODE})
    if request.method == "POST" and form.is_valid():
        limit_rate(request, "request", REQUESTS_PER_HOUR)
        sent = referral.send_request(values=form.values())
        request.session["sent_site"] = sent.site_id
        flags = (sent.leg_weakness, sent.bladder_bowel, sent.fever)
        request.session["sent_urgent"] = YesNoUnknown.YES in flags
        return redirect("request_sent")
    return render(request, "public/request.html", {"form": form}, status=400 if form.errors else 200)


@require_GET
@allow(EVERYBODY)
def request_sent(request: ClinicRequest) -> HttpResponse:
    """Thank you, and what happens next; call at once where the answers say so."""
    site = Site.objects.filter(pk=request.session.get("sent_site") or 0).first()
    if site is None:
        return redirect("request_appointment")
    context = {"site": site, "urgent": request.session.get("sent_urgent", False)}
    return render(request, "public/request_sent.html", context)


@require_GET
@allow(EVERYBODY)
def education_page(request: ClinicRequest, slug: str = "") -> HttpResponse:
    """What it is, how it is done, what to expect."""
    pages = education.pages()
    slug = slug or pages[0].slug
    page = next((one for one in pages if one.slug == slug), None)
    if page is None:
        raise NotVisible(_("There is no such page."))
    context = {"pages": pages, "page": page, "sites": Site.objects.filter(is_open=True)}
    return render(request, "public/education.html", context)


@require_http_methods(["GET", "POST"])
@allow(EVERYBODY)
def sign_in_link(request: ClinicRequest, token: str) -> HttpResponse:
    """Use a one-time link: the button uses it up, looking at the page does not."""
    if request.method == "POST":
        user = links.use_sign_in_link(token)
        login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
        record_authentication(request, user, method="link")
        request.session[LANGUAGE_KEY] = user.language
        return redirect("start")
    link = links.find_link(token, LinkKind.SIGN_IN)
    return render(request, "public/sign_in_link.html", {"name": link.user.name if link.user else ""})


@require_http_methods(["GET", "POST"])
@allow(EVERYBODY)
def patient_enter(request: ClinicRequest, token: str) -> HttpResponse:
    """A patient's link: the date of birth opens it."""
    link = links.find_link(token, LinkKind.PATIENT)
    if request.method == "POST":
        limit_rate(request, "date", DATES_PER_HOUR)
        try:
            told = date.fromisoformat(request.POST.get("birth_date", ""))
        except ValueError:
            told = date.min
        assert link.patient_id is not None, "a patient's link names a patient"
        known = birth_date_of(link.patient_id)
        opened = links.use_patient_link(token, told=told, birth_date=known.birth_date)
        if opened is not None:
            request.session.cycle_key()
            request.session[PATIENT_KEY] = opened.pk
            request.session[LANGUAGE_KEY] = known.language
            return redirect("my_page")
        messages.error(
            request, _("This is not the date of birth that we have. Please try again, or call us.")
        )
    return render(request, "public/patient_enter.html", {"token": token})
