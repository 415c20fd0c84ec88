"""Sentences and short labels for a generation's state. Unknown codes fall back to a plain phrase."""

from services.core.errors import Sentence
from services.core.model import QUEUED, Channel, Generation, Kind, Phase, Receipt, as_clause
from services.core.phase_messages import PHASES, STAGES, UNWANTED, stage_sentence
from services.generations.service import TypicalDuration
from ui.text import _, deferred, measure
from ui.text.errors import error_text, reason_text

SHORT = {
    Phase.PENDING: deferred("sending"),
    Phase.SUBMITTING: deferred("sending"),
    Phase.UNCONFIRMED: deferred("needs your decision"),
    Phase.PROCESSING: deferred("in progress"),
    Phase.COLLECTING: deferred("downloading"),
    Phase.COMPLETED: deferred("ready"),
    Phase.ERROR: deferred("failed"),
    Phase.DROPPED: deferred("stopped"),
}

CHANNELS = {Channel.PUSH: deferred("push"), Channel.POLL: deferred("poll")}


def message(generation: Generation) -> str:
    """Returns one sentence about the current state."""
    if not generation.final and generation.phase is not Phase.UNCONFIRMED:
        stopping = generation.stop_requested_at is not None
        outdated = generation.stage.startswith(QUEUED) and (stopping or not generation.queued)
        sentence = None if outdated else stage_sentence(generation.stage)
        if sentence is not None:
            return error_text(sentence)
        if stopping:
            return _(STAGES["stopping"])
    if generation.phase is Phase.COMPLETED and (told := problem(generation)) and not generation.unwanted:
        return told
    return _(UNWANTED if generation.unwanted else PHASES[generation.phase])


def problem(generation: Generation) -> str:
    """Returns why a kept file may not show in a browser; empty for a verified one."""
    found = generation.kept and generation.kept.problem
    if not found:
        return ""
    sentence = _("The file arrived, but this browser may not show it: {reason}")
    return sentence.format(reason=as_clause(reason_text(found.reason)))


def short(generation: Generation) -> str:
    """Returns one or two words for a card."""
    if not generation.final and generation.stop_requested_at is not None:
        return _("stopping")
    if generation.queued:
        return queued(generation.queue_place)
    if generation.phase is Phase.PENDING and generation.stage == "waiting_backend":
        return _("waiting for the backend")
    return _("arrived after stop") if generation.unwanted else _(SHORT[generation.phase])


def queued(place: int | None) -> str:
    if place is None:
        return _("queued")
    return _("queued, next") if place == 1 else _("queued, {place}").format(place=measure.ordinal(place))


def still_running(generation: Generation) -> str:
    """Returns the "taking longer" message as a lasting sentence."""
    return measure.longer_than(generation.late_after_s)


MIN_RUNS_FOR_P90 = 10
"""With fewer runs the 90th percentile means nothing."""


def estimate(typical: TypicalDuration | None) -> str:
    if typical is None:
        return _("no estimate yet")
    runs = measure.runs(typical.runs)
    if typical.runs >= MIN_RUNS_FOR_P90:
        return _("median {half}, 90th percentile {most}, {runs}").format(
            half=measure.clock_up(typical.p50_s), most=measure.clock_up(typical.p90_s), runs=runs
        )
    return _("{time}, {runs}").format(time=measure.roughly(typical.p50_s), runs=runs)


MAX_DISPLAY_LAG_S = 5.0
"""Seconds. If the result was first shown later than this after it was kept, no page was open."""


def winner_heading(receipt: Receipt) -> str:
    """Returns the winning channel for the receipt's heading."""
    return _("Push won") if receipt.won_by is Channel.PUSH else _("Poll won")


def delivery_heading(receipt: Receipt) -> str:
    """Returns the delivery time for the receipt's heading."""
    since = receipt.backend_finished_at
    if receipt.shown_at is not None and receipt.shown_at - receipt.kept_at <= MAX_DISPLAY_LAG_S:
        time = measure.exactly(receipt.shown_at - (since or receipt.backend_said_at))
        if since is not None:
            return _("shown {time} after the backend finished").format(time=time)
        return _("shown {time} after the backend reported it").format(time=time)
    time = measure.exactly(receipt.kept_at - (since or receipt.backend_said_at))
    if since is not None:
        return _("saved {time} after the backend finished").format(time=time)
    return _("saved {time} after the backend reported it").format(time=time)


