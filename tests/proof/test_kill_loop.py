"""A thousand generations at a paid backend that knows no keys, and kill -9 every one to two seconds."""

from __future__ import annotations

import hashlib
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

from tests.support.fault_server import WireServer
from tests.support.kill_app import KillableApp, Nursery, Row, cloud, eventually, killable_app
from tests.support.proof_counts import proven

pytestmark = [pytest.mark.proof, pytest.mark.timeout(3600)]

GENERATIONS, KILLS, ASKERS = 1000, 30, 6
PACE_S = 0.3
"""An asker's pause, so that the kills come in the middle of it."""


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
    nursery = Nursery()
    with killable_app(nursery, tmp_path / "loop", **cloud(wire)) as app:
        app.wait_for_models()
        yield app
    nursery.close()


def test_a_thousand_generations_live_through_it(
    app: KillableApp, wire: WireServer, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = time.monotonic()
    killer = Killer(app)
    with ThreadPoolExecutor(ASKERS) as askers:
        ids = list(askers.map(lambda number: _accepted(app, number), range(GENERATIONS)))
    killer.finish(at_least=KILLS)

    _let_all_come_home(app, wire)
    counts = {"generations": len(ids), "kills": killer.kills, **_judged(app, wire, ids)}
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
    """Pulls the plug every one to two seconds, and puts it back at once."""

    def __init__(self, app: KillableApp) -> None:
        self.kills = 0
        self._app = app
        self._rng = random.Random(20_261_122)
        self._enough: int | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self, *, at_least: int) -> None:
        self._enough = at_least
        self._thread.join()

    def _run(self) -> None:
        while self._enough is None or self.kills < self._enough:
            time.sleep(self._rng.uniform(1.0, 2.0))
            self._app.kill()
            self.kills += 1
            self._app.start()


def _accepted(app: KillableApp, number: int) -> str:
    """As a client does that goes on asking with the same key until it has its 202."""
    kind = "video" if number % 5 == 0 else "image"
    body, key = {"prompt": _prompt(number)}, f"key-{number}"
    time.sleep(PACE_S)
    while True:
        with suppress(httpx.TransportError):
            answer = app.post(f"/api/generate/{kind}", body, **{"Idempotency-Key": key})
            if answer.status_code == 202:
                return str(answer.json()["fileId"])
            assert answer.status_code == 503, answer.text  # no list of models yet
        time.sleep(0.1)


def _let_all_come_home(app: KillableApp, wire: WireServer) -> None:
    """A person sends again what nobody knows to have been sent, and looks: it was not."""

    def home() -> bool:
        rows = app.rows()
        for row in rows:
            if row["phase"] == "unconfirmed" and wire.submits_by_prompt[row["prompt"]] == 0:
                app.post(f"/api/file/{row['id']}/submit-again")
        time.sleep(0.5)
        return all(row["phase"] == "completed" for row in rows)

    with suppress(AssertionError):
        eventually(home, 180)


def _judged(app: KillableApp, wire: WireServer, ids: list[str]) -> dict[str, int]:
    with suppress(AssertionError):
        eventually(lambda: app.media() == app.named(), 60)
    rows = app.rows()
    told = Counter(re.findall(r"(\S+) completed channel=", app.log))
    completed = {row["id"] for row in rows if row["phase"] == "completed"}
    jobs = Counter(job.config["prompt"] for job in wire.jobs.values())
    return {
        "lost": len(set(ids) - completed),
        "twice": len(rows) - len(set(ids)) + sum(count - 1 for count in told.values()),
        "paid_twice": sum(count - 1 for count in jobs.values()),
        "wrong_bytes": sum(1 for row in rows if row["kept"] and not _right(app, wire, row)),
        "left_over": len(app.media() ^ app.named()),
    }


def _right(app: KillableApp, wire: WireServer, row: Row) -> bool:
    path, content = app.data_dir / "media" / row["kept"]["name"], wire.content(row["job_id"])
    return path.read_bytes() == content and row["kept"]["sha256"] == hashlib.sha256(content).hexdigest()


def _prompt(number: int) -> str:
    return f"the kite of round {number}"
