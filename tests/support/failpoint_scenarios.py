"""The scenarios that lead a generation to each failpoint; see tests.support.failpoint_trial."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.failpoint_trial import ACTS, COMMITTED_ACTS, FOREVER_S, SETTINGS, THREAD_ACTS, Trial
from tests.support.fault_server import WireServer
from tests.support.killable_app import ForkServer, KillableApp, killable_app, wire_settings

SURVIVABLE_ACTS = ("raise", "cancel")
"""The process lives on, so another generation must be unharmed."""


class ScenarioRunner:
    """One app and its paid backend, which takes no idempotency keys, shared by many failpoints in turn."""

    def __init__(self, app: KillableApp, wire: WireServer) -> None:
        self.app = app
        self.wire = wire

    def run(self, scenario: Scenario, points: str, act: str) -> None:
        trial = Trial(self.app, self.wire, readable(scenario), points, act)
        if act in SURVIVABLE_ACTS and scenario not in (startup, shutdown):
            trial.start_bystander()
        scenario(trial)


@contextmanager
def scenario_runner(folder: Path) -> Iterator[ScenarioRunner]:
    fork_server = ForkServer()
    with WireServer(idempotent=False) as wire:
        wire.script(length_s=0.2, progress_every_s=0.1)
        with killable_app(fork_server, folder / "data", **wire_settings(wire, **SETTINGS)) as app:
            app.wait_for_models()
            yield ScenarioRunner(app, wire)
    fork_server.close()


def delivery(trial: Trial) -> None:
    trial.arm()
    trial.submit()
    trial.hit()
    if trial.is_unsent():
        trial.post("submit-again")
    trial.assert_delivered()


def lost_answer(trial: Trial) -> None:
    """The job is accepted and paid for, then the connection breaks: the search adopts it."""
    trial.script(submit="lost", submit_times=1)
    delivery(trial)


def busy_backend(trial: Trial) -> None:
    trial.script(submit="503", submit_times=1)
    delivery(trial)


def unverified_result(trial: Trial) -> None:
    """Its bytes come whole in no known format: fetched twice, then kept as they came."""
    trial.script(result="unknown")
    delivery(trial)
    assert trial.row["kept"]["problem"]["code"] == "unknown"
    held = trial.app.data_dir / "media" / ".parts"
    trial.app.wait_until(lambda: not list(held.glob("*.held")), 10)


def failed_job(trial: Trial) -> None:
    trial.script(fails="the model has no idea")
    trial.arm()
    trial.submit()
    trial.hit()
    trial.assert_delivered("error")


def overdue_message(trial: Trial) -> None:
    trial.script(length_s=FOREVER_S)
    trial.arm()
    trial.submit()
    trial.hit()
    trial.finish()
    trial.assert_delivered()


def slow_polling(trial: Trial) -> None:
    trial.start_long_job()
    trial.app.wait_until(lambda: trial.row["late_since"], 20)
    trial.arm()
    trial.post("check")
    trial.hit()
    trial.finish()
    trial.assert_delivered()


def stop_request(trial: Trial) -> None:
    """A person stops it; the paid result arrives all the same and is kept apart."""
    trial.start_long_job()
    trial.arm()
    trial.post("stop")
    trial.hit()
    trial.wait_for("dropped")
    trial.finish()
    row = trial.assert_delivered()
    assert row["stop_requested_at"] is not None


def lease_renewal(trial: Trial) -> None:
    trial.start_long_job()
    epoch = trial.row["epoch"]
    trial.arm()
    trial.hit()
    if trial.act == "stop":
        trial.app.wait_until(lambda: trial.row["epoch"] > epoch, 10)  # claimed again
    if trial.act == "cancel":  # of the renewal task, which main only ends at shutdown
        trial.kill()
        trial.app.start()
    trial.finish()
    trial.assert_delivered()


def claim_after_bug(trial: Trial) -> None:
    trial.start_long_job()
    trial.arm("before_poll", act="raise")
    trial.post("check")
    trial.app.wait_until_hit()
    trial.arm()
    trial.hit()
    trial.finish()
    trial.assert_delivered()


def startup(trial: Trial) -> None:
    trial.start_long_job()
    trial.kill()
    trial.arm()
    trial.app.launch()
    trial.hit_and_restart()
    trial.finish()
    trial.assert_delivered()


def shutdown(trial: Trial) -> None:
    trial.start_long_job()
    trial.arm()
    trial.app.process.send_signal(signal.SIGTERM)
    trial.hit_and_restart()
    trial.finish()
    trial.assert_delivered()


Scenario = Callable[[Trial], None]
Failpoints = dict[Scenario, dict[str, tuple[str, ...]]]

DELIVERY: Failpoints = {
    delivery: {
        "before_write": THREAD_ACTS,
        "after_write": COMMITTED_ACTS,
        "intent_committed": ACTS,
        "watch_begun": ACTS,
        "before_submitting": ACTS,
        "before_submitting before_write": THREAD_ACTS,
        "before_submit": ACTS,
        "submit_answered": ACTS,
        "after_submit": ACTS,
        "after_submit before_write": THREAD_ACTS,
        "after_id": ACTS,
        "before_poll": ACTS,
        "after_poll": ACTS,
        "before_collecting": ACTS,
        "after_collecting": ACTS,
        "before_download": ACTS,
        "mid_download": ACTS,
        "downloaded": ACTS,
        "before_rename": ACTS,
        "downloaded before_sync": THREAD_ACTS,
        "downloaded after_sync": THREAD_ACTS,
        "downloaded linked": THREAD_ACTS,
        "downloaded renamed": THREAD_ACTS,
        "after_rename": ACTS,
        "before_commit": ACTS,
        "before_commit before_write": THREAD_ACTS,
        "before_commit after_write": COMMITTED_ACTS,
        "after_commit": ACTS,
        "told": ACTS,
        "before_illustrating": THREAD_ACTS,  # the drawing task continues: only shutdown cancels it
        "illustrated": ACTS,
    },
    lost_answer: {
        "submit_lost": ACTS,
        "unconfirmed": ACTS,
        "before_search": ACTS,
        "after_search": ACTS,
        "after_search before_write": THREAD_ACTS,
    },
    unverified_result: {
        "before_hold": ACTS,
        "after_hold": ACTS,
        "after_hold before_download": ACTS,
        "after_hold after_hold": ACTS,
        "before_link": ACTS,
        "after_link": ACTS,
        "after_link before_commit": ACTS,
        "after_link before_commit after_write": COMMITTED_ACTS,
        "after_link after_commit": ACTS,
        "after_link told": ACTS,
    },
    busy_backend: {"submit_lost": ACTS, "back_to_pending": ACTS},
}
LIFECYCLE: Failpoints = {
    failed_job: {"before_failing": ACTS, "after_failing": ACTS},
    overdue_message: {"before_late": ACTS, "after_late": ACTS},
    slow_polling: {"before_poll": ACTS, "after_poll": ACTS},
    stop_request: {"stopped": ACTS, "told_to_stop": ACTS},
    lease_renewal: {
        "before_renewal": ACTS,
        "before_renewal before_write": THREAD_ACTS,
        "before_renewal after_write": COMMITTED_ACTS,
        "after_renewal": ACTS,
    },
    claim_after_bug: {"before_claim": ACTS, "after_claim": ACTS},
    startup: {"before_claim": ACTS, "after_claim": ACTS},
    shutdown: {
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


def parameters(failpoints: Failpoints) -> list[tuple[Scenario, str, str]]:
    return [
        (scenario, points, act)
        for scenario, all_points in failpoints.items()
        for points, acts in all_points.items()
        for act in acts
    ]


def readable(value: object) -> str:
    return str(getattr(value, "__name__", value)).replace("_", " ")
