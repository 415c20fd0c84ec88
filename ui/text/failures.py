"""What a failure means: what happened, what about the money, what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from services.core.model import Generation
from ui.text import _, deferred


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Three sentences; `theirs` is the backend's own text, plain and foreign."""

    happened: str
    money: str
    advice: str
    theirs: str


REFUSED = deferred("It was refused before any work began, so nothing should be charged.")
UNSURE = deferred("If the backend charges for jobs that fail, this one may be on its bill.")
OURS = deferred("The backend may have done its work; if it did, it may charge for it.")

MODERATION = (
    deferred("The backend's content rules turned it down."),
    deferred("Most backends do not charge for this; its own account page knows."),
    deferred("Edit the words and try again."),
)
CODES = {
    "failed": (
        deferred("The backend could not make it."),
        UNSURE,
        deferred("Retry as it is, or edit the words or settings first."),
    ),
    "refused_key": (
        deferred("The backend did not accept this install's key."),
        REFUSED,
        deferred("Check the backend's key in the settings, then retry."),
    ),
    "refused_quota": (
        deferred("The account at the backend has no credit or quota left."),
        REFUSED,
        deferred("Top it up or choose another model, then retry."),
    ),
    "refused_input": (
        deferred("The backend did not accept these settings."),
        REFUSED,
        deferred("Edit the settings and try again."),
    ),
    "source_gone": (
        deferred("The picture to start from is no longer here."),
        REFUSED,
        deferred("Edit, add a picture again, and generate."),
    ),
    "moderation": MODERATION,
    "refused_moderation": MODERATION,
    "gave_up": (
        deferred("No result came within the time this model is watched for."),
        deferred("The backend may still charge for it. If it arrives after all, it is kept here."),
        deferred("Check now asks once more; Retry starts a new one."),
    ),
    "misspoke": (
        deferred("The backend answered in a way that could not be understood."),
        OURS,
        deferred("Check now asks once more; Retry starts a new one."),
    ),
    "bug": (
        deferred("Something broke on our side while watching it."),
        OURS,
        deferred("Check now asks once more. The log has the details."),
    ),
}


def explain(generation: Generation, *, free: bool = False) -> Told:
    happened, money, advice = CODES.get(generation.error_code, CODES["failed"])
    return Told(
        happened=_(happened),
        money=_("This model is free: it cost nothing.") if free else _(money),
        advice=_(advice),
        theirs=generation.error_text,
    )
