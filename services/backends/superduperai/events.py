"""Parses the file object and the events of its stream (C5)."""

from typing import Any
from urllib.parse import urljoin

from services.backends.lenient_json import (
    a_fraction,
    a_text,
    a_timestamp,
    an_id,
    an_object,
    first_text,
    objects,
    one_line,
    read_json,
)
from services.backends.superduperai.queue import queue_state
from services.core.errors import ChannelLost
from services.core.model import Failure, JobUpdate, Result
from services.http.address import Address
from services.http.event_stream import StreamEvent

KNOWN_TYPES = frozenset({"file", "render_progress", "render_result", "task", "task_status", "error"})
"""An event of these types that names no file is about the job of its stream."""
TASK_TYPES = frozenset({"task", "task_status"})
"""In these `object.id` is the task's."""

ASK = JobUpdate(code="ask", poll_now=True)
FOREIGN = JobUpdate(code="foreign", foreign=True)

Wire = dict[str, Any]


class EventParser:
    def __init__(self, address: Address) -> None:
        self._address = address

    def polled(self, body: bytes | None, job_id: str) -> JobUpdate:
        """Raises ChannelLost, also for an answer about another job: a cache or proxy mixed up two answers."""
        file = _parsed(body, "The answer")
        if an_id(file.get("id")) not in ("", job_id):
            raise _malformed("The answer is about another job.")
        return self._state(file)

    def parse(self, event: StreamEvent, job_id: str) -> JobUpdate:
        """An event about any other job is foreign: it does not make the stream healthy (R7).

        Raises ChannelLost for an event that cannot be read.
        """
        if event.data.strip() == "[DONE]":
            return FOREIGN
        message = _parsed(event.data, "An event of the stream")
        kind = (a_text(message.get("type")) or event.type).lower()
        about = _object(message.get("object"))
        mine = _is_mine(job_id, kind, message, about)
        if mine is False or (mine is None and kind not in KNOWN_TYPES):
            return FOREIGN
        return self._update(kind, message, about)

    def _update(self, kind: str, message: Wire, about: Wire) -> JobUpdate:
        if kind == "error":
            reason = message.get("error") or message.get("object")
            return self._failed(a_text(reason) or _error_text(about))
        if kind in TASK_TYPES and _status(about, message) == "error":
            return self._failed(_error_text(about))
        update = self._state(about, event=message, kind=kind)
        if update.outcome is None and _is_done(kind, message, about):
            return ASK
        return update

    def _state(self, file: Wire, *, event: Wire | None = None, kind: str = "") -> JobUpdate:
        """One file object, polled or pushed; unknown statuses count as running."""
        if url := first_text(file, "url", "file_url"):
            result = Result(
                url=self._absolute(url),
                finished_at=a_timestamp(file.get("completed_at")) or a_timestamp(file.get("finished_at")),
            )
            return JobUpdate(code="result", outcome=result)
        tasks = objects(file.get("tasks"))
        for task in tasks:
            if _status(task) == "error":
                return self._failed(_error_text(task) or _error_text(file))
        queued, place = queue_state(file, *tasks, event or {}, kind=kind)
        if queued:
            return JobUpdate(code="queued", queued=True, queue_place=place)
        progress = a_fraction(file.get("progress"))
        if progress is None:
            return JobUpdate(queued=queued)
        return JobUpdate(code="progress", progress=progress, queued=False if progress > 0 else queued)

    def _absolute(self, url: str) -> str:
        try:
            return urljoin(f"{self._address.url}/", url)
        except ValueError as error:
            raise _malformed("The result's address cannot be read.") from error

    def _failed(self, reason: str) -> JobUpdate:
        text = one_line(reason, without=[self._address.token]) or "The backend gives no reason."
        return JobUpdate(code="failed", outcome=Failure(text=text))


def _parsed(body: bytes | str | None, subject: str) -> Wire:
    try:
        parsed = read_json(body)
    except ValueError as error:
        raise _malformed(f"{subject} cannot be read.") from error
    if not isinstance(parsed, dict):
        raise _malformed(f"{subject} is not an object.")
    return parsed


def _object(value: object) -> Wire:
    """`object` is an object or a string; the string may hold one."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = read_json(value)
        except ValueError:
            return {}
    return an_object(value)


def _is_mine(job_id: str, kind: str, message: Wire, about: Wire) -> bool | None:
    """None: it names no file. A `file_id` counts before an `id`, which may be the task's."""
    named = [about.get("file_id"), message.get("file_id")]
    if not any(an_id(each) for each in named) and kind not in TASK_TYPES:
        named = [about.get("id"), message.get("id")]
    ids = [found for each in named if (found := an_id(each))]
    return job_id in ids if ids else None


def _is_done(kind: str, message: Wire, about: Wire) -> bool:
    """Whether an event without a result's address reports the end."""
    if kind in TASK_TYPES:
        return _status(about, message) == "completed"
    tasks = objects(about.get("tasks"))
    return kind == "render_result" or (kind == "file" and any(_status(task) == "completed" for task in tasks))


def _status(*places: Wire) -> str:
    return next((status.lower() for place in places if (status := a_text(place.get("status")))), "")


def _error_text(place: Wire) -> str:
    return first_text(place, "error", "error_message", "message")


def _malformed(sentence: str) -> ChannelLost:
    return ChannelLost(sentence, reason="malformed")
