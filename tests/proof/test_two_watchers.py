"""Leases that run out: one of two watchers stands still beyond its lease, the other goes on with its rows."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.fault_server import WireServer
from tests.support.kill_app import KillableApp, Nursery, eventually
from tests.support.proof_counts import proven
from tests.support.two_watchers import LEASE_S, WITHIN_S, TwoWatchers

pytestmark = pytest.mark.timeout(300)

WELL = {"lost": 0, "twice": 0, "paid_twice": 0, "wrong_bytes": 0}
POINTS = (
    "watch_begun",
    "before_submitting",
    "before_submitting before_write",
    "submit_answered",
    "after_submit",
    "after_submit before_write",
    "after_id",
    "before_poll",
    "after_poll",
    "before_late",
    "before_collecting",
    "after_collecting",
    "before_download",
    "mid_download",
    "downloaded",
    "before_rename",
    "before_commit",
    "downloaded linked",
    "after_rename",
    "before_commit before_write",
    "before_commit after_write",
    "after_commit",
    "illustrated",
)
GENERATIONS, STOPS = 60, 15


@pytest.fixture(scope="module")
def wire() -> Iterator[WireServer]:
    with WireServer(idempotent=False) as wire:
        wire.script(length_s=0.2, progress_every_s=0.1)
        yield wire


@pytest.fixture(scope="module")
def two(wire: WireServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoWatchers]:
    nursery = Nursery()
    two = TwoWatchers(nursery, wire, tmp_path_factory.mktemp("two") / "data")
    yield two
    two.close()
    nursery.close()


@pytest.mark.proof
@pytest.mark.parametrize("points", POINTS)
def test_who_stood_still_finds_that_it_has_nothing_to_say(two: TwoWatchers, points: str) -> None:
    prompt = f"a kite, asleep {points}"
    if points in ("before_late", "illustrated"):
        two.wire.script(prompt=prompt, length_s=1.5)
    taken = fall_asleep(two, two.one, two.other, prompt, points)

    two.go_on(two.one)

    seen = two.judged(prompt)
    time.sleep(LEASE_S)  # for what the one that woke up may still try
    seen |= two.judged(prompt) | {"left_over": two.left_over()}
    proven("leases", points=1, taken_over=int(taken), **seen)
    assert seen == WELL | {"left_over": 0}
    assert {two.one.process.poll(), two.other.process.poll()} == {None}


@pytest.mark.proof
def test_who_slept_before_it_sent_does_not_send(two: TwoWatchers) -> None:
    prompt = "a kite that nobody has sent"
    taken = fall_asleep(two, two.one, two.other, prompt, "before_submit")
    eventually(lambda: two.row(prompt)["phase"] == "unconfirmed", WITHIN_S)

    two.go_on(two.one)

    time.sleep(2 * LEASE_S)
    seen = two.judged(prompt, "unconfirmed")
    proven("leases", points=1, taken_over=int(taken), **seen)
    assert seen == WELL
    assert two.jobs(prompt) == []


def test_a_failure_that_the_sleeper_had_heard_of_is_not_told_any_more(two: TwoWatchers) -> None:
    """Red without the check of the epoch: the row is open, and to end it in error would be allowed."""
    for number in range(5):
        prompt = f"a kite that fails, and does not, {number}"
        two.wire.script(prompt=prompt, fails="the model has no idea")
        rise_again = functools.partial(_rise_again, two, prompt)
        if fall_asleep(two, two.one, two.other, prompt, "before_failing", then=rise_again):
            break
        two.go_on(two.one)  # it had the database's lock in its hand
    else:
        raise AssertionError("It could never be taken over.")

    two.go_on(two.one)

    time.sleep(2 * LEASE_S)
    assert two.told(prompt, "error") == 0
    assert two.row(prompt)["phase"] == "processing"
    two.finish(prompt)
    seen = two.judged(prompt) | {"left_over": two.left_over()}
    proven("leases", points=1, taken_over=1, **seen)
    assert seen == WELL | {"left_over": 0}


@pytest.mark.proof
def test_many_are_carried_home_by_two_that_fall_asleep_in_turns(two: TwoWatchers, wire: WireServer) -> None:
    rng = random.Random(20_261_122)
    prompts = [f"the kite of round {number}" for number in range(GENERATIONS)]
    for prompt in prompts:
        wire.script(prompt=prompt, length_s=rng.uniform(0.1, 4.0))
    for number in range(STOPS):
        two.put(*prompts[number * GENERATIONS // STOPS : (number + 1) * GENERATIONS // STOPS])
        time.sleep(rng.uniform(0.2, 1.0))
        sleeper = rng.choice((two.one, two.other))
        two.halt(sleeper)
        time.sleep(rng.uniform(0.5, 2.5) * LEASE_S)
        two.go_on(sleeper)

    for prompt in prompts:
        seen = two.judged(prompt)
        proven("leases", generations=1, **seen)
        assert seen == WELL, prompt
    left_over = two.left_over()
    proven("leases", stops=STOPS, left_over=left_over)
    assert left_over == 0


def fall_asleep(
    two: TwoWatchers,
    one: KillableApp,
    other: KillableApp,
    prompt: str,
    points: str,
    then: Callable[[], None] = lambda: None,
) -> bool:
    """The one has the row and stands still at the point; the other has it by now, or cannot have it."""
    two.halt_between_writes(other)
    one.order(*points.split(), act="stop")
    two.put(prompt)
    one.wait_until_it_is_there()
    two.wait_until_it_stands(one)
    then()
    two.go_on(other)
    final = two.row(prompt)["phase"] == "completed"
    return not final and two.is_taken_from(one, prompt)


def _rise_again(two: TwoWatchers, prompt: str) -> None:
    (job_id,) = two.jobs(prompt)
    job = two.wire.jobs[job_id]
    job.status, job.finished_at = "in_progress", None
    two.wire.script(prompt=prompt, fails="")
