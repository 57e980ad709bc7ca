"""Every address of the service."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from vertebro_clinic.web.views import case, followup, home, own, patient, public, requests, room, runs, staff

urlpatterns = [
    path("", home.start, name="start"),
    path("language/", home.choose_language, name="choose_language"),
    path("components/", home.components, name="components"),
    path("search/", home.search, name="search"),
    path("stages/<slug:stage>/", home.stage_list, name="stage_list"),
    # without sign-in
    path("appointment/", public.request_appointment, name="request_appointment"),
    path("appointment/sent/", public.request_sent, name="request_sent"),
    path("about/", public.education_page, name="education"),
    path("about/<slug:slug>/", public.education_page, name="education_page"),
    path("enter/<str:token>/", public.sign_in_link, name="sign_in_link"),
    path("p/<str:token>/", public.patient_enter, name="patient_enter"),
    # the patient's own pages
    path("my/", own.my_page, name="my_page"),
    path("my/looked/", own.my_audit, name="my_audit"),
    path("my/leave/", own.leave, name="my_leave"),
    path("my/questions/<uuid:key>/", own.my_question, name="my_question"),
    path("my/questionnaires/<int:pk>/", own.my_questionnaire, name="my_questionnaire"),
    # requests and referrals
    path("requests/", requests.request_list, name="requests"),
    path("requests/<int:pk>/", requests.request_page, name="request"),
    path("refer/", requests.refer, name="refer"),
    # patients
    path("patients/<int:pk>/", patient.patient_page, name="patient"),
    path("patients/<int:pk>/edit/", patient.patient_edit, name="patient_edit"),
    path("patients/<int:pk>/add/<slug:what>/", patient.patient_add, name="patient_add"),
    path("patients/<int:pk>/link/", patient.patient_link, name="patient_link"),
    path("patients/<int:pk>/audit/", patient.patient_audit, name="patient_audit"),
    path("emergency/", patient.emergency, name="emergency"),
    path("emergency/review/", patient.glass_review, name="glass_review"),
    # cases
    path("cases/<uuid:key>/", case.case_page, name="case"),
    path("cases/<uuid:key>/move/", case.move, name="move"),
    path("cases/<uuid:key>/room/", room.room, name="room"),
    path("cases/<uuid:key>/room/ticks/<slug:checklist>/", room.tick, name="tick"),
    path("cases/<uuid:key>/room/events/", room.room_event, name="room_event"),
    path("cases/<uuid:key>/room/events/<int:pk>/strike/", room.strike, name="strike"),
    path("cases/<uuid:key>/followup/", followup.followup, name="followup"),
    path("cases/<uuid:key>/tasks/<int:pk>/", followup.task_page, name="task"),
    path("cases/<uuid:key>/runs/", runs.run_list, name="runs"),
    path("cases/<uuid:key>/runs/<uuid:run>/report/", runs.report, name="run_report"),
    path("cases/<uuid:key>/rows/<slug:slug>/add/", case.row_page, name="row_add"),
    path("cases/<uuid:key>/rows/<slug:slug>/<int:pk>/", case.row_page, name="row"),
    path("cases/<uuid:key>/rows/<slug:slug>/<int:pk>/retire/", case.row_retire, name="row_retire"),
    path("cases/<uuid:key>/rows/<slug:slug>/<int:pk>/move/", case.region_move, name="region_move"),
    path("cases/<uuid:key>/<slug:slug>/", case.step_page, name="step"),
    # administration
    path("staff/", staff.staff, name="staff"),
    path("staff/<int:pk>/link/", staff.staff_link, name="staff_link"),
    path("staff/roles/<int:pk>/end/", staff.staff_end, name="staff_end"),
    path("rules/", staff.rules, name="rules"),
    path("rules/<int:site>/<slug:rule>/", staff.rule_approve, name="rule_approve"),
    # accounts
    path("account/signup/", RedirectView.as_view(pattern_name="account_login"), name="account_signup"),
    path("account/", include("allauth.account.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("account/sessions/", include("allauth.usersessions.urls")),
]
handler404 = "vertebro_clinic.web.errors.not_found"
