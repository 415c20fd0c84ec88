"""Explains a failure: what happened, whether it is charged, what to do next."""

from dataclasses import dataclass

from services.core.job_results import SAME_JOB
from services.core.model import Generation
from services.core.phase_messages import FAILURES
from ui.text import _, deferred


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureText:
    """Three sentences; `backend_text` is the backend's own, untranslated and untrusted."""

    happened: str
    money: str
    advice: str
    backend_text: str


REFUSED = deferred("It was refused before any work began, so nothing should be charged.")
UNSURE = deferred("If the backend charges for jobs that fail, this one may be on its bill.")
OURS = deferred("The backend may have done its work; if it did, it may charge for it.")

MODERATION = (
    deferred("Most backends do not charge for this; its own account page knows."),
    deferred("Edit the words and try again."),
)
CODES = {
    "failed": (UNSURE, deferred("Retry as it is, or edit the words or settings first.")),
    "refused_key": (REFUSED, deferred("Check the backend's key in the settings, then retry.")),
    "refused_quota": (REFUSED, deferred("Top it up or choose another model, then retry.")),
    "refused_input": (REFUSED, deferred("Edit the settings and try again.")),
    SAME_JOB: (
        deferred("Equal requests share one job there, so nothing more should be charged."),
        deferred("Look at the other one, or generate with a new seed."),
    ),
    "source_gone": (REFUSED, deferred("Edit, add a picture again, and generate.")),
    "moderation": MODERATION,
    "refused_moderation": MODERATION,
    "gave_up": (
        deferred("The backend may still charge for it. If it arrives after all, it is kept here."),
        deferred("Check now asks once more; Retry starts a new one."),
    ),
    "misspoke": (OURS, deferred("Check now asks once more; Retry starts a new one.")),
    "bug": (OURS, deferred("Check now asks once more. The log has the details.")),
}
"""By error code: the sentence about money, and the advice."""


def explain(generation: Generation, *, free: bool = False) -> FailureText:
    code = generation.error_code if generation.error_code in CODES else "failed"
    money, advice = CODES[code]
    return FailureText(
        happened=_(FAILURES[code]),
        money=_("This model is free: it cost nothing.") if free else _(money),
        advice=_(advice),
        backend_text="" if code == SAME_JOB else generation.error_text,
    )
