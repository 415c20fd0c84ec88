"""A generation that hits a failpoint in a real process, and the checks on its outcome."""

from __future__ import annotations

import hashlib
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.support.eventually import holds_within, wait_until
from tests.support.fault_server import WireServer
from tests.support.killable_app import KillableApp, Row, delivery_counts
from tests.support.proof_counts import proven

ACTS = ("kill", "stop", "raise", "cancel")
THREAD_ACTS = ("kill", "stop", "raise")
"""In a worker thread there is no task to cancel."""
COMMITTED_ACTS = ("kill", "stop")
"""After the commit nothing is left that could raise."""

LEASE_S = 1.5
PAUSE_S = 2.0
SETTINGS = {
    "FAILPOINT_LEASE_S": str(LEASE_S),
    "RUSHES_POLL_EVERY_S": "0.5",
    "RUSHES_POLL_ATTEMPTS": "1",  # so that every generation is polled slowly after half a second
}
WITHIN_S = 60.0
FOREVER_S = 600.0
FAULTLESS = {"lost": 0, "twice": 0, "paid_twice": 0, "wrong_bytes": 0, "left_over": 0}


class Trial:
    """`points` are checkpoints, reached in this order; the act is performed at the last one."""

    def __init__(self, app: KillableApp, wire: WireServer, scenario: str, points: str, act: str) -> None:
        self.app = app
        self.wire = wire
        self.act = act
        self.points = points.split()
        self.prompt = f"a kite, {scenario}, {points}, {act}"
        self._bystander: Trial | None = None
        self._threads: list[threading.Thread] = []

    # -- actions -----------------------------------------------------------------------------

    def script(self, **changes: Any) -> None:
        self.wire.script(prompt=self.prompt, **changes)

    def arm(self, *points: str, act: str = "") -> None:
        self.app.arm(*(points or self.points), act=act or self.act)

    def submit(self) -> None:
        """In the background, like a client that repeats the request with the same key until it gets its 202."""
        self._run_in_thread(self._submit)

    def post(self, action: str) -> None:
        """In the background, to this generation; whether it is answered does not matter."""
        path = f"/api/file/{self.row['id']}/{action}"
        self._run_in_thread(lambda: _status_of(self.app, path))

    def start_bystander(self) -> None:
        """Another generation that is in progress meanwhile."""
        self._bystander = Trial(self.app, self.wire, f"beside {self.prompt}", self.points[-1], self.act)
        self._bystander.start_long_job()

    def start_long_job(self) -> None:
        self.script(length_s=FOREVER_S)
        self.submit()
        self.wait_for("processing")

    def hit(self) -> None:
        """Returns when the failpoint was hit and the app runs again."""
        self.app.wait_until_hit()
        if self.act == "kill":
            self.app.wait_until_killed()
            self.app.start()
        elif self.act == "stop":
            self.app.resume_after(PAUSE_S)

    def kill(self) -> None:
        self.app.kill()
        self.app.process.wait(10)

    def hit_and_restart(self) -> None:
        """The same for a failpoint during startup or shutdown: the app ends by itself or by SIGTERM."""
        self.app.wait_until_hit()
        if self.act == "stop":
            self.app.resume_after(PAUSE_S)
        if self.app.process.poll() is None:
            self.app.process.send_signal(signal.SIGTERM)
        self.app.process.wait(20)
        wait_until(lambda: not self.app.orphans(), 15)
        self.app.start()

    def finish(self) -> None:
        """Ends the backend's job now."""
        wait_until(lambda: self.wire.jobs_of(self.prompt), WITHIN_S)
        for job in self.wire.jobs_of(self.prompt):
            self.wire.finish(job.id)

    # -- state -------------------------------------------------------------------------------

    @property
    def row(self) -> Row:
        return self.app.row_of(self.prompt)

    def _phases(self) -> list[str]:
        return [row["phase"] for row in self.app.rows_of(self.prompt)]

    def wait_for(self, phase: str) -> None:
        self.app.wait_until(lambda: self._phases() == [phase], WITHIN_S)

    def is_unsent(self) -> bool:
        """It is unconfirmed and waits for a person; this backend has never received it."""
        self.app.wait_until(lambda: self._phases() not in ([], ["pending"], ["submitting"]), WITHIN_S)
        return self.row["phase"] == "unconfirmed" and not self.wire.jobs_of(self.prompt)

    # -- checks ------------------------------------------------------------------------------

    def assert_delivered(self, phase: str = "completed") -> Row:
        """Final once, paid once, the right bytes, nothing left over; the bystander unharmed."""
        counts = self._counts(phase)
        proven("kills", failpoints=1, **counts)
        assert counts == FAULTLESS, self.app.log[-6000:]
        if self._bystander is not None:
            self._bystander.assert_unharmed()
        for thread in self._threads:
            thread.join(WITHIN_S)
            assert not thread.is_alive()
        return self.row

    def assert_unharmed(self) -> None:
        """R10: a failure in another generation does not reach this one."""
        assert self.row["phase"] in ("processing", "collecting")
        trace = self.app.get(f"/api/file/{self.row['id']}/trace")["items"]
        assert "bug" not in [entry["event"] for entry in trace]
        self.finish()
        assert self._counts("completed") == FAULTLESS

    def _counts(self, phase: str) -> dict[str, int]:
        holds_within(lambda: self._phases() == [phase], WITHIN_S)
        left_over = self.app.mismatched_files(15)
        return delivery_counts(self.prompt, self.wire, self.app, phase=phase) | {"left_over": left_over}

    def _submit(self) -> None:
        deadline = time.monotonic() + WITHIN_S
        kind = "image" if self.prompt.startswith("a kite, beside") else "video"
        key = hashlib.sha256(self.prompt.encode()).hexdigest()
        while time.monotonic() < deadline:
            body = {"prompt": self.prompt}
            if _status_of(self.app, f"/api/generate/{kind}", body, **{"Idempotency-Key": key}) == 202:
                return
            time.sleep(0.2)

    def _run_in_thread(self, function: Callable[[], object]) -> None:
        thread = threading.Thread(target=function, daemon=True)
        thread.start()
        self._threads.append(thread)


def _status_of(app: KillableApp, path: str, body: Any = None, **headers: str) -> int:
    try:
        return app.post(path, body, **headers).status_code
    except httpx.TransportError:
        return 0
