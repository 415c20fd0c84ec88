"""The deliveries page without a browser: real rows, real figures, updates from the bus."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User

from services.core.model import Channel, Generation, Phase, Receipt, TraceEntry
from services.generations.service import TypicalDuration
from services.statistics.channel_status import ChannelState, ChannelStatus
from tests.support.eventually import equals, eventually
from tests.support.library_harness import LibraryHarness
from tests.ui.test_library import press
from ui.components.in_progress import poll_text, push_text
from ui.components.plot import by_name, curve, over_time
from ui.components.timestamp import Timestamp
from ui.pages import deliveries as page
from ui.text import labels

pytestmark = pytest.mark.asyncio


async def delivered(harness: LibraryHarness, by: Channel = Channel.PUSH, **fields: Any) -> Generation:
    now = time.time()
    slip = Receipt(won_by=by, backend_said_at=now, backend_finished_at=now - 0.2, kept_at=now, **fields)
    return await harness.put(created_at=now, submitted_at=now - 4, finished_at=now, receipt=slip, kept=harness.file(b"a"))  # fmt: skip


async def publish_trace(
    harness: LibraryHarness, row: Generation, seq: int, lane: str, event: str, **data: Any
) -> None:
    entry = TraceEntry(
        owner="local", generation_id=row.id, seq=seq, at=time.time(), lane=lane, event=event, data=data
    )
    await harness.store.append_log([entry], [])
    harness.bus.publish(entry)


def charts(user: User) -> list[dict[str, Any]]:
    with user:
        return [chart.options for chart in ElementFilter(kind=ui.echart)]


def points(user: User) -> int:
    """Returns the bar colour of the first chart."""
    return sum(len(chart["xAxis"]["data"]) for chart in charts(user)[:1])


def modes(user: User) -> list[str]:
    with user:
        return [str(moment._props["mode"]) for moment in ElementFilter(kind=Timestamp)]


async def test_the_figures_stand_there_as_text_and_as_plots(harness: LibraryHarness, visitor: User) -> None:
    await delivered(harness)
    await delivered(harness, Channel.POLL, late_s=5.0)
    await visitor.open("/deliveries")
    await visitor.should_see("Of 2, 1 by push and 1 by poll.")
    await visitor.should_see("Median 0.20 s, 95th percentile 0.20 s, 99th percentile 0.20 s.")
    await visitor.should_see("1 of 2 was late.")
    await visitor.should_see("No disconnects.")
    await visitor.should_see("All files are present.")
    await visitor.should_see("Based on 2 generations requested in this period.")
    await eventually(lambda: len(charts(visitor)) >= 2)
    wins, lag, *_ = charts(visitor)
    assert [series["data"][-1] for series in wins["series"]] == [1, 1]
    assert [series["data"][-1] for series in lag["series"]] == [0.2, 0.2, 0.2]
    assert len(wins["xAxis"]["data"]) == 7


async def test_broken_streams_are_listed_by_reason(harness: LibraryHarness, visitor: User) -> None:
    row = await delivered(harness)
    for seq, reason in enumerate(("silent", "reset", "silent")):
        await publish_trace(harness, row, seq, "push", "lost", reason=reason)
    await visitor.open("/deliveries")
    await visitor.should_see("3 disconnects: no data for too long 2, connection reset 1.")
    await equals(lambda: [chart["series"][0]["data"] for chart in charts(visitor)[3:4]], [[2, 1]])


async def test_a_missing_file_is_reported_with_a_link(harness: LibraryHarness, visitor: User) -> None:
    row = await delivered(harness)
    assert row.kept is not None
    harness.folder.path(row.kept.name).unlink()
    await visitor.open("/deliveries")
    await visitor.should_see("1 file is missing.")
    await visitor.should_see(row.id)


async def test_a_running_generation_shows_both_channels_live(harness: LibraryHarness, visitor: User) -> None:
    row = await harness.put("a slow boat", phase=Phase.PROCESSING, created_at=time.time())
    await publish_trace(harness, row, 1, "push", "opening")
    await visitor.open("/deliveries")
    await visitor.should_see("a slow boat")
    await visitor.should_see("connecting")
    await visitor.should_see("not polled yet")
    await publish_trace(harness, row, 2, "push", "open")
    await publish_trace(harness, row, 3, "poll", "attempt", n=1)
    await publish_trace(harness, row, 4, "poll", "answer", heard="running")
    await publish_trace(harness, row, 5, "poll", "due", at=time.time() + 9)
    await visitor.should_see("connected")
    await visitor.should_see("answered, 1 request")
    await eventually(lambda: "until" in modes(visitor))
    await publish_trace(harness, row, 6, "push", "lost", reason="silent")
    await visitor.should_see("lost: no data for too long")


async def test_what_begins_and_what_ends_comes_and_goes_by_itself(
    harness: LibraryHarness, visitor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "REST_FACTOR", 0.0)
    await visitor.open("/deliveries")
    await visitor.should_see("Nothing in progress.")
    row = await harness.put("a new boat", phase=Phase.PROCESSING, created_at=time.time())
    harness.bus.publish(row)
    await visitor.should_see("a new boat")
    now = time.time()
    slip = Receipt(won_by=Channel.PUSH, backend_said_at=now, backend_finished_at=now, kept_at=now)
    done = await harness.store.complete(row.id, epoch=0, kept=harness.file(b"a"), receipt=slip)
    assert done is not None
    harness.bus.publish(done)
    await visitor.should_see("Nothing in progress.", retries=25)  # long before it is counted again
    await visitor.should_see("Of 1, 1 by push and 0 by poll.")


async def test_one_generation_is_drawn_with_its_whole_timeline(
    harness: LibraryHarness, visitor: User
) -> None:
    row = await delivered(harness)
    await harness.store.append_log(
        [
            TraceEntry(
                owner="local",
                generation_id=row.id,
                seq=1,
                at=1.0,
                lane="push",
                event="lost",
                data={"reason": "reset"},
            )
        ],
        [],
    )
    await visitor.open(f"/deliveries?id={row.id}")
    await visitor.should_see("Event stream lost: connection reset")
    await visitor.should_see("Push won")
    await visitor.should_see("Download bug report")
    await visitor.should_see("Of 1, 1 by push and 0 by poll.")


@pytest.mark.parametrize(
    "typed", ["{id}", "http://127.0.0.1:8080/g/{id}", "/deliveries?id={id}", " /g/{id}/ "]
)
async def test_it_is_found_by_its_id_or_its_link(harness: LibraryHarness, visitor: User, typed: str) -> None:
    row = await delivered(harness)
    await visitor.open("/deliveries")
    visitor.find(ui.input).type(typed.format(id=row.id))
    press(visitor, "Show")
    await visitor.should_see("Push won")


async def test_an_unknown_generation_is_reported(visitor: User) -> None:
    await visitor.open("/deliveries?id=../../etc&days=nonsense&backend=%3Cb%3E")
    await visitor.should_see("Generation not found.")
    await visitor.should_see("No deliveries.")


async def test_a_choice_counts_again_and_stands_in_the_address(
    harness: LibraryHarness, visitor: User
) -> None:
    await delivered(harness)
    await visitor.open("/deliveries?days=1")
    await visitor.should_see("Of 1, 1 by push and 0 by poll.")
    await equals(lambda: points(visitor), 24)
    radios = [radio for radio in _inputs(visitor) if radio._props["value"] == "30"]
    for listener in radios[0]._event_listeners.values():
        radios[0]._handle_event({"listener_id": listener.id, "args": None})
    await equals(lambda: points(visitor), 30)


def _inputs(user: User) -> list[ui.element]:
    with user:
        return [one for one in ElementFilter(kind=ui.element) if one.tag == "input" and "value" in one._props]


async def test_estimates_are_honest_about_how_much_they_know() -> None:
    few, many = (
        TypicalDuration(p50_s=118.0, p90_s=240.0, runs=9),
        TypicalDuration(p50_s=129.2, p90_s=240.0, runs=10),
    )
    assert labels.estimate(few) == "about 2 min, from 9 runs here"
    assert labels.estimate(many) == "median 2:10, 90th percentile 4:00, from 10 runs here"
    assert labels.estimate(None) == "no estimate yet"


async def test_the_channels_words_count() -> None:
    status = ChannelStatus(
        push=ChannelState.HEALTHY,
        breaks=2,
        poll=ChannelState.LOST,
        poll_reason="timeout",
        attempts=1,
        checks=1,
    )
    assert push_text(status) == "connected, lost 2 times earlier"
    assert poll_text(status) == "no answer: timed out, 2 requests"
    assert push_text(replace(status, breaks=0)) == "connected"


async def test_plots_speak_only_in_the_pages_colours() -> None:
    drawn = [
        over_time(
            ["a"], [curve("p50", [0.0], "var(--text)", "solid", "circle")], unit="{figure} s", log=True
        ),
        by_name(["silent"], [3], "streams", "var(--trouble)"),
    ]
    assert "#" not in str(drawn) and "rgb" not in str(drawn)
    assert drawn[0]["series"][0]["data"] == [0.001], "nothing has no place on a logarithmic axis"
