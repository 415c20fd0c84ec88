"""English sentences for each phase, stage and error code of a generation.

Pages translate them. The API sends them as they are; it replaces those that take for granted a page's own
controls, and so keeps its wording stable for scripts (services/api/status_messages.py).
"""

from services.core.errors import Sentence, Words
from services.core.job_results import SAME_JOB
from services.core.model import Phase
from services.core.ordinal import Ordinal

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
    "delivery_retry": Words("The file could not be fetched. Trying again."),
    "delivery_truncated": Words("The file came cut short. Fetching it again."),
    "delivery_empty": Words("The file came empty. Fetching it again."),
    "delivery_text_document": Words("A text page came instead of the file. Asking for the file again."),
    "delivery_refused": Words("The file's server refused the download. Asking for a fresh link."),
    "delivery_network": Words("The file's server cannot be reached. Trying again."),
    "delivery_timeout": Words("The file's server is too slow. Trying again."),
    "delivery_address": Words("The file's address is not allowed here. Asking for another one."),
    "delivery_private": Words(
        "The file is on a private host. To fetch it, add that host to RUSHES_RESULT_ORIGINS and restart."
    ),
    "delivery_not_ready": Words("The file's server is still preparing the file. Asking again."),
    "delivery_disk_full": Words("The file cannot be written: check the data folder's disk. Trying again."),
    "delivery_undecodable": Words("The file came in an encoding that cannot be read. Trying again."),
    "delivery_too_large": Words(
        "The file has {size}, and this install takes at most {limit} (RUSHES_RESULT_LIMIT_MB). "
        "With a higher limit it is fetched after a restart."
    ),
    "delivery_held": Words("The file arrived and is kept. {problem} Fetching it once more to compare."),
    "polling_now": Words("Asking the backend now."),
    "stopping": Words("Stopping. The backend has been told."),
    "looking": Words("Looking for it at the backend."),
}
"""Known stages; any other shows its phase's sentence. What follows a stage's colon fills in its values."""

NEXT_IN_LINE = Words("Queued, next in line.")
IN_LINE = Words("Queued, {place} in line.")

PROBLEMS: dict[str, Words] = {
    "cut_off": Words("The file is cut off: its end is missing."),
    "undecodable": Words("The file cannot be decoded."),
    "decoder_failed": Words("The file broke the decoder."),
    "picture": Words("A picture came instead of a video."),
    "film": Words("A video came instead of a picture."),
    "sound": Words("Only sound came, without a picture."),
    "archive": Words("An archive came, as a ZIP file is."),
    "document": Words("A PDF document came."),
    "unknown": Words("The format of the file is not known."),
}
"""Why a file that came whole could not be verified, by the code of its `Problem`."""


def stage_sentence(stage: str) -> Sentence | None:
    """None for an unknown stage."""
    code, *details = stage.split(":")
    words = STAGES.get(code)
    if words is None:
        return None
    match code, details:
        case "queued", ["1"]:
            return Sentence(NEXT_IN_LINE)
        case "queued", [place]:
            return Sentence(IN_LINE, place=Ordinal(place))
        case "delivery_held", [problem]:
            return Sentence(words, problem=PROBLEMS.get(problem, PROBLEMS["undecodable"]))
        case "delivery_too_large", [size_mb, limit_mb]:
            return Sentence(words, size=f"{size_mb} MB", limit=f"{limit_mb} MB")
        case (("delivery_held" | "delivery_too_large"), _):
            return Sentence(STAGES["delivery_retry"])
    return Sentence(words)


FAILURES: dict[str, Words] = {
    "failed": Words("The backend could not make it."),
    "refused_key": Words("The backend did not accept this install's key."),
    "refused_quota": Words("The account at the backend has no credit or quota left."),
    "refused_input": Words("The backend did not accept these settings."),
    "refused_moderation": Words("The backend's content rules turned it down."),
    "moderation": Words("The backend's content rules turned it down."),
    SAME_JOB: Words("The same job as an earlier one: the backend made nothing new."),
    "source_gone": Words("The picture to start from is no longer here."),
    "gave_up": Words("No result came within the time this model is watched for."),
    "misspoke": Words("The backend answered in a way that could not be understood."),
    "bug": Words("Something broke on our side while watching it."),
}
"""By error code; any other counts as "failed"."""
