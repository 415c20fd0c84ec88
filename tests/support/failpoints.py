"""A generation that runs into a failpoint in a real process, and what must be true of it afterwards."""

from __future__ import annotations

import hashlib
import re
import signal
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

import httpx

from tests.support.fault_server import WireServer
from tests.support.kill_app import KillableApp, Row, eventually
from tests.support.proof_counts import proven

ACTS = ("kill", "stop", "raise", "cancel")
IN_A_THREAD = ("kill", "stop", "raise")
"""There is no task to cancel."""
COMMITTED = ("kill", "stop")
"""Nothing is left there that could raise."""

LEASE_S = 1.5
ASLEEP_S = 2.0
SETTINGS = {
    "KILL_LEASE_S": str(LEASE_S),
    "RUSHES_POLL_EVERY_S": "0.5",
    "RUSHES_POLL_ATTEMPTS": "1",  # so that every generation comes to the slow watch after half a second
}
WITHIN_S = 60.0
FOR_EVER_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    lost: int
    twice: int
    paid_twice: int
    wrong_bytes: int
    left_over: int


class Trial:
    """`points` are checkpoints, reached one after the other; at the last one the act is done."""

    def __init__(self, app: KillableApp, wire: WireServer, scene: str, points: str, act: str) -> None:
        self.app = app
        self.wire = wire
        self.act = act
        self.points = points.split()
        self.prompt = f"a kite, {scene}, {points}, {act}"
        self._beside: Trial | None = None
        self._asking: list[threading.Thread] = []

    # -- what happens ------------------------------------------------------------------------

    def script(self, **changes: Any) -> None:
        self.wire.script(prompt=self.prompt, **changes)

    def order(self, *points: str, act: str = "") -> None:
        self.app.order(*(points or self.points), act=act or self.act)

    def ask(self) -> None:
        """As a client does that goes on asking with the same key until it has its 202."""
        self._in_the_background(self._ask)

    def post(self, act: str) -> None:
        """To this generation; whether it is answered does not matter."""
        path = f"/api/file/{self.row['id']}/{act}"
        self._in_the_background(lambda: _answered(self.app, path))

    def put_one_beside(self) -> None:
        """Another generation that is under way meanwhile."""
        self._beside = Trial(self.app, self.wire, f"beside {self.prompt}", self.points[-1], self.act)
        self._beside.script(length_s=FOR_EVER_S)
        self._beside.ask()
        self._beside.be_under_way()

    def be_under_way(self) -> None:
        self.wait_for("processing")

    def happen(self) -> None:
        """Until the app is there, and is well again."""
        self.app.wait_until_it_is_there()
        if self.act == "kill":
            self.app.wait_for_its_death()
            self.app.start()
        elif self.act == "stop":
            self.app.sleep_on(ASLEEP_S)

    def end_and_start_again(self) -> None:
        """The same for a failpoint on the way down or up: whatever happens there, it ends or is told to."""
        self.app.wait_until_it_is_there()
        if self.act == "stop":
            self.app.sleep_on(ASLEEP_S)
        if self.app.process.poll() is None:
            self.app.process.send_signal(signal.SIGTERM)
        self.app.process.wait(20)
        eventually(lambda: not self.app.left_behind(), 15)
        self.app.start()

    def finish(self) -> None:
        """The backend's job ends now."""
        eventually(lambda: self.jobs, WITHIN_S)
        for job in self.jobs:
            self.wire.finish(job)

    # -- how it stands -----------------------------------------------------------------------

    @property
    def rows(self) -> list[Row]:
        return [row for row in self.app.rows() if row["prompt"] == self.prompt]

    @property
    def row(self) -> Row:
        (row,) = self.rows
        return row

    @property
    def jobs(self) -> list[str]:
        """Those that were paid for."""
        return [job.id for job in list(self.wire.jobs.values()) if job.config.get("prompt") == self.prompt]

    def wait_for(self, phase: str) -> None:
        self.app.wait_until(lambda: [row["phase"] for row in self.rows] == [phase], WITHIN_S)

    def row_is_unsent(self) -> bool:
        """It waits for a person, as nobody knows whether it was sent; this backend has never seen it."""
        early = ([], ["pending"], ["submitting"])
        self.app.wait_until(lambda: [row["phase"] for row in self.rows] not in early, WITHIN_S)
        return self.row["phase"] == "unconfirmed" and not self.jobs

    # -- what must be true -------------------------------------------------------------------

    def must_have_ended_well(self, phase: str = "completed") -> Row:
        """Final and once, paid once, these bytes and no others, nothing left; the same of the one beside."""
        verdict = self.judged(phase)
        proven("kills", failpoints=1, **asdict(verdict))
        assert verdict == Verdict(lost=0, twice=0, paid_twice=0, wrong_bytes=0, left_over=0), self.app.log[
            -6000:
        ]
        if self._beside is not None:
            self._beside.must_be_unharmed()
        for thread in self._asking:
            thread.join(WITHIN_S)
            assert not thread.is_alive()
        return self.row

    def must_be_unharmed(self) -> None:
        """R10: nothing that happened beside it was felt here."""
        assert self.row["phase"] in ("processing", "collecting")
        trace = self.app.get(f"/api/file/{self.row['id']}/trace")["items"]
        assert "bug" not in [entry["event"] for entry in trace]
        self.finish()
        assert self.judged("completed") == Verdict(lost=0, twice=0, paid_twice=0, wrong_bytes=0, left_over=0)

    def judged(self, phase: str) -> Verdict:
        try:
            eventually(lambda: [row["phase"] for row in self.rows] == [phase], WITHIN_S)
            lost = 0
        except AssertionError:
            lost = 1
        try:
            eventually(lambda: self.app.media() == self.app.named(), 15)
            left_over = 0
        except AssertionError:
            left_over = len(self.app.media() ^ self.app.named())
        rows, jobs = self.rows, self.jobs
        told = sum(len(re.findall(f"{row['id']} completed channel=", self.app.log)) for row in rows)
        wrong = [row for row in rows if row["kept"] and not self._right(row)]
        return Verdict(
            lost=lost,
            twice=max(0, len(rows) - 1) + max(0, told - 1),
            paid_twice=max(0, len(jobs) - 1),
            wrong_bytes=len(wrong),
            left_over=left_over,
        )

    def _right(self, row: Row) -> bool:
        content = self.wire.content(row["job_id"])
        on_disk = (self.app.data_dir / "media" / row["kept"]["name"]).read_bytes()
        return on_disk == content and row["kept"]["sha256"] == hashlib.sha256(content).hexdigest()

    # -- below -------------------------------------------------------------------------------

    def _ask(self) -> None:
        deadline = time.monotonic() + WITHIN_S
        kind = "image" if self.prompt.startswith("a kite, beside") else "video"
        key = hashlib.sha256(self.prompt.encode()).hexdigest()
        while time.monotonic() < deadline:
            body = {"prompt": self.prompt}
            if _answered(self.app, f"/api/generate/{kind}", body, **{"Idempotency-Key": key}) == 202:
                return
            time.sleep(0.2)

    def _in_the_background(self, act: Any) -> None:
        thread = threading.Thread(target=act, daemon=True)
        thread.start()
        self._asking.append(thread)


def _answered(app: KillableApp, path: str, body: Any = None, **headers: str) -> int:
    try:
        return app.post(path, body, **headers).status_code
    except httpx.TransportError:
        return 0
