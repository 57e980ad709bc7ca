"""The words of the pathway: stages, events, answers. Values are stored, labels are shown."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

LEVELS = [*(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6))]
"""Thoracic and lumbar vertebrae, top to bottom: the only ones that are treated."""


class Stage(models.TextChoices):
    """Where a case stands. Only the transition table moves it."""

    REFERRED = "referred", _("Referred")
    XRAY = "xray", _("X-ray")
    MRI_SAFETY = "mri_safety", _("MRI safety")
    MRI = "mri", _("MRI")
    OTHER_IMAGING = "other_imaging", _("Bone scan or CT")
    IMAGING_REVIEW = "imaging_review", _("Imaging review")
    CONSULTATION = "consultation", _("Consultation")
    ELIGIBILITY = "eligibility", _("Eligibility")
    PROCEDURE_CHOICE = "procedure_choice", _("Choice of procedure")
    CONSENT = "consent", _("Consent")
    SCHEDULING = "scheduling", _("To be booked")
    PREPARATION = "preparation", _("Preparation")
    PRECALL = "precall", _("Call before the day")
    READY = "ready", _("Ready")
    CHECK_IN = "check_in", _("Check-in")
    SIGN_IN = "sign_in", _("Sign-in and sedation")
    TIME_OUT = "time_out", _("Time-out")
    PROCEDURE = "procedure", _("Procedure")
    PRONE = "prone", _("Lying prone")
    RECOVERY = "recovery", _("Recovery")
    ADMITTED = "admitted", _("Admitted")
    FOLLOW_UP = "follow_up", _("Follow-up")
    CLOSED = "closed", _("Closed")
    CONSERVATIVE = "conservative", _("Treated without procedure")
    URGENT = "urgent", _("Referred urgently")
    POSTPONED = "postponed", _("Postponed")
    CANCELLED = "cancelled", _("Cancelled")


class Event(models.TextChoices):
    """What moves a case from one stage to the next; the label is the button."""

    ACCEPT_REFERRAL = "accept_referral", _("Accept the referral")
    CONFIRM_FRACTURE = "confirm_fracture", _("Fracture confirmed or likely")
    CLEAR_FOR_MRI = "clear_for_mri", _("MRI is safe")
    CHOOSE_OTHER_IMAGING = "choose_other_imaging", _("Bone scan or CT instead")
    REPORT_IMAGING = "report_imaging", _("Imaging is reported")
    CONFIRM_LEVELS = "confirm_levels", _("Confirm levels")
    COMPLETE_CONSULTATION = "complete_consultation", _("Complete the consultation")
    ACCEPT_ELIGIBILITY = "accept_eligibility", _("Suitable for a procedure")
    CHOOSE_PROCEDURE = "choose_procedure", _("Confirm the procedure")
    SIGN_CONSENT = "sign_consent", _("Consent is complete")
    BOOK = "book", _("Book")
    START_PRECALL = "start_precall", _("Preparation is settled")
    COMPLETE_PRECALL = "complete_precall", _("Call is done")
    REPREPARE = "reprepare", _("Back to preparation")
    ARRIVE = "arrive", _("Patient has arrived")
    PASS_CHECK_IN = "pass_check_in", _("Check-in passed")
    RETURN_TO_RADIOLOGIST = "return_to_radiologist", _("Back to the radiologist")
    COMPLETE_SIGN_IN = "complete_sign_in", _("Sign-in complete")
    COMPLETE_TIME_OUT = "complete_time_out", _("Time-out complete")
    FINISH_PROCEDURE = "finish_procedure", _("Procedure finished")
    TURN_SUPINE = "turn_supine", _("Cement is set: turn the patient")
    DISCHARGE = "discharge", _("Discharge")
    ADMIT = "admit", _("Admit to hospital")
    CLOSE = "close", _("Close the case")
    LOOK_AGAIN = "look_again", _("Look at the imaging again")
    TREAT_CONSERVATIVELY = "treat_conservatively", _("Treat without procedure")
    REFER_URGENTLY = "refer_urgently", _("Refer urgently")
    POSTPONE = "postpone", _("Postpone")
    CANCEL = "cancel", _("Cancel")
    REBOOK = "rebook", _("Book again")
    REOPEN = "reopen", _("Reopen")


class Sex(models.TextChoices):
    """Sex as it matters for pregnancy and bone density."""

    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Not said")


class Cause(models.TextChoices):
    """How the pain began."""

    NO_EVENT = "no_event", _("It began by itself")
    MINOR = "minor", _("A small fall, cough, or lifting")
    ACCIDENT = "accident", _("A hard fall or accident")
    CANCER = "cancer", _("Known cancer in the bone")
    UNSURE = "unsure", _("Not sure")


class YesNoUnknown(models.TextChoices):
    """An answer that may be missing: unknown never counts as no."""

    YES = "yes", _("Yes")
    NO = "no", _("No")
    UNKNOWN = "unknown", _("Not known")


class Relief(models.TextChoices):
    """Whether a treatment helped."""

    NOT_TRIED = "not_tried", _("Not tried")
    NONE = "none", _("Did not help")
    SOME = "some", _("Helped a little")
    GOOD = "good", _("Helped well")
    HARMED = "harmed", _("Could not be borne")


class ImagingKind(models.TextChoices):
    """What kind of image: the imaging services that a site may offer."""

    XRAY = "xray", _("X-ray")
    MRI = "mri", _("MRI")
    BONE_SCAN = "bone_scan", _("Bone scan")
    SPECT_CT = "spect_ct", _("SPECT/CT")
    CT = "ct", _("CT")
    DXA = "dxa", _("Bone density (DXA)")
    MRA = "mra", _("MRA")
    CTA = "cta", _("CTA")
    MAMMOGRAPHY = "mammography", _("Mammography")
    FLUOROSCOPY = "fluoroscopy", _("Fluoroscopy")


class MriOutcome(models.TextChoices):
    """What the MRI safety screen came to."""

    SAFE = "safe", _("Safe")
    CLEARED = "cleared", _("Device is MR-conditional and cleared")
    ASK = "ask", _("Ask about the device first")
    UNSAFE = "unsafe", _("MRI is not possible")


class Procedure(models.TextChoices):
    """The two procedures."""

    VERTEBROPLASTY = "vertebroplasty", _("Vertebroplasty")
    KYPHOPLASTY = "kyphoplasty", _("Balloon kyphoplasty")


class Severity(models.TextChoices):
    """How strongly a finding of a rule speaks."""

    BLOCK = "block", _("Stops")
    WARN = "warn", _("Take care")
    INFO = "info", _("For information")


class Region(models.TextChoices):
    """What runs beside the main line."""

    MEDICATION_HOLD = "medication_hold", _("Medicine on hold")
    ADVERSE_EVENT = "adverse_event", _("Adverse event")
    BONE_HEALTH = "bone_health", _("Bone health")
    NEW_PAIN = "new_pain", _("New pain")


class HoldState(models.TextChoices):
    """A medicine that is stopped for the procedure."""

    PLANNED = "planned", _("Planned")
    APPROVED = "approved", _("Approved by the prescriber")
    PATIENT_TOLD = "patient_told", _("Patient told")
    HELD = "held", _("Stopped")
    RESTART_DUE = "restart_due", _("Restart due")
    RESTARTED = "restarted", _("Restarted")
    NOT_HELD = "not_held", _("Not stopped")


class AdverseState(models.TextChoices):
    """An adverse event from report to review."""

    OPEN = "open", _("Reported")
    GRADED = "graded", _("Graded")
    MANAGED = "managed", _("Managed")
    REVIEWED = "reviewed", _("Reviewed")


class BoneState(models.TextChoices):
    """Care for the bone disease behind the fracture."""

    TO_REFER = "to_refer", _("To be referred")
    REFERRED = "referred", _("Referred")
    DXA = "dxa", _("Bone density measured")
    TREATED = "treated", _("Treated")
    DECLINED = "declined", _("Declined by the patient")


class NewPainState(models.TextChoices):
    """Pain that is new after treatment."""

    REPORTED = "reported", _("Reported")
    LOOKED_AT = "looked_at", _("Being looked at")
    SETTLED = "settled", _("Settled")


class TaskKind(models.TextChoices):
    """Work that is due at a time, outside the stage itself."""

    CALL_DAY_1 = "call_day_1", _("Call after 1–2 days")
    CALL_WEEK_2 = "call_week_2", _("Call after 2 weeks")
    VISIT_WEEK_2 = "visit_week_2", _("Visit to the primary care physician at 2 weeks")
    OUTCOME_1M = "outcome_1m", _("Questionnaire at 1 month")
    OUTCOME_3M = "outcome_3m", _("Questionnaire at 3 months")
    OUTCOME_6M = "outcome_6m", _("Questionnaire at 6 months")
    OUTCOME_12M = "outcome_12m", _("Questionnaire at 12 months")
    RESTART_DRUG = "restart_drug", _("Restart a held medicine")
    REVIEW_CONSERVATIVE = "review_conservative", _("Review after treatment without procedure")
    URGENT_HANDOVER = "urgent_handover", _("Hand over urgently today")
    CLINICIAN_TODAY = "clinician_today", _("A clinician must look today")
    QUESTION = "question", _("Question from the patient")
    PRESCRIBER_APPROVAL = "prescriber_approval", _("Ask the prescriber")


class TaskOutcome(models.TextChoices):
    """How a task ended."""

    DONE = "done", _("Done")
    NOT_NEEDED = "not_needed", _("Not needed any more")
    GIVEN_UP = "given_up", _("Not reached after all attempts")


class LevelOutcome(models.TextChoices):
    """How the treatment of one level ended."""

    TREATED = "treated", _("Treated")
    ABANDONED = "abandoned", _("Not treated")


class StopReason(models.TextChoices):
    """Why the injection was stopped."""

    FILLED = "filled", _("Enough cement")
    POSTERIOR = "posterior", _("Cement at the back quarter")
    LEAK = "leak", _("Leak")
    STIFF = "stiff", _("Cement too stiff")
    PATIENT = "patient", _("Patient's condition")
    IMAGE = "image", _("Image lost")
    OTHER = "other", _("Other")


class LeakSite(models.TextChoices):
    """Where cement went outside the body (Yeom, extended)."""

    NONE = "none", _("No leak")
    DISC = "disc", _("Disc")
    PARASPINAL = "paraspinal", _("Beside the spine")
    SEGMENTAL_VEIN = "segmental_vein", _("Segmental vein")
    BASIVERTEBRAL = "basivertebral", _("Basivertebral vein, towards the canal")
    CANAL = "canal", _("Spinal canal")
    FORAMEN = "foramen", _("Foramen")
