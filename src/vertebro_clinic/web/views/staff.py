"""People and sites for administrators; rules for radiologists and administrators."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from vertebro_clinic.core.domain import links, people
from vertebro_clinic.core.errors import NotAllowed, NotVisible
from vertebro_clinic.core.models import Membership, Site, User
from vertebro_clinic.core.roles import Role
from vertebro_clinic.pathway.domain import policies
from vertebro_clinic.pathway.rules import eligibility_rules, in_language, limits
from vertebro_clinic.web.access import ClinicRequest, allow


class NewMember(forms.Form):
    """A person and their role."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    email = forms.EmailField(label=gettext_lazy("E-mail"))
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices)
    site = forms.ModelChoiceField(label=gettext_lazy("Site"), queryset=Site.objects.none(), empty_label=None)


@require_http_methods(["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def staff(request: ClinicRequest) -> HttpResponse:
    """Who works where; a new person gets a one-time sign-in link."""
    sites = Site.objects.filter(pk__in=request.actor.sites(Role.ADMINISTRATOR))
    form = NewMember(request.POST or None)
    form.fields["site"].queryset = sites  # type: ignore[attr-defined]
    address = ""
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        user = User.objects.filter(email=told["email"].lower()).first() or User.objects.create_user(
            told["email"], told["name"]
        )
        people.add_member(actor=request.actor, user=user, site=told["site"], role=Role(told["role"]))
        token = links.make_sign_in_link(actor=request.actor, user=user)
        address = request.build_absolute_uri(reverse("sign_in_link", kwargs={"token": token}))
    members = Membership.objects.filter(site__in=sites, ended_at=None).select_related("user", "site")
    context = {
        "form": form,
        "members": members.order_by("site__name", "user__name", "role"),
        "address": address,
    }
    return render(request, "core/staff.html", context)


@require_POST
@allow(Role.ADMINISTRATOR)
def staff_link(request: ClinicRequest, pk: int) -> HttpResponse:
    """A new one-time sign-in link for somebody at one's own sites."""
    sites = request.actor.sites(Role.ADMINISTRATOR)
    user = User.objects.filter(pk=pk, memberships__site_id__in=sites, memberships__ended_at=None).first()
    if user is None:
        raise NotVisible(_("There is no such person at your sites."))
    token = links.make_sign_in_link(actor=request.actor, user=user)
    address = request.build_absolute_uri(reverse("sign_in_link", kwargs={"token": token}))
    return render(request, "core/staff_link.html", {"person": user, "address": address})


@require_POST
@allow(Role.ADMINISTRATOR)
def staff_end(request: ClinicRequest, pk: int) -> HttpResponse:
    """Take a role away."""
    membership = get_object_or_404(Membership, pk=pk, site_id__in=request.actor.sites(Role.ADMINISTRATOR))
    people.end_membership(actor=request.actor, membership=membership)
    messages.success(request, _("The role has ended."))
    return redirect("staff")


@require_GET
@allow(Role.RADIOLOGIST, Role.ADMINISTRATOR, Role.QUALITY)
def rules(request: ClinicRequest) -> HttpResponse:
    """Every rule and limit with its source, and what each site approved."""
    sites = Site.objects.filter(
        pk__in=request.actor.sites(Role.RADIOLOGIST, Role.ADMINISTRATOR, Role.QUALITY)
    )
    shown = []
    for site in sites:
        approved = policies.approvals(site)
        shown.append(
            (
                site,
                [
                    (rule, in_language(rule.words), approved.get(name))
                    for name, rule in eligibility_rules().items()
                ],
                [
                    (limit, in_language(limit.words), approved.get(name), policies.limit(name, site))
                    for name, limit in limits().items()
                ],
            )
        )
    may_approve = request.actor.has_role(Role.RADIOLOGIST, Role.ADMINISTRATOR)
    return render(request, "core/rules.html", {"shown": shown, "may_approve": may_approve})


@require_POST
@allow(Role.RADIOLOGIST, Role.ADMINISTRATOR)
def rule_approve(request: ClinicRequest, site: int, rule: str) -> HttpResponse:
    """Approve a rule for a site, with an own value for a limit, or switch it off."""
    if rule not in eligibility_rules() and rule not in limits():
        raise NotVisible
    where = get_object_or_404(Site, pk=site)
    values = {}
    told = request.POST.get("value", "").strip().replace(",", ".")
    if told:
        try:
            values["value"] = float(told)
        except ValueError as bad:
            raise NotAllowed(_("This is not a number.")) from bad
    policies.approve_rule(
        actor=request.actor, site=where, rule=rule, values=values, is_on=request.POST.get("on") != "0"
    )
    return redirect("rules")
