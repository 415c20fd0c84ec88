"""How a service tells that a job waits in its queue, in every form that is known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.backends.superduperai.events import EventParser
from services.core.model import JobUpdate
from services.http.address import Address
from services.http.event_stream import StreamEvent

PARSER = EventParser(Address("https://api.example", "token"))
QUEUED, NOT_TOLD = JobUpdate(code="queued", queued=True), JobUpdate()
BEGUN = JobUpdate(queued=False)


def in_line(place: int) -> JobUpdate:
    return JobUpdate(code="queued", queued=True, queue_place=place)


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ({}, NOT_TOLD),
        ({"tasks": []}, NOT_TOLD),
        ({"tasks": [{"status": "a new word"}]}, NOT_TOLD),
        ({"tasks": [{"status": "in_progress"}]}, BEGUN),
        ({"tasks": [{"status": "queued"}]}, QUEUED),
        ({"tasks": [{"status": "IN_QUEUE", "queue_position": 3}]}, in_line(3)),
        ({"tasks": [{"status": "in queue", "position": 3}]}, in_line(3)),
        ({"status": "pending"}, QUEUED),
        ({"status": "queued", "queue_position": 0}, in_line(1)),
        ({"status": "queued", "queue_position": "2"}, in_line(2)),
        ({"status": "queued", "queue_position": 2.0}, in_line(2)),
        ({"status": "queued", "progress": 0}, QUEUED),
        ({"tasks": [{"status": "in_progress"}], "queue_position": 2}, in_line(2)),
        ({"tasks": [{"status": "in_progress"}], "queue_position": 0}, BEGUN),
        ({"tasks": [{"status": "in_progress"}], "queue_position": None}, BEGUN),
        ({"tasks": [{"status": "running", "queue_position": 1}]}, BEGUN),
        ({"position": 7}, NOT_TOLD),
        ({"progress": 40}, JobUpdate(code="progress", progress=0.4, queued=False)),
        ({"progress": 0}, JobUpdate(code="progress", progress=0.0)),
    ],
)
def test_a_polled_file_tells_of_the_queue(file: dict[str, Any], told: JobUpdate) -> None:
    assert PARSER.polled(json.dumps({"id": "f1", "url": None} | file).encode(), "f1") == told


@pytest.mark.parametrize("odd", [-1, True, "third", [], {}, "9" * 5000, 10**400, 1e12])
def test_an_odd_place_leaves_a_queue_without_one(odd: object) -> None:
    body = json.dumps({"id": "f1", "status": "queued", "queue_position": odd})
    assert PARSER.polled(body.encode(), "f1") == QUEUED


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"type": "task", "object": {"id": "t1", "status": "queued", "file_id": "f1"}}, QUEUED),
        ({"type": "task", "object": {"status": "in_progress", "queue_position": 3}}, in_line(3)),
        ({"type": "task", "object": {"status": "in_progress"}}, BEGUN),
        ({"type": "task_status", "status": "QUEUED", "object": {}}, QUEUED),
        ({"type": "queued", "object": {"file_id": "f1", "position": 2}}, in_line(2)),
        ({"type": "file", "object": {"id": "f1", "url": None, "tasks": [{"status": "queued"}]}}, QUEUED),
        ({"type": "render_progress", "object": {}}, NOT_TOLD),
    ],
)
def test_an_event_tells_of_the_queue(event: dict[str, Any], told: JobUpdate) -> None:
    assert PARSER.parse(StreamEvent(data=json.dumps(event)), "f1") == told


def test_a_file_with_an_address_is_the_result_whatever_its_queue_says() -> None:
    file = {"id": "f1", "url": "https://r.example/a.mp4", "status": "queued", "queue_position": 3}
    assert PARSER.polled(json.dumps(file).encode(), "f1").code == "result"
