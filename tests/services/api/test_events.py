"""GET /api/events/file.{id} over a real socket: event by event, to the end, and not longer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.api import events
from services.core.model import Phase
from tests.services.api.stand_in import StandIn, generation, serving

Event = tuple[str | None, dict[str, Any]]


class Listener:
    """Reads one stream; an event is the id and the JSON. Knows nothing of our own parser."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def event(self) -> Event | None:
        """None at the end of the stream."""
        async with asyncio.timeout(5):
            event_id, data = None, ""
            async for line in self._lines:
                if line.startswith("id: "):
                    event_id = line[4:]
                elif line.startswith("data: "):
                    data += line[6:]
                elif not line and data:
                    return event_id, json.loads(data)
            return None

    async def all(self) -> list[Event]:
        events = []
        while (event := await self.event()) is not None:
            events.append(event)
        return events


@pytest_asyncio.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    async with serving(app) as (address, _):
        yield address


@asynccontextmanager
async def listening(address: str, seen: str | None = None) -> AsyncIterator[Listener]:
    headers = {} if seen is None else {"Last-Event-ID": seen}
    async with (
        httpx.AsyncClient(trust_env=False, timeout=5) as client,
        client.stream("GET", f"http://{address}/api/events/file.gen-0", headers=headers) as response,
    ):
        yield Listener(response)


def listeners(stand_in: StandIn) -> int:
    return len(stand_in.bus._events._listeners.get("gen-0", {}))


async def until(true: Any) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.01)


def summary(event: Event | None) -> tuple[str, Any]:
    """The event's type, and what of it changes."""
    assert event is not None
    kind, thing = event[1]["type"], event[1].get("object", {})
    return kind, {"render_progress": thing.get("progress"), "task": thing.get("phase")}.get(kind)


@pytest.mark.asyncio
async def test_each_event_arrives_as_it_happens(stand_in: StandIn, address: str) -> None:
    stand_in.commit(generation())
    async with listening(address) as listener:
        assert listener.response.headers["Content-Type"].startswith("text/event-stream")
        assert listener.response.headers["Cache-Control"] == "no-store"
        assert listener.response.headers["X-Accel-Buffering"] == "no"
        assert summary(await listener.event()) == ("task", "pending")
        stand_in.change("gen-0", phase=Phase.PROCESSING)
        assert summary(await listener.event()) == ("task", "processing")
        stand_in.change("gen-0", progress=0.25)
        assert summary(await listener.event()) == ("render_progress", 25)
        stand_in.change("gen-0", phase=Phase.COLLECTING)
        assert summary(await listener.event()) == ("task", "collecting")
        stand_in.finish("gen-0", poster="p.webp")
        event = await listener.event()
        assert await listener.event() is None
    assert event is not None
    file = event[1]["object"]
    assert (event[1]["type"], file["id"], file["contentType"]) == ("file", "gen-0", "video/mp4")
    assert file["url"] == f"http://{address}/media/gen-0/file"
    assert file["thumbnail_url"] == f"http://{address}/media/gen-0/poster"
    assert file["status"] == "completed"
    await until(lambda: listeners(stand_in) == 0)


@pytest.mark.asyncio
async def test_every_event_names_its_file(stand_in: StandIn, address: str) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING, progress=0.5))
    async with listening(address) as listener:
        first, second = await listener.event(), await listener.event()
    assert first is not None and second is not None
    task = {"id": "gen-0", "type": "video-generation-flow", "status": "in_progress", "file_id": "gen-0"}
    assert first[1]["object"].items() >= task.items()
    assert second[1] == {"type": "render_progress", "object": {"file_id": "gen-0", "progress": 50}}


@pytest.mark.asyncio
async def test_each_move_in_the_queue_is_an_event(stand_in: StandIn, address: str) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING, stage="queued:2"))
    told = []
    async with listening(address) as listener:
        for stage in ("queued:1", ""):
            event = await listener.event()
            assert event is not None
            told.append((event[1]["type"], event[1]["object"].get("queue_position")))
            stand_in.change("gen-0", stage=stage)
        event = await listener.event()
        assert event is not None
        told.append((event[1]["type"], event[1]["object"].get("queue_position")))
    assert told == [("task", 2), ("task", 1), ("task", None)]


@pytest.mark.asyncio
async def test_a_finished_one_tells_its_file_at_once_and_closes(stand_in: StandIn, address: str) -> None:
    stand_in.commit(generation())
    stand_in.finish("gen-0")
    async with listening(address) as listener:
        ((event_id, event),) = await listener.all()
    assert (event_id, event["type"]) == ("1.completed", "file")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("phase", "text", "sentence"), [(Phase.ERROR, "Too dark.", "Too dark."), (Phase.DROPPED, "", "Stopped.")]
)
async def test_a_failure_is_an_error_event(
    stand_in: StandIn, address: str, phase: Phase, text: str, sentence: str
) -> None:
    stand_in.commit(generation())
    async with listening(address) as listener:
        await listener.event()
        stand_in.change("gen-0", phase=phase, error_text=text)
        assert await listener.all() == [
            (f"1.{phase}", {"type": "error", "error": sentence, "file_id": "gen-0"})
        ]


