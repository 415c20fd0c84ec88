"""One plain sentence for a generation's state, for scripts; the pages have their own."""

from services.core import phase_messages
from services.core.job_results import SAME_JOB
from services.core.model import Generation, Phase

PHASES: dict[Phase, str] = {
    **phase_messages.PHASES,
    Phase.PENDING: "Waiting to be sent.",
    Phase.SUBMITTING: "Being sent to the backend.",
    Phase.UNCONFIRMED: "Nobody knows whether the backend took it: check it, submit it again, or stop it.",
    Phase.PROCESSING: "The {noun} is being made.",
    Phase.COLLECTING: "The {noun} is ready and is being fetched.",
    Phase.COMPLETED: "The {noun} is ready.",
    Phase.ERROR: "The {noun} could not be made.",
}
"""Where they differ from the pages' sentences, they name the noun, or the requests that help."""
UNWANTED = "The {noun} arrived after it had been stopped: keep it, or delete it."
STAGES: dict[str, str] = {
    "rendering": "The {noun} is being made.",
    "confirming_failure": "The backend reported a failure; it is being asked again.",
    "waiting_backend": "Waiting for the backend, which takes nothing at the moment.",
}
"""A stage of the delivery has its common sentence; any other leaves the phase's own sentence."""
SAME_JOB_AS = "It is the same job as {other}: the backend made nothing new. Retry it with a new seed."
REFUSALS = ("refused_key", "refused_quota", "refused_input", "refused_moderation", "moderation")
FAILURES: dict[str, str] = {
    "gave_up": "No result came within the time this model is watched for; check it to ask once more.",
    **{code: phase_messages.FAILURES[code] for code in REFUSALS},
}
"""For a failure without a text of its own; any other code leaves the phase's sentence."""


def message_of(generation: Generation) -> str:
    phase = generation.phase
    if phase is Phase.ERROR and generation.error_code == SAME_JOB:
        return SAME_JOB_AS.format(other=generation.error_text or "one that was removed")
    if phase is Phase.ERROR and generation.error_text:
        return generation.error_text
    if phase is Phase.ERROR and generation.error_code in FAILURES:
        return str(FAILURES[generation.error_code])
    if not generation.final and generation.stop_requested_at is not None:
        return "Being stopped."
    if not generation.final and generation.stage.startswith("delivery_"):
        return str(phase_messages.stage_sentence(generation.stage) or PHASES[phase])
    if generation.kept is not None and generation.kept.problem is not None and not generation.unwanted:
        return str(generation.kept.problem)
    if phase is not Phase.UNCONFIRMED and not generation.final and generation.late_since is not None:
        return f"Taking longer than {_span(generation.late_after_s)}. You can leave, it will arrive here."
    sentence = UNWANTED if generation.unwanted else PHASES[phase]
    if generation.queued:
        return str(phase_messages.stage_sentence(generation.stage))
    if phase in (Phase.PENDING, Phase.PROCESSING):
        sentence = STAGES.get(generation.stage, sentence)
    return sentence.format(noun=generation.request.kind)


def _span(seconds: float) -> str:
    amount, unit = (seconds / 60, "minute") if seconds >= 60 else (seconds, "second")
    return f"{amount:g} {unit}{'' if amount == 1 else 's'}"
