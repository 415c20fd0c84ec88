"""English sentences for each phase, stage and error code of a generation.

Pages translate them. The API sends them as they are; it replaces those that take for granted a page's own
controls, and so keeps its wording stable for scripts (services/api/status_messages.py).
"""

from services.core.errors import Words
from services.core.model import Phase

PHASES: dict[Phase, Words] = {
    Phase.PENDING: Words("Written down."),
    Phase.SUBMITTING: Words("Handing it to the backend."),
    Phase.UNCONFIRMED: Words("Sent, but nobody knows whether the backend took it."),
    Phase.PROCESSING: Words("The backend is working on it."),
    Phase.COLLECTING: Words("Finished over there. Bringing the file home."),
    Phase.COMPLETED: Words("Ready."),
    Phase.ERROR: Words("It failed."),
    Phase.DROPPED: Words("Stopped."),
}

UNWANTED = Words("Paid, not wanted: it arrived after it had been stopped.")

STAGES: dict[str, Words] = {
    "waiting_backend": Words("The backend cannot be reached. It will be sent as soon as it answers."),
    "queued": Words("Waiting in the backend's queue."),
    "rendering": Words("Rendering."),
    "confirming_failure": Words("The backend reports a failure. Asking once more to be sure."),
    "collecting": Words("Finished over there. Bringing the file home."),
    "delivery_retry": Words("The file did not come through whole. Fetching it again."),
    "polling_now": Words("Asking the backend now."),
    "stopping": Words("Stopping. The backend has been told."),
    "looking": Words("Looking for it at the backend."),
}
"""Known stages; any other shows its phase's sentence."""

FAILURES: dict[str, Words] = {
    "failed": Words("The backend could not make it."),
    "refused_key": Words("The backend did not accept this install's key."),
    "refused_quota": Words("The account at the backend has no credit or quota left."),
    "refused_input": Words("The backend did not accept these settings."),
    "refused_moderation": Words("The backend's content rules turned it down."),
    "moderation": Words("The backend's content rules turned it down."),
    "source_gone": Words("The picture to start from is no longer here."),
    "gave_up": Words("No result came within the time this model is watched for."),
    "misspoke": Words("The backend answered in a way that could not be understood."),
    "bug": Words("Something broke on our side while watching it."),
}
"""By error code; any other counts as "failed"."""
