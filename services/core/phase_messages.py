"""English sentences for each phase, stage and error code of a generation.

Pages translate them. The API sends them as they are; it replaces those that take for granted a page's own
controls, and so keeps its wording stable for scripts (services/api/status_messages.py).
"""

from services.core.errors import Sentence, Words
from services.core.job_results import SAME_JOB
from services.core.model import Phase
from services.core.ordinal import Ordinal

PHASES: dict[Phase, Words] = {
    Phase.PENDING: Words("Saved. Sending next."),
    Phase.SUBMITTING: Words("Sending to the backend."),
    Phase.UNCONFIRMED: Words("Sent, but not confirmed by the backend."),
    Phase.PROCESSING: Words("Generating."),
    Phase.COLLECTING: Words("Finished. Downloading …"),
    Phase.COMPLETED: Words("Ready."),
    Phase.ERROR: Words("Failed."),
    Phase.DROPPED: Words("Stopped."),
}

UNWANTED = Words("Arrived after it was stopped. You may have been charged for it.")

STAGES: dict[str, Words] = {
    "waiting_backend": Words("The backend is unavailable. Your request will be sent when it responds."),
    "queued": Words("Queued at the backend."),
    "rendering": Words("Rendering."),
    "confirming_failure": Words("The backend reported a failure. Checking again to confirm."),
    "collecting": Words("Finished. Downloading …"),
    "delivery_retry": Words("The download failed. Trying again."),
    "delivery_truncated": Words("The download was incomplete. Trying again."),
    "delivery_empty": Words("The downloaded file was empty. Trying again."),
    "delivery_text_document": Words("A text page arrived instead of the file. Trying again."),
    "delivery_refused": Words("The file server refused the download. Requesting a new link."),
    "delivery_network": Words("The file server is unavailable. Trying again."),
    "delivery_timeout": Words("The file server timed out. Trying again."),
    "delivery_address": Words("The file's address is not allowed. Requesting another one."),
    "delivery_private": Words(
        "The file is on a private host. To download it, add the host to RUSHES_RESULT_ORIGINS and restart."
    ),
    "delivery_not_ready": Words("The file server is still preparing the file. Trying again."),
    "delivery_disk_full": Words("The file could not be saved. Check the data folder's disk. Trying again."),
    "delivery_undecodable": Words("The file's encoding could not be read. Trying again."),
    "delivery_too_large": Words(
        "The file is {size}; the limit is {limit} (RUSHES_RESULT_LIMIT_MB). Raise the limit and "
        "restart to download it."
    ),
    "delivery_held": Words("The file arrived and is saved. {problem} Downloading it again to compare."),
    "polling_now": Words("Checking with the backend."),
    "stopping": Words("Stopping."),
    "looking": Words("Searching at the backend."),
}
"""Known stages; any other shows its phase's sentence. What follows a stage's colon fills in its values."""

NEXT_IN_LINE = Words("Queued, next in line.")
IN_LINE = Words("Queued, {place} in line.")

PROBLEMS: dict[str, Words] = {
    "cut_off": Words("The file is incomplete: its end is missing."),
    "undecodable": Words("The file cannot be decoded."),
    "decoder_failed": Words("The file crashed the decoder."),
    "picture": Words("The file is an image, not a video."),
    "film": Words("The file is a video, not an image."),
    "sound": Words("The file has sound only, no picture."),
    "archive": Words("The file is an archive (such as ZIP)."),
    "document": Words("The file is a PDF document."),
    "unknown": Words("The file format is unknown."),
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
    "failed": Words("The backend could not complete the request."),
    "refused_key": Words("The backend rejected the API key."),
    "refused_quota": Words("The backend account has no credit or quota left."),
    "refused_input": Words("The backend rejected these settings."),
    "refused_moderation": Words("The backend's content policy rejected the request."),
    "moderation": Words("The backend's content policy rejected the request."),
    SAME_JOB: Words("The same job as an earlier one: the backend made nothing new."),
    "source_gone": Words("The starting image is no longer available."),
    "gave_up": Words("No result arrived within this model's time limit."),
    "misspoke": Words("The backend's answer could not be read."),
    "bug": Words("An error occurred in Rushes."),
}
"""By error code; any other counts as "failed"."""
