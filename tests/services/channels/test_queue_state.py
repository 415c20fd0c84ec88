"""When a job's work begins, by what its channels say."""

from __future__ import annotations

import itertools

import pytest

from services.backends.scripted import Script
from services.channels.queue_state import QueueState
from services.channels.race import Won
from services.core.model import Channel, JobUpdate
from tests.support.race_harness import EPOCH, ScriptedRace

PUSH, POLL = Channel.PUSH, Channel.POLL


def queued(place: int | None = None) -> JobUpdate:
    return JobUpdate(code="queued", queued=True, queue_place=place)


WORKING = JobUpdate(queued=False)
UNKNOWN = JobUpdate()
HALF = JobUpdate(code="progress", progress=0.5, queued=False)


def after(*reports: tuple[Channel, JobUpdate]) -> QueueState:
    state = QueueState()
    for at, (channel, update) in enumerate(reports):
        state.take(channel, update, float(at))
    return state


@pytest.mark.parametrize(
    ("reports", "stage", "started_at"),
    [
        ([], "", None),
        ([(PUSH, WORKING), (POLL, WORKING)], "", None),
        ([(PUSH, HALF)], "", None),
        ([(PUSH, queued())], "queued", None),
        ([(PUSH, queued(3)), (PUSH, queued(2))], "queued:2", None),
        ([(PUSH, queued(3)), (POLL, queued())], "queued:3", None),
        ([(PUSH, queued(3)), (POLL, UNKNOWN)], "queued:3", None),
        ([(PUSH, queued(1)), (PUSH, WORKING)], "", 1.0),
        ([(PUSH, queued(1)), (PUSH, WORKING), (POLL, WORKING), (PUSH, HALF)], "", 1.0),
        # A poll that never says "queued" calls every unfinished job "in_progress".
        ([(PUSH, queued(3)), (POLL, WORKING)], "queued:3", None),
        ([(PUSH, queued(3)), (POLL, HALF)], "", 1.0),
        # The poll's answer was under way when the stream told of the begin.
        ([(PUSH, queued(1)), (PUSH, WORKING), (POLL, queued(1))], "", 1.0),
        ([(PUSH, HALF), (POLL, queued(1))], "", None),
        # One channel keeps its order: the job went back into the queue.
        ([(PUSH, queued(1)), (PUSH, WORKING), (PUSH, queued(4))], "queued:4", 1.0),
        ([(PUSH, queued(1)), (PUSH, WORKING), (PUSH, queued(4)), (PUSH, WORKING)], "", 3.0),
    ],
)
def test_the_work_begins_with_the_first_report_that_tells_it_from_the_queue(
    reports: list[tuple[Channel, JobUpdate]], stage: str, started_at: float | None
) -> None:
    state = after(*reports)
    assert (state.stage, state.started_at) == (stage, started_at)


def test_a_result_out_of_the_queue_began_after_the_last_report_of_the_queue() -> None:
    state = after((POLL, queued(2)), (POLL, queued(1)))
    state.finished(POLL)
    assert (state.stage, state.started_at) == ("", 1.0)


def test_a_lost_stream_does_not_hold_a_job_in_the_queue() -> None:
    state = after((PUSH, queued(2)))
    state.lost(PUSH)
    state.take(POLL, WORKING, 1.0)
    assert (state.stage, state.started_at) == ("", None)
    state.take(PUSH, queued(1), 2.0)
    assert state.stage == "queued:1"
    state.take(PUSH, WORKING, 3.0)
    assert (state.stage, state.started_at) == ("", 3.0)


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_queued_job_shows_its_place_until_its_work_begins() -> None:
    racing = ScriptedRace(Script(length_s=9.0, queued_s=4.0))
    assert await racing.run() == Won(channel=Channel.PUSH)
    stages = [stage for stage, _ in itertools.groupby(racing.stages)]
    assert stages[0] in ("queued:4", "queued:3")
    assert stages[-3:] == ["queued:2", "queued:1", ""]
    reported = racing.kept[0][1]
    assert reported.started_at is not None
    assert reported.started_at - EPOCH - racing.begun == pytest.approx(4.5, abs=0.6)
    assert racing.times("push", "event", heard="queued", place=2) != []


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_job_of_a_backend_without_a_queue_has_no_start_of_its_own() -> None:
    racing = ScriptedRace(Script(length_s=9.0))
    await racing.run()
    assert set(racing.stages) == {""}
    assert racing.kept[0][1].started_at is None
