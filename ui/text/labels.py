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
    """Returns the overdue message (C4) as a lasting sentence."""
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
            return _("on the page {time} after the backend finished").format(time=time)
        return _("on the page {time} after the news came").format(time=time)
    time = measure.exactly(receipt.kept_at - (since or receipt.backend_said_at))
    if since is not None:
        return _("kept {time} after the backend finished").format(time=time)
    return _("kept {time} after the news came").format(time=time)


def lateness(receipt: Receipt) -> str:
    """Returns the delay of an overdue result (+4:12 late); empty if it was in time."""
    return "" if receipt.late_s is None else _("+{time} late").format(time=measure.clock(receipt.late_s))


def other_channel_heading(receipt: Receipt) -> str:
    """Returns the losing channel's state for the receipt's heading."""
    if receipt.won_by is Channel.PUSH:
        more = (receipt.other_due_at or 0.0) - receipt.kept_at
        return _("poll would have needed {time} more").format(time=measure.exactly(more)) if more > 0 else ""
    if receipt.other_said in ("", "nothing"):
        return _("push had said nothing")
    return _("push had last said: {heard}").format(heard=event_kind(receipt.other_said))


EVENT_KINDS = {
    "running": deferred("still running"),
    "progress": deferred("progress"),
    "result": deferred("the result"),
    "failed": deferred("a failure"),
    "ask": deferred("done, ask for it"),
    "foreign": deferred("news about another job"),
    "queued": deferred("queued"),
    "connected": deferred("connected"),
    "bytes": deferred("the result's bytes"),
}


def event_kind(code: str) -> str:
    return _(EVENT_KINDS.get(code, deferred("something new")))


REASONS = {
    "refused": deferred("refused"),
    "unauthorized": deferred("the key was not accepted"),
    "silent": deferred("silent for too long"),
    "ended": deferred("closed by the backend"),
    "reset": deferred("connection broken"),
    "timeout": deferred("no answer in time"),
    "malformed": deferred("unreadable"),
    "oversize": deferred("far too large"),
    "busy": deferred("the backend is busy"),
    "server_error": deferred("the backend has an error"),
    "gone": deferred("not known there"),
    "no_content": deferred("nothing more to say"),
    "worn_out": deferred("renewed after its planned life"),
    "truncated": deferred("the file came cut short"),
    "text_document": deferred("a text page came instead of the file"),
    "undecodable": deferred("the file could not be read"),
    "decoder_failed": deferred("the file broke the decoder"),
    "cut_off": deferred("the file's end is missing"),
    "picture": deferred("a picture came instead of a video"),
    "film": deferred("a video came instead of a picture"),
    "sound": deferred("only sound came"),
    "archive": deferred("an archive came"),
    "document": deferred("a PDF document came"),
    "unknown": deferred("the file's format is not known"),
    "too_large": deferred("the file is too large"),
    "wrong_kind": deferred("the file is of another kind"),
    "address": deferred("its address is not allowed"),
    "not_ready": deferred("not ready yet"),
    "network": deferred("network trouble"),
    "disk_full": deferred("the disk is full"),
    "empty": deferred("the file was empty"),
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
