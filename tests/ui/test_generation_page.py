"""The page of one generation, without a browser."""

from __future__ import annotations

import time

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User

from services.core.model import Channel, Phase
from tests.ui.stand_in_services import AHEAD, StandInServices, settle
from ui.components.progress_bar import ProgressBar
from ui.components.timestamp import Timestamp
from ui.components.trace_table import TraceTable

pytestmark = [pytest.mark.asyncio, AHEAD]


def videos(user: User) -> list[ui.element]:
    with user:
        return [one for one in ElementFilter(kind=ui.element) if one.tag == "video"]


def rows(user: User) -> list[str]:
    with user:
        trs = [one for one in ElementFilter(kind=ui.element) if one.tag == "tr"]
    return [
        labels[-1].text
        for tr in trs[1:]
        if (labels := [x for x in tr.descendants() if isinstance(x, ui.label)])
    ]


async def test_a_finished_one_has_player_settings_and_receipt(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put(prompt="A kite over the sea")
    stand_in.finish(row.id, Channel.POLL)
    await user.open(f"/g/{row.id}")
    await settle()
    assert len(videos(user)) == 1
    await user.should_see("A kite over the sea")
    await user.should_see("48210")
    await user.should_see("poll (repeated requests)")
    await user.should_see("Poll won")


async def test_an_open_one_becomes_a_finished_one_on_the_open_page(
    user: User, stand_in: StandInServices
) -> None:
    row = stand_in.put(progress=0.3)
    await user.open(f"/g/{row.id}")
    with user:
        assert [bar.props["aria-valuetext"] for bar in ElementFilter(kind=ProgressBar) if bar.visible] == [
            "30 %"
        ]
    await user.should_see("Available when the file has been saved.")
    stand_in.finish(row.id)
    await settle()
    assert len(videos(user)) == 1
    await user.should_see("push (event stream)")
    await user.should_see("Video generated successfully via SSE!")


async def test_a_queued_one_says_its_place_and_then_counts_its_work(
    user: User, stand_in: StandInServices
) -> None:
    row = stand_in.put(stage="queued:2", created_at=1000.0)
    await user.open(f"/g/{row.id}")
    await user.should_see("Queued, 2nd in line.")

    def counted_from() -> list[float]:
        with user:
            clocks = [one for one in ElementFilter(kind=Timestamp) if one.props["mode"] == "since"]
        return [clock.props["at"] for clock in clocks]

    assert counted_from() == [1000.0]
    stand_in.change(row.id, stage="queued:1")
    await user.should_see("Queued, next in line.")
    stand_in.change(row.id, stage="", started_at=1060.0)
    await user.should_see("Generating.")
    assert counted_from() == [1060.0]


async def test_the_timeline_is_readable_and_goes_on(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put()
    stand_in.publish_trace(row.id, "push", "opening")
    await user.open(f"/g/{row.id}")
    assert rows(user) == ["Connecting to the event stream"]
    stand_in.publish_trace(row.id, "poll", "attempt", n=1)
    await user.should_see("Attempt 1")
    assert rows(user) == ["Connecting to the event stream", "Attempt 1"]


async def test_consecutive_progress_shares_one_row(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put()
    for step in range(5):
        stand_in.publish_trace(row.id, "push", "event", heard="progress", progress=step / 10)
    stand_in.publish_trace(row.id, "poll", "attempt", n=1)
    stand_in.publish_trace(row.id, "push", "event", heard="progress", progress=0.5)
    await user.open(f"/g/{row.id}")
    assert rows(user) == ["Event: progress, 40 %", "Attempt 1", "Event: progress, 50 %"]
    assert TraceTable


@pytest.mark.parametrize("gone", ["never", "deleted", "foreign"])
async def test_what_is_not_there_is_a_calm_404(user: User, stand_in: StandInServices, gone: str) -> None:
    if gone == "deleted":
        stand_in.put(id=gone, trashed_at=time.time())
    if gone == "foreign":
        stand_in.put(id=gone, owner="ada")
    answer = await user.http_client.get(f"/g/{gone}")
    assert answer.status_code == 404
    assert "Page not found." in answer.text
    assert "Back to Video" in answer.text


async def test_an_address_is_never_read_as_markup(user: User) -> None:
    answer = await user.http_client.get("/g/<script>alert(1)")
    assert answer.status_code == 404
    assert "<script>alert(1)" not in answer.text


async def test_the_page_of_a_deleted_one_becomes_empty(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put(Phase.COMPLETED, finished_at=1.0)
    await user.open(f"/g/{row.id}")
    await stand_in.delete(row.id)
    await user.should_see("Page not found.")