@pytest.mark.asyncio
async def test_a_resumed_stream_repeats_nothing(stand_in: StandIn, address: str) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING, revision=7))
    async with listening(address) as listener:
        event = await listener.event()
        assert event is not None and event[0] == "7"
    async with listening(address, seen="7") as listener:
        await until(lambda: listeners(stand_in) == 1)
        stand_in.change("gen-0", progress=0.5)
        assert await listener.event() == (
            "8",
            {"type": "render_progress", "object": {"file_id": "gen-0", "progress": 50}},
        )


@pytest.mark.asyncio
@pytest.mark.parametrize("seen", ["6", "0", "99", "-1", "nonsense", "9" * 400])
async def test_what_was_missed_is_told_on_resuming(stand_in: StandIn, address: str, seen: str) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING, revision=7))
    async with listening(address, seen=seen) as listener:
        assert summary(await listener.event()) == ("task", "processing")


@pytest.mark.asyncio
async def test_the_revision_stands_on_the_last_event_of_its_change(stand_in: StandIn, address: str) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING, progress=0.5, revision=7))
    async with listening(address) as listener:
        first, second = await listener.event(), await listener.event()
    assert first is not None and second is not None
    assert (first[0], second[0]) == (None, "7")


@pytest.mark.asyncio
async def test_who_has_heard_the_end_is_asked_to_stay_away(stand_in: StandIn, address: str) -> None:
    stand_in.commit(generation())
    stand_in.finish("gen-0")
    stand_in.change("gen-0", poster="p.webp")
    async with listening(address, seen="1.completed") as listener:
        assert listener.response.status_code == 204
    for heard_less in ("0", "1", "1.error"):
        async with listening(address, seen=heard_less) as listener:
            assert summary(await listener.event())[0] == "file"


@pytest.mark.asyncio
async def test_an_unknown_one_is_a_404_and_leaves_no_listener(stand_in: StandIn, address: str) -> None:
    async with listening(address) as listener:
        assert listener.response.status_code == 404
    assert listeners(stand_in) == 0


@pytest.mark.asyncio
async def test_a_burst_loses_progress_and_never_the_end(stand_in: StandIn, address: str) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING))
    async with listening(address) as listener:
        await listener.event()
        for step in range(5000):
            stand_in.change("gen-0", progress=step / 5000)
        stand_in.finish("gen-0")
        events = await listener.all()
    assert [event["type"] for _, event in events] == ["file"]


@pytest.mark.asyncio
async def test_a_reader_that_leaves_is_forgotten(stand_in: StandIn, address: str) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING))
    async with listening(address) as listener:
        await listener.event()
        assert listeners(stand_in) == 1
    await until(lambda: listeners(stand_in) == 0)


@pytest.mark.asyncio
async def test_what_happens_between_subscribing_and_reading_is_not_lost(
    stand_in: StandIn, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING))
    read = stand_in.get

    async def read_late(generation_id: str, **owner: str) -> Any:
        row = await read(generation_id, **owner)
        if listeners(stand_in):
            stand_in.finish(generation_id)
        return row  # as it was before it was finished

    monkeypatch.setattr(stand_in, "get", read_late)
    async with listening(address) as listener:
        kinds = [event["type"] for _, event in await listener.all()]
    assert kinds == ["task", "file"]


@pytest.mark.asyncio
async def test_news_that_never_came_is_read_from_the_row(
    stand_in: StandIn, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "REREAD_EVERY_S", 0.05)
    stand_in.commit(generation(phase=Phase.PROCESSING))
    async with listening(address) as listener:
        await listener.event()
        monkeypatch.setattr(stand_in.bus, "publish", lambda _: None)
        stand_in.finish("gen-0")
        assert summary(await listener.event())[0] == "file"


@pytest.mark.asyncio
async def test_a_deleted_one_ends_its_stream(stand_in: StandIn, address: str) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING))
    async with listening(address) as listener:
        await listener.event()
        stand_in.change("gen-0", trashed_at=1.0)
        ((_, event),) = await listener.all()
    assert event == {"type": "error", "error": "This file was deleted.", "file_id": "gen-0"}


@pytest.mark.asyncio
async def test_a_quiet_stream_shows_signs_of_life(
    stand_in: StandIn, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert events.KEEP_ALIVE_S == 15
    monkeypatch.setattr(events, "KEEP_ALIVE_S", 0.05)
    stand_in.commit(generation(phase=Phase.PROCESSING))
    async with listening(address) as listener, asyncio.timeout(5):
        async for line in listener.response.aiter_lines():
            if line.startswith(":"):
                break
    assert line == ": keep-alive"


@pytest.mark.asyncio
async def test_a_stopping_server_ends_its_streams_soon_and_cleanly(stand_in: StandIn, app: FastAPI) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING))
    loop = asyncio.get_running_loop()
    async with serving(app) as (address, server), listening(address) as listener:
        await listener.event()
        began = loop.time()
        server.should_exit = True
        assert await listener.event() is None
        assert loop.time() - began < 2.5
    assert listeners(stand_in) == 0
