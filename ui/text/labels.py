"""What goes on with a generation, in sentences. Unknown codes fall back to a plain phrase."""

from __future__ import annotations

from services.core.errors import Sentence
from services.core.model import Channel, Generation, Kind, Phase, Receipt
from services.generations.service import TypicalDuration
from ui.text import _, deferred, measure
from ui.text.errors import told

PHASES = {
    Phase.PENDING: deferred("Written down."),
    Phase.SUBMITTING: deferred("Handing it to the backend."),
    Phase.UNCONFIRMED: deferred("Sent, but nobody knows whether the backend took it."),
    Phase.PROCESSING: deferred("The backend is working on it."),
    Phase.COLLECTING: deferred("Finished over there. Bringing the file home."),
    Phase.COMPLETED: deferred("Ready."),
    Phase.ERROR: deferred("It failed."),
    Phase.DROPPED: deferred("Stopped."),
}

UNWANTED = deferred("Paid, not wanted: it arrived after it had been stopped.")

STAGES = {
    "waiting_backend": deferred("The backend cannot be reached. It will be sent as soon as it answers."),
    "queued": deferred("Waiting in the backend's queue."),
    "rendering": deferred("Rendering."),
    "confirming_failure": deferred("The backend reports a failure. Asking once more to be sure."),
    "collecting": deferred("Finished over there. Bringing the file home."),
    "delivery_retry": deferred("The file did not come through whole. Fetching it again."),
    "polling_now": deferred("Asking the backend now."),
    "stopping": deferred("Stopping. The backend has been told."),
    "looking": deferred("Looking for it at the backend."),
}

SHORT = {
    Phase.PENDING: deferred("sending"),
    Phase.SUBMITTING: deferred("sending"),
    Phase.UNCONFIRMED: deferred("needs you"),
    Phase.PROCESSING: deferred("working"),
    Phase.COLLECTING: deferred("bringing it home"),
    Phase.COMPLETED: deferred("ready"),
    Phase.ERROR: deferred("failed"),
    Phase.DROPPED: deferred("stopped"),
}

CHANNELS = {Channel.PUSH: deferred("push"), Channel.POLL: deferred("poll")}


def message(generation: Generation) -> str:
    """One sentence about now."""
    if not generation.final and generation.phase is not Phase.UNCONFIRMED:
        if sentence := STAGES.get(generation.stage):
            return _(sentence)
        if generation.stop_requested_at is not None:
            return _(STAGES["stopping"])
    return _(UNWANTED if generation.unwanted else PHASES[generation.phase])


def short(generation: Generation) -> str:
    """A word or two for a card."""
    if not generation.final and generation.stop_requested_at is not None:
        return _("stopping")
    if generation.phase is Phase.PROCESSING and generation.stage == "queued":
        return _("queued")
    if generation.phase is Phase.PENDING and generation.stage == "waiting_backend":
        return _("waiting for the backend")
    return _("not wanted") if generation.unwanted else _(SHORT[generation.phase])


def still_running(generation: Generation) -> str:
    """The message of C4, as a standing sentence."""
    return measure.longer_than(generation.late_after_s)


ENOUGH_RUNS = 10
"""Fewer say nothing about the slowest tenth."""


def estimate(typical: TypicalDuration | None) -> str:
    if typical is None:
        return _("no estimate yet")
    runs = measure.runs(typical.runs)
    if typical.runs >= ENOUGH_RUNS:
        return _("half were done by {half}, nine of ten by {most}, {runs}").format(
            half=measure.clock_up(typical.p50_s), most=measure.clock_up(typical.p90_s), runs=runs
        )
    return _("{time}, {runs}").format(time=measure.roughly(typical.p50_s), runs=runs)


def percent(progress: float | None) -> int | None:
    """What the screen shows; 100 is kept for what is in hand."""
    return None if progress is None else max(0, min(99, int(progress * 100)))


WATCHED_S = 5.0
"""First shown later than this after it was kept: no page was open, and its own address tells when."""


def won(receipt: Receipt) -> str:
    """The receipt's heading: who won."""
    return _("Push won") if receipt.won_by is Channel.PUSH else _("Poll won")


def delivered(receipt: Receipt) -> str:
    """The receipt's heading: how fast."""
    since = receipt.backend_finished_at
    if receipt.shown_at is not None and receipt.shown_at - receipt.kept_at <= WATCHED_S:
        time = measure.exactly(receipt.shown_at - (since or receipt.backend_said_at))
        if since is not None:
            return _("on the page {time} after the backend finished").format(time=time)
        return _("on the page {time} after the news came").format(time=time)
    time = measure.exactly(receipt.kept_at - (since or receipt.backend_said_at))
    if since is not None:
        return _("kept {time} after the backend finished").format(time=time)
    return _("kept {time} after the news came").format(time=time)


def lateness(receipt: Receipt) -> str:
    """How late it came, where it did: +4:12 late."""
    return "" if receipt.late_s is None else _("+{time} late").format(time=measure.clock(receipt.late_s))


def other(receipt: Receipt) -> str:
    """The receipt's heading: what the channel that lost would have needed, or was doing."""
    if receipt.won_by is Channel.PUSH:
        more = (receipt.other_due_at or 0.0) - receipt.kept_at
        return _("poll would have needed {time} more").format(time=measure.exactly(more)) if more > 0 else ""
    if receipt.other_said in ("", "nothing"):
        return _("push had said nothing")
    return _("push had last said: {heard}").format(heard=heard(receipt.other_said))


HEARD = {
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


def heard(code: str) -> str:
    return _(HEARD.get(code, deferred("something new")))


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
    "undecodable": deferred("the file could not be read"),
    "too_large": deferred("the file is too large"),
    "wrong_kind": deferred("the file is of another kind"),
    "address": deferred("its address is not allowed"),
    "network": deferred("network trouble"),
    "disk_full": deferred("the disk is full"),
    "empty": deferred("the file was empty"),
}


def reason(code: str) -> str:
    return _(REASONS.get(code, deferred("connection lost")))


def sentence(said: Sentence) -> str:
    """What a service found, with its codes in words."""
    values = dict(said.values)
    if isinstance(code := values.get("reason"), str):
        values["reason"] = reason(code)
    return told(Sentence(said.sentence, **values))


def settings(generation: Generation) -> str:
    """The line under the title: animatic · 5 s · 16:9 · 720p · seed 48210."""
    request = generation.request
    parts: list[str | None] = [request.backend]
    if generation.request.kind is Kind.VIDEO and request.settings.duration_s is not None:
        parts.append(measure.length(request.settings.duration_s))
    parts += [request.settings.aspect_ratio, request.settings.resolution]
    return " · ".join([*filter(None, parts), _("seed {seed}").format(seed=request.seed)])
