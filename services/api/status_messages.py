"""One plain sentence for where a generation stands, for scripts; the pages have their own words."""

from __future__ import annotations

from services.core.model import Generation, Kind, Phase

NOUNS = {Kind.VIDEO: "video", Kind.IMAGE: "image"}
PHASES = {
    Phase.PENDING: "Waiting to be sent.",
    Phase.SUBMITTING: "Being sent to the backend.",
    Phase.UNCONFIRMED: "Nobody knows whether the backend took it: check it, submit it again, or stop it.",
    Phase.PROCESSING: "The {noun} is being made.",
    Phase.COLLECTING: "The {noun} is ready and is being fetched.",
    Phase.COMPLETED: "The {noun} is ready.",
    Phase.ERROR: "The {noun} could not be made.",
    Phase.DROPPED: "Stopped.",
}
UNWANTED = "The {noun} arrived after it had been stopped: keep it, or delete it."
STAGES = {
    "queued": "Waiting in the backend's queue.",
    "rendering": "The {noun} is being made.",
    "confirming_failure": "The backend reported a failure; it is being asked again.",
    "waiting_backend": "Waiting for the backend, which takes nothing at the moment.",
}
"""The known codes; any other leaves the phase's own sentence."""
FAILURES = {
    "gave_up": "No result came within the time this model is watched for; check it to ask once more.",
    "refused_key": "The backend did not accept this install's key.",
    "refused_quota": "The account at the backend has no credit or quota left.",
    "refused_input": "The backend did not accept these settings.",
    "refused_moderation": "The backend's content rules turned it down.",
    "moderation": "The backend's content rules turned it down.",
}
"""For a failure that came without words of its own."""


def message_of(generation: Generation) -> str:
    phase = generation.phase
    if phase is Phase.ERROR and generation.error_text:
        return generation.error_text
    if phase is Phase.ERROR and generation.error_code in FAILURES:
        return FAILURES[generation.error_code]
    if not generation.final and generation.stop_requested_at is not None:
        return "Being stopped."
    if phase is not Phase.UNCONFIRMED and not generation.final and generation.late_since is not None:
        return f"Taking longer than {_span(generation.late_after_s)}. You can leave, it will arrive here."
    sentence = UNWANTED if generation.unwanted else PHASES[phase]
    if phase in (Phase.PENDING, Phase.PROCESSING):
        sentence = STAGES.get(generation.stage, sentence)
    return sentence.format(noun=NOUNS[generation.request.kind])


def failure_of(generation: Generation) -> str | None:
    """Why there is no result, or None while there may be one."""
    if generation.phase in (Phase.ERROR, Phase.DROPPED):
        return message_of(generation)
    return None


def _span(seconds: float) -> str:
    amount, unit = (seconds / 60, "minute") if seconds >= 60 else (seconds, "second")
    return f"{amount:g} {unit}{'' if amount == 1 else 's'}"
