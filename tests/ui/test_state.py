"""State of one tab: the newest revision wins, and progress never goes backwards (R8)."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from services.core.model import Generation, Kind, Phase, TraceEntry
from tests.ui.stand_in_services import StandInServices, a_request
from ui.state import TabState


@pytest.fixture
def tab() -> TabState:
    return TabState(kind=Kind.VIDEO)


def running(**fields: object) -> Generation:
    return replace(StandInServices().put(), **fields)


def test_an_empty_tab_is_idle(tab: TabState) -> None:
    assert tab.generation_status.status == "idle"
    assert tab.current_generation is None
    assert not tab.is_generating
    assert tab.connection_status == "disconnected"


def test_the_one_on_the_stage_fills_the_status(tab: TabState) -> None:
    tab.apply(running(progress=0.42), stage=True)
    status = tab.generation_status
    assert (status.status, status.progress) == ("processing", 42)
    assert (status.file_id, status.request_id) == ("gen-1", "req-1")
    assert status.message == "Generating."


def test_the_estimate_belongs_to_what_is_on_the_stage(tab: TabState) -> None:
    tab.apply(running(), stage=True, estimated_s=118.0)
    assert tab.generation_status.estimated_s == 118.0
    tab.apply(None)
    assert tab.generation_status.estimated_s is None


def test_an_older_revision_is_dropped(tab: TabState) -> None:
    tab.apply(running(revision=5, phase=Phase.COMPLETED), stage=True)
    assert tab.apply(running(revision=4)) is None
    assert tab.generation_status.status == "completed"


def test_the_same_revision_twice_is_one_change(tab: TabState) -> None:
    assert tab.apply(running(revision=2)) is not None
    assert tab.apply(running(revision=2)) is None


def test_progress_never_goes_backwards(tab: TabState) -> None:
    tab.apply(running(revision=1, progress=0.6), stage=True)
    tab.apply(running(revision=2, progress=0.4))
    assert tab.generation_status.progress == 60
    tab.apply(running(revision=3, progress=None))
    assert tab.generation_status.progress == 60


def test_a_new_job_may_begin_again_at_nothing(tab: TabState) -> None:
    tab.apply(running(revision=1, progress=0.6, job_id="one"), stage=True)
    tab.apply(running(revision=2, progress=None, job_id="two"))
    assert tab.generation_status.progress is None


def test_a_hundred_percent_is_reserved_for_kept_files(tab: TabState) -> None:
    tab.apply(running(revision=1, progress=1.0), stage=True)
    assert tab.generation_status.progress == 99
    tab.apply(running(revision=2, progress=1.0, phase=Phase.COMPLETED))
    assert tab.generation_status.progress == 100


def test_another_one_does_not_touch_the_stage(tab: TabState) -> None:
    tab.apply(running(id="mine"), stage=True)
    tab.apply(running(id="theirs", phase=Phase.COMPLETED))
    assert tab.generation_status.file_id == "mine"
    assert tab.generation_status.status == "processing"


def test_clearing_leaves_an_idle_tab(tab: TabState) -> None:
    tab.apply(running(), stage=True)
    tab.apply(None)
    assert tab.current_generation is None
    assert tab.generation_status.status == "idle"


def test_a_deleted_one_leaves_the_stage_and_the_list(tab: TabState) -> None:
    tab.apply(running(revision=1, phase=Phase.COMPLETED), stage=True)
    tab.apply(running(revision=2, phase=Phase.COMPLETED, trashed_at=1.0))
    assert tab.current_generation is None
    assert tab.generated_videos == []


def test_finished_ones_are_listed_newest_first(tab: TabState) -> None:
    for name, at in (("old", 1.0), ("new", 3.0), ("middle", 2.0)):
        tab.apply(running(id=name, phase=Phase.COMPLETED, created_at=at))
    tab.apply(running(id="open", created_at=4.0))
    assert [one.id for one in tab.generated_videos] == ["new", "middle", "old"]


def test_an_image_is_not_listed_among_the_videos(tab: TabState) -> None:
    tab.apply(running(phase=Phase.COMPLETED, request=a_request(kind=Kind.IMAGE)))
    assert tab.generated_videos == []


def test_it_is_generating_until_the_message_of_c4(tab: TabState) -> None:
    tab.apply(running(revision=1), newest=True)
    assert tab.is_generating
    tab.apply(running(revision=2, late_since=1.0))
    assert not tab.is_generating


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.ERROR, Phase.DROPPED])
def test_it_is_not_generating_after_the_end(tab: TabState, phase: Phase) -> None:
    tab.apply(running(revision=1), newest=True)
    tab.apply(running(revision=2, phase=phase))
    assert not tab.is_generating


def test_what_another_tab_started_does_not_make_this_one_generate(tab: TabState) -> None:
    tab.apply(running())
    assert not tab.is_generating


def push(event: str, generation_id: str = "gen-1") -> TraceEntry:
    return TraceEntry(
        owner="local", generation_id=generation_id, seq=1, at=time.time(), lane="push", event=event
    )


def test_the_connection_is_that_of_the_stream_on_the_stage(tab: TabState) -> None:
    tab.apply(running(), stage=True)
    statuses = []
    for event in ("opening", "open", "event", "lost"):
        tab.apply(push(event))
        statuses.append((tab.connection_status, tab.is_connected))
    assert statuses == [
        ("connecting", False),
        ("connected", True),
        ("connected", True),
        ("disconnected", False),
    ]


def test_another_ones_stream_is_not_the_connection(tab: TabState) -> None:
    tab.apply(running(), stage=True)
    tab.apply(push("open", "other"))
    assert tab.connection_status == "disconnected"


def test_the_end_closes_the_connection(tab: TabState) -> None:
    tab.apply(running(revision=1), stage=True)
    tab.apply(push("open"))
    tab.apply(running(revision=2, phase=Phase.COMPLETED))
    assert tab.connection_status == "disconnected"


def test_a_tab_does_not_remember_without_end(tab: TabState) -> None:
    for number in range(1000):
        tab.apply(running(id=f"gen-{number}"))
    assert len(tab.known) < 500
    assert "gen-999" in tab.known
