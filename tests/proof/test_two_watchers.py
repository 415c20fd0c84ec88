"""Expired leases: one of two watchers is paused beyond its lease, the other takes over its rows."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.eventually import wait_until
from tests.support.fault_server import WireServer
from tests.support.killable_app import ForkServer, KillableApp
from tests.support.proof_counts import proven
from tests.support.two_watchers import LEASE_S, WITHIN_S, TwoWatchers

pytestmark = pytest.mark.timeout(300)

FAULTLESS = {"lost": 0, "twice": 0, "paid_twice": 0, "wrong_bytes": 0}
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
GENERATIONS, PAUSES = 60, 15


@pytest.fixture(scope="module")
def wire() -> Iterator[WireServer]:
    with WireServer(idempotent=False) as wire:
        wire.script(length_s=0.2, progress_every_s=0.1)
        yield wire


@pytest.fixture(scope="module")
def two(wire: WireServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoWatchers]:
    fork_server = ForkServer()
    two = TwoWatchers(fork_server, wire, tmp_path_factory.mktemp("two") / "data")
    yield two
    two.close()
    fork_server.close()


@pytest.mark.proof
@pytest.mark.parametrize("points", POINTS)
def test_a_paused_watcher_changes_nothing_after_the_takeover(two: TwoWatchers, points: str) -> None:
    prompt = f"a kite, paused {points}"
    if points in ("before_late", "illustrated"):
        two.wire.script(prompt=prompt, length_s=1.5)
    taken = take_over(two, two.first, two.second, prompt, points)

    two.resume(two.first)

    counts = two.counts(prompt)
    time.sleep(LEASE_S)  # for what the resumed watcher may still try
    counts |= two.counts(prompt) | {"left_over": two.left_over()}
    proven("leases", points=1, taken_over=int(taken), **counts)
    assert counts == FAULTLESS | {"left_over": 0}
    assert {two.first.process.poll(), two.second.process.poll()} == {None}


@pytest.mark.proof
def test_a_watcher_paused_before_the_submit_does_not_send(two: TwoWatchers) -> None:
    prompt = "a kite that nobody has sent"
    taken = take_over(two, two.first, two.second, prompt, "before_submit")
    wait_until(lambda: two.row(prompt)["phase"] == "unconfirmed", WITHIN_S)

    two.resume(two.first)

    time.sleep(2 * LEASE_S)
    counts = two.counts(prompt, "unconfirmed")
    proven("leases", points=1, taken_over=int(taken), **counts)
    assert counts == FAULTLESS
    assert two.wire.jobs_of(prompt) == []


def test_a_failure_known_only_to_the_paused_watcher_is_not_recorded(two: TwoWatchers) -> None:
    """Red without the check of the epoch: the row is open, so ending it in error would be allowed."""
    for number in range(5):
        prompt = f"a kite that fails, and does not, {number}"
        two.wire.script(prompt=prompt, fails="the model has no idea")
        undo_failure = functools.partial(_undo_failure, two, prompt)
        if take_over(two, two.first, two.second, prompt, "before_failing", then=undo_failure):
            break
        two.resume(two.first)  # it held the database's write lock
    else:
        raise AssertionError("It was never taken over.")

    two.resume(two.first)

    time.sleep(2 * LEASE_S)
    assert two.failures_logged(prompt) == 0
    assert two.row(prompt)["phase"] == "processing"
    two.finish(prompt)
    counts = two.counts(prompt) | {"left_over": two.left_over()}
    proven("leases", points=1, taken_over=1, **counts)
    assert counts == FAULTLESS | {"left_over": 0}


@pytest.mark.proof
def test_two_watchers_paused_in_turns_deliver_every_generation(two: TwoWatchers, wire: WireServer) -> None:
    rng = random.Random(20_261_122)
    prompts = [f"the kite of round {number}" for number in range(GENERATIONS)]
    for prompt in prompts:
        wire.script(prompt=prompt, length_s=rng.uniform(0.1, 4.0))
    for number in range(PAUSES):
        two.add(*prompts[number * GENERATIONS // PAUSES : (number + 1) * GENERATIONS // PAUSES])
        time.sleep(rng.uniform(0.2, 1.0))
        paused = rng.choice((two.first, two.second))
        two.pause(paused)
        time.sleep(rng.uniform(0.5, 2.5) * LEASE_S)
        two.resume(paused)

    for prompt in prompts:
        counts = two.counts(prompt)
        proven("leases", generations=1, **counts)
        assert counts == FAULTLESS, prompt
    left_over = two.left_over()
    proven("leases", stops=PAUSES, left_over=left_over)
    assert left_over == 0


def take_over(
    two: TwoWatchers,
    paused: KillableApp,
    other: KillableApp,
    prompt: str,
    points: str,
    then: Callable[[], None] = lambda: None,
) -> bool:
    """Pauses one watcher at the point; whether the other one then took over its row, which a lock may prevent."""
    two.pause_between_writes(other)
    paused.arm(*points.split(), act="stop")
    two.add(prompt)
    paused.wait_until_hit()
    two.wait_until_paused(paused)
    then()
    two.resume(other)
    final = two.row(prompt)["phase"] == "completed"
    return not final and two.is_taken_over(paused, prompt)


def _undo_failure(two: TwoWatchers, prompt: str) -> None:
    (job,) = two.wire.jobs_of(prompt)
    job.status, job.finished_at = "in_progress", None
    two.wire.script(prompt=prompt, fails="")
