"""A thousand generations at a paid backend without idempotency keys, with kill -9 every one to two seconds."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.support.eventually import holds_within
from tests.support.fault_server import WireServer
from tests.support.killable_app import ForkServer, KillableApp, killable_app, wire_settings
from tests.support.proof_counts import proven

pytestmark = [pytest.mark.proof, pytest.mark.timeout(3600)]

GENERATIONS, KILLS, CLIENTS = 1000, 30, 6
PACE_S = 0.3
"""Each client's pause, so that the kills hit all stages."""


@pytest.fixture
def wire() -> Iterator[WireServer]:
    rng = random.Random(1)
    with WireServer(idempotent=False) as wire:
        wire.script(progress_every_s=0.1)
        for number in range(GENERATIONS):
            wire.script(prompt=_prompt(number), length_s=rng.uniform(0.05, 1.5))
        yield wire


@pytest.fixture
def app(wire: WireServer, tmp_path: Path) -> Iterator[KillableApp]:
    fork_server = ForkServer()
    with killable_app(fork_server, tmp_path / "loop", **wire_settings(wire)) as app:
        app.wait_for_models()
        yield app
    fork_server.close()


def test_a_thousand_generations_live_through_it(
    app: KillableApp, wire: WireServer, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = time.monotonic()
    killer = Killer(app)
    with ThreadPoolExecutor(CLIENTS) as clients:
        ids = list(clients.map(lambda number: _accepted(app, number), range(GENERATIONS)))
    killer.finish(at_least=KILLS)

    _complete_all(app, wire)
    counts = {"generations": len(ids), "kills": killer.kills, **_counts(app, wire, ids)}
    proven("loop", **counts)
    with capsys.disabled():
        print(f"\n{counts} in {time.monotonic() - begun:.0f} s")
    assert counts == {
        "generations": GENERATIONS,
        "kills": killer.kills,
        "lost": 0,
        "twice": 0,
        "paid_twice": 0,
        "wrong_bytes": 0,
        "left_over": 0,
    }
    assert killer.kills >= KILLS
    assert "Traceback" not in app.log


class Killer:
    """Kills the app every one to two seconds and restarts it at once."""

    def __init__(self, app: KillableApp) -> None:
        self.kills = 0
        self._app = app
        self._rng = random.Random(20_261_122)
        self._at_least: int | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self, *, at_least: int) -> None:
        self._at_least = at_least
        self._thread.join()

    def _run(self) -> None:
        while self._at_least is None or self.kills < self._at_least:
            time.sleep(self._rng.uniform(1.0, 2.0))
            self._app.kill()
            self.kills += 1
            self._app.start()


def _accepted(app: KillableApp, number: int) -> str:
    """Repeats the request with the same key until it gets its 202."""
    kind = "video" if number % 5 == 0 else "image"
    body, key = {"prompt": _prompt(number)}, f"key-{number}"
    time.sleep(PACE_S)
    while True:
        with suppress(httpx.TransportError):
            answer = app.post(f"/api/generate/{kind}", body, **{"Idempotency-Key": key})
            if answer.status_code == 202:
                return str(answer.json()["fileId"])
            assert answer.status_code == 503, answer.text  # the model list is not known yet
        time.sleep(0.1)


def _complete_all(app: KillableApp, wire: WireServer) -> None:
    """Submits again, as a person would, what the backend's list shows was never sent."""

    def all_completed() -> bool:
        rows = app.rows()
        for row in rows:
            if row["phase"] == "unconfirmed" and wire.submits_by_prompt[row["prompt"]] == 0:
                app.post(f"/api/file/{row['id']}/submit-again")
        time.sleep(0.5)
        return all(row["phase"] == "completed" for row in rows)

    holds_within(all_completed, 180)


def _counts(app: KillableApp, wire: WireServer, ids: list[str]) -> dict[str, int]:
    left_over = app.mismatched_files(60)
    rows = app.rows()
    completions = Counter(re.findall(r"(\S+) completed channel=", app.log))
    completed = {row["id"] for row in rows if row["phase"] == "completed"}
    jobs = Counter(job.config["prompt"] for job in wire.jobs.values())
    kept = [row for row in rows if row["kept"]]
    return {
        "lost": len(set(ids) - completed),
        "twice": len(rows) - len(set(ids)) + sum(count - 1 for count in completions.values()),
        "paid_twice": sum(count - 1 for count in jobs.values()),
        "wrong_bytes": sum(not app.has_content(row, wire.content(row["job_id"])) for row in kept),
        "left_over": left_over,
    }


def _prompt(number: int) -> str:
    return f"the kite of round {number}"
