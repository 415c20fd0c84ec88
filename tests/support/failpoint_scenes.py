"""How a generation comes to each boundary. Points are named with what led there; see tests.support.failpoints."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.failpoints import ACTS, COMMITTED, FOR_EVER_S, IN_A_THREAD, SETTINGS, Trial
from tests.support.fault_server import WireServer
from tests.support.kill_app import KillableApp, Nursery, cloud, killable_app

UNHARMED = ("raise", "cancel")
"""The process lives on, so that another generation must not have noticed."""


class Theatre:
    """One app and its paid backend, which knows no keys, for many failpoints one after the other."""

    def __init__(self, app: KillableApp, wire: WireServer) -> None:
        self.app = app
        self.wire = wire

    def play(self, scene: Scene, points: str, act: str) -> None:
        trial = Trial(self.app, self.wire, named(scene), points, act)
        if act in UNHARMED and scene not in (at_the_start, at_the_end):
            trial.put_one_beside()
        scene(trial)


@contextmanager
def theatre(folder: Path) -> Iterator[Theatre]:
    nursery = Nursery()
    with WireServer(idempotent=False) as wire:
        wire.script(length_s=0.2, progress_every_s=0.1)
        with killable_app(nursery, folder / "data", **cloud(wire, **SETTINGS)) as app:
            app.wait_for_models()
            yield Theatre(app, wire)
    nursery.close()


def on_its_way(trial: Trial) -> None:
    trial.order()
    trial.ask()
    trial.happen()
    if trial.row_is_unsent():
        trial.post("submit-again")
    trial.must_have_ended_well()


def with_a_lost_answer(trial: Trial) -> None:
    """Taken and paid for, and the connection breaks: it is searched for and adopted."""
    trial.script(submit="lost", submit_times=1)
    on_its_way(trial)


def with_a_busy_backend(trial: Trial) -> None:
    trial.script(submit="503", submit_times=1)
    on_its_way(trial)


def with_a_failure(trial: Trial) -> None:
    trial.script(fails="the model has no idea")
    trial.order()
    trial.ask()
    trial.happen()
    trial.must_have_ended_well("error")


def before_the_message(trial: Trial) -> None:
    trial.script(length_s=FOR_EVER_S)
    trial.order()
    trial.ask()
    trial.happen()
    trial.finish()
    trial.must_have_ended_well()


def in_the_slow_watch(trial: Trial) -> None:
    begin_a_long_one(trial)
    trial.app.wait_until(lambda: trial.row["late_since"], 20)
    trial.order()
    trial.post("check")
    trial.happen()
    trial.finish()
    trial.must_have_ended_well()


def at_a_stop(trial: Trial) -> None:
    """By a person; what was paid for arrives all the same, and is kept apart."""
    begin_a_long_one(trial)
    trial.order()
    trial.post("stop")
    trial.happen()
    trial.wait_for("dropped")
    trial.finish()
    row = trial.must_have_ended_well()
    assert row["stop_requested_at"] is not None


def at_a_renewal(trial: Trial) -> None:
    begin_a_long_one(trial)
    epoch = trial.row["epoch"]
    trial.order()
    trial.happen()
    if trial.act == "stop":
        trial.app.wait_until(lambda: trial.row["epoch"] > epoch, 10)  # read again
    if trial.act == "cancel":  # of the task that renews: main ends it only at the end of all
        trial.app.kill()
        trial.app.process.wait(10)
        trial.app.start()
    trial.finish()
    trial.must_have_ended_well()


def at_a_claim_after_a_bug(trial: Trial) -> None:
    begin_a_long_one(trial)
    trial.order("before_poll", act="raise")
    trial.post("check")
    trial.app.wait_until_it_is_there()
    trial.order()
    trial.happen()
    trial.finish()
    trial.must_have_ended_well()


def at_the_start(trial: Trial) -> None:
    begin_a_long_one(trial)
    trial.app.kill()
    trial.app.process.wait(10)
    trial.order()
    trial.app.launch()
    trial.end_and_start_again()
    trial.finish()
    trial.must_have_ended_well()


def at_the_end(trial: Trial) -> None:
    begin_a_long_one(trial)
    trial.order()
    trial.app.process.send_signal(signal.SIGTERM)
    trial.end_and_start_again()
    trial.finish()
    trial.must_have_ended_well()


def begin_a_long_one(trial: Trial) -> None:
    trial.script(length_s=FOR_EVER_S)
    trial.ask()
    trial.be_under_way()


Scene = Callable[[Trial], None]
Failpoints = dict[Scene, dict[str, tuple[str, ...]]]

BETWEEN: Failpoints = {
    on_its_way: {
        "before_write": IN_A_THREAD,
        "after_write": COMMITTED,
        "intent_committed": ACTS,
        "watch_begun": ACTS,
        "before_submitting": ACTS,
        "before_submitting before_write": IN_A_THREAD,
        "before_submit": ACTS,
        "submit_answered": ACTS,
        "after_submit": ACTS,
        "after_submit before_write": IN_A_THREAD,
        "after_id": ACTS,
        "before_poll": ACTS,
        "after_poll": ACTS,
        "before_collecting": ACTS,
        "after_collecting": ACTS,
        "before_download": ACTS,
        "mid_download": ACTS,
        "downloaded": ACTS,
        "before_rename": ACTS,
        "downloaded before_sync": IN_A_THREAD,
        "downloaded after_sync": IN_A_THREAD,
        "downloaded linked": IN_A_THREAD,
        "downloaded renamed": IN_A_THREAD,
        "after_rename": ACTS,
        "before_commit": ACTS,
        "before_commit before_write": IN_A_THREAD,
        "before_commit after_write": COMMITTED,
        "after_commit": ACTS,
        "told": ACTS,
        "before_illustrating": IN_A_THREAD,  # the drawer goes on: whoever cancels it is at the end of the app
        "illustrated": ACTS,
    },
    with_a_lost_answer: {
        "submit_lost": ACTS,
        "unconfirmed": ACTS,
        "before_search": ACTS,
        "after_search": ACTS,
        "after_search before_write": IN_A_THREAD,
    },
    with_a_busy_backend: {"submit_lost": ACTS, "back_to_pending": ACTS},
}
AROUND: Failpoints = {
    with_a_failure: {"before_failing": ACTS, "after_failing": ACTS},
    before_the_message: {"before_late": ACTS, "after_late": ACTS},
    in_the_slow_watch: {"before_poll": ACTS, "after_poll": ACTS},
    at_a_stop: {"stopped": ACTS, "told_to_stop": ACTS},
    at_a_renewal: {
        "before_renewal": ACTS,
        "before_renewal before_write": IN_A_THREAD,
        "before_renewal after_write": COMMITTED,
        "after_renewal": ACTS,
    },
    at_a_claim_after_a_bug: {"before_claim": ACTS, "after_claim": ACTS},
    at_the_start: {"before_claim": ACTS, "after_claim": ACTS},
    at_the_end: {
        "chats_closed": ACTS,
        "watching_closed": ACTS,
        "tasks_ended": ACTS,
        "delivery_closed": ACTS,
        "worker_closed": ACTS,
        "downloader_closed": ACTS,
        "backend_closed": ACTS,
        "journal_flushed": ACTS,
        "leases_released": ACTS,
        "store_closed": ACTS,
    },
}


def listed(failpoints: Failpoints) -> list[tuple[Scene, str, str]]:
    return [
        (scene, points, act)
        for scene, all_points in failpoints.items()
        for points, acts in all_points.items()
        for act in acts
    ]


def named(value: object) -> str:
    return str(getattr(value, "__name__", value)).replace("_", " ")
