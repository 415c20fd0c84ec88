"""Parses the file object and the events of its stream."""

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
from services.core.job_results import MAX_RESULTS, extra_result_id
from services.core.model import Failure, JobUpdate, Result
from services.http.address import Address
from services.http.event_stream import StreamEvent

KNOWN_TYPES = frozenset({"file", "render_progress", "render_result", "task", "task_status", "error"})
"""An event of these types that names no file is about the job of its stream."""
RESULT_LISTS = ("files", "urls", "results", "outputs", "output", "images", "videos")
"""Names under which a file object may list several results."""
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
        file = _parsed(body, "The answer", job_id=job_id)
        if an_id(file.get("id")) not in ("", job_id):
            raise _malformed("The answer is about another job.")
        return self._state(file, job_id)

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
        return self._update(kind, message, about, job_id)

    def _update(self, kind: str, message: Wire, about: Wire, job_id: str) -> JobUpdate:
        if kind == "error":
            reason = message.get("error") or message.get("object")
            return self._failed(a_text(reason) or _error_text(about))
        if kind in TASK_TYPES and _status(about, message) == "error":
            return self._failed(_error_text(about))
        update = self._state(about, job_id, event=message, kind=kind)
        if update.outcome is None and _is_done(kind, message, about):
            return ASK
        return update

    def _state(self, file: Wire, job_id: str, *, event: Wire | None = None, kind: str = "") -> JobUpdate:
        """One file object, polled or pushed; unknown statuses count as running."""
        url, *others = _addresses(file)
        if url:
            result = Result(
                url=self._absolute(url),
                extra_results=self._extra_results(job_id, others),
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

    def _extra_results(self, job_id: str, urls: list[str]) -> tuple[tuple[str, str], ...]:
        numbered = enumerate(urls[: MAX_RESULTS - 1], start=1)
        return tuple(
            (extra_result_id(job_id, number), url and self._absolute(url)) for number, url in numbered
        )

    def _absolute(self, url: str) -> str:
        try:
            return urljoin(f"{self._address.url}/", url)
        except ValueError as error:
            raise _malformed("The result's address cannot be read.") from error

    def _failed(self, reason: str) -> JobUpdate:
        text = one_line(reason, without=[self._address.token]) or "The backend gives no reason."
        return JobUpdate(code="failed", outcome=Failure(text=text))


def _addresses(file: Wire) -> list[str]:
    """Of all its results, the first one first; empty where one is not known yet.

    A file's own address counts once, also where the list repeats it with another signature. The
    pictures of a video are its previews.
    """
    own = first_text(file, "url", "file_url")
    is_video = a_text(file.get("type")) == "video"
    names = [name for name in RESULT_LISTS if not (is_video and name == "images")]
    listed = next((found for name in names if (found := _listed_addresses(file.get(name)))), [])
    if not own:
        return listed or [""]
    same = own if own in listed else next((url for url in listed if _unsigned(url) == _unsigned(own)), None)
    if same is not None:
        listed.remove(same)
    return [own, *listed]


def _listed_addresses(value: object) -> list[str]:
    """Of a list of addresses, or of objects that name one; in the list's order."""
    items = value if isinstance(value, list) else []
    return [
        first_text(each, "url", "file_url") if isinstance(each, dict) else a_text(each)
        for each in items
        if isinstance(each, dict | str)
    ]


def _unsigned(url: str) -> str:
    return url.partition("?")[0]


def _of_job(files: list[Any], job_id: str) -> Wire:
    """A list of files as one: the job's own, with those that have no id of their own as extra results."""
    own = [file for file in objects(files) if an_id(file.get("id")) in ("", job_id)]
    own.sort(key=lambda file: not an_id(file.get("id")))
    return own[0] | {"files": own} if len(own) > 1 else own[0] if own else {"id": "another"}


def _parsed(body: bytes | str | None, subject: str, *, job_id: str | None = None) -> Wire:
    """With a `job_id` a list of files is taken too."""
    try:
        parsed = read_json(body)
    except ValueError as error:
        raise _malformed(f"{subject} cannot be read.") from error
    if isinstance(parsed, list) and job_id is not None and objects(parsed):
        parsed = _of_job(parsed, job_id)
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
