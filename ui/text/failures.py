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


REFUSED = deferred("It was rejected before any work began, so there should be no charge.")
UNSURE = deferred("You may be charged if the backend bills failed jobs.")
OURS = deferred("The backend may have finished the work and charged for it.")

MODERATION = (
    deferred("Most backends do not charge for this. Check your account there."),
    deferred("Edit the prompt and try again."),
)
CODES = {
    "failed": (UNSURE, deferred("Retry, or edit the prompt or settings first.")),
    "refused_key": (REFUSED, deferred("Ask the administrator to check the backend's API key, then retry.")),
    "refused_quota": (REFUSED, deferred("Add credit or choose another model, then retry.")),
    "refused_input": (REFUSED, deferred("Edit the settings and try again.")),
    SAME_JOB: (
        deferred("Equal requests share one job there, so nothing more should be charged."),
        deferred("Look at the other one, or generate with a new seed."),
    ),
    "source_gone": (REFUSED, deferred("Add a starting image and generate again.")),
    "moderation": MODERATION,
    "refused_moderation": MODERATION,
    "gave_up": (
        deferred("You may still be charged. If the result arrives, it will be saved here."),
        deferred("Check now looks for a result; Retry starts a new generation."),
    ),
    "misspoke": (OURS, deferred("Check now looks for a result; Retry starts a new generation.")),
    "bug": (OURS, deferred("Check now looks for a result. See the log for details.")),
}
"""By error code: the sentence about money, and the advice."""


def explain(generation: Generation, *, free: bool = False) -> FailureText:
    code = generation.error_code if generation.error_code in CODES else "failed"
    money, advice = CODES[code]
    return FailureText(
        happened=_(FAILURES[code]),
        money=_("This model is free. No charge.") if free else _(money),
        advice=_(advice),
        backend_text="" if code == SAME_JOB else generation.error_text,
    )
