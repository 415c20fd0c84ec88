"""Reads from a file object or an event whether its job waits in the service's queue."""

from typing import Any

from services.backends.lenient_json import a_number, a_text

Wire = dict[str, Any]

QUEUED = frozenset({"queued", "queue", "in_queue", "enqueued", "pending", "waiting", "scheduled"})
STARTED = frozenset({"started", "running", "working", "processing", "rendering", "generating"})
UNFINISHED = "in_progress"
"""Documented for jobs in the queue and for those in work alike: with a place the job is in the queue."""
PLACES = ("queue_position", "position_in_queue", "queue_place")
MAX_PLACE = 1_000_000


def queue_state(*reports: Wire, kind: str = "") -> tuple[bool | None, int | None]:
    """Whether it waits, and its place (1 is next); None where the service tells neither.

    `reports` are the file, its tasks, the event; `kind` is the event's type.
    """
    words = {_word(a_text(report.get("status"))) for report in reports} | {_word(kind)}
    says_queued = bool(words & QUEUED)
    if words & STARTED:
        return False, None
    names = (*PLACES, "position") if says_queued else PLACES
    places = (_place(report.get(name)) for report in reports for name in names)
    place = next((found for found in places if found is not None), None)
    if says_queued:
        return True, None if place is None else max(1, place)
    if UNFINISHED in words:
        return (True, place) if place else (False, None)
    return None, None


def _word(status: str) -> str:
    return status.lower().replace("-", "_").replace(" ", "_")


def _place(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 8:
        value = int(value)
    number = a_number(value)
    return int(number) if number is not None and 0 <= number <= MAX_PLACE else None