def lateness(receipt: Receipt) -> str:
    """Returns the delay of an overdue result (+4:12 late); empty if it was in time."""
    return "" if receipt.late_s is None else _("+{time} late").format(time=measure.clock(receipt.late_s))


def other_channel_heading(receipt: Receipt) -> str:
    """Returns the losing channel's state for the receipt's heading."""
    if receipt.won_by is Channel.PUSH:
        more = (receipt.other_due_at or 0.0) - receipt.kept_at
        return _("poll would have needed {time} more").format(time=measure.exactly(more)) if more > 0 else ""
    if receipt.other_said in ("", "nothing"):
        return _("no push events")
    return _("last push event: {heard}").format(heard=event_kind(receipt.other_said))


EVENT_KINDS = {
    "running": deferred("still running"),
    "progress": deferred("progress"),
    "result": deferred("result"),
    "failed": deferred("a failure"),
    "ask": deferred("done"),
    "foreign": deferred("event about another job"),
    "queued": deferred("queued"),
    "connected": deferred("connected"),
    "bytes": deferred("result file"),
}


def event_kind(code: str) -> str:
    return _(EVENT_KINDS.get(code, deferred("event")))


REASONS = {
    "refused": deferred("refused"),
    "unauthorized": deferred("key rejected"),
    "silent": deferred("no data for too long"),
    "ended": deferred("closed by the backend"),
    "reset": deferred("connection reset"),
    "timeout": deferred("timed out"),
    "malformed": deferred("unreadable answer"),
    "oversize": deferred("answer too large"),
    "busy": deferred("backend busy"),
    "server_error": deferred("backend error"),
    "gone": deferred("unknown to the backend"),
    "no_content": deferred("stream ended by the backend"),
    "worn_out": deferred("scheduled reconnect"),
    "truncated": deferred("incomplete download"),
    "text_document": deferred("text page instead of the file"),
    "undecodable": deferred("unreadable file"),
    "decoder_failed": deferred("decoder crash"),
    "cut_off": deferred("incomplete file"),
    "picture": deferred("image instead of a video"),
    "film": deferred("video instead of an image"),
    "sound": deferred("sound only"),
    "archive": deferred("archive"),
    "document": deferred("PDF document"),
    "unknown": deferred("unknown file format"),
    "too_large": deferred("file too large"),
    "wrong_kind": deferred("wrong file type"),
    "address": deferred("address not allowed"),
    "not_ready": deferred("not ready yet"),
    "network": deferred("network error"),
    "disk_full": deferred("disk full"),
    "empty": deferred("empty file"),
}


def reason(code: str) -> str:
    return _(REASONS.get(code, deferred("connection lost")))


def finding_text(finding: Sentence) -> str:
    """Returns a finding in the page's language, with its reason code translated."""
    values = dict(finding.values)
    if isinstance(code := values.get("reason"), str):
        values["reason"] = reason(code)
    return error_text(Sentence(finding.sentence, **values))


def place(kind: Kind, place: tuple[int, int]) -> str:
    """Returns which of several results of one request it is."""
    text = _("video {number} of {count}") if kind is Kind.VIDEO else _("image {number} of {count}")
    return text.format(number=place[0], count=place[1])


SOURCE_NAME_LENGTH = 120
"""Characters of the prompt."""


def source_name(generation: Generation, which: tuple[int, int] | None) -> str:
    """Returns a name for the picture that is taken from it: image 2 of 4 · A kite."""
    request = generation.request
    parts = [
        place(request.kind, which) if which else "",
        _("last frame") if request.kind is Kind.VIDEO else "",
        request.prompt.strip()[:SOURCE_NAME_LENGTH],
    ]
    return " · ".join(filter(None, parts))


def settings(generation: Generation, which: tuple[int, int] | None = None) -> str:
    """Returns the line below the title: image 2 of 4 · animatic · 5 s · 16:9 · 720p · seed 48210.

    `which` of how many results of one request it is.
    """
    request = generation.request
    parts: list[str | None] = [place(request.kind, which) if which else None, request.backend]
    if generation.request.kind is Kind.VIDEO and request.settings.duration_s is not None:
        parts.append(measure.length(request.settings.duration_s))
    parts += [request.settings.aspect_ratio, request.settings.resolution]
    return " · ".join([*filter(None, parts), _("seed {seed}").format(seed=request.seed)])
