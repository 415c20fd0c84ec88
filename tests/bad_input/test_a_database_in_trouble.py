"""A database file that somebody else holds, or that is damaged deep inside: at the start and in mid-life.

The narrower tests: garbage, a newer version and a full disk in tests/services/app/test_bad_start.py, single writes that fail in
tests/services/store.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.app import ROOT, RunningApp, running_app
from tests.support.fault_server import WireServer
from tests.support.killable_app import wire_settings
from tests.support.proof_counts import proven

pytestmark = [pytest.mark.proof, pytest.mark.timeout(400)]

PAGE_BYTES = 4096


@pytest.fixture
def wire() -> Iterator[WireServer]:
    with WireServer(idempotent=False) as wire:
        yield wire


@contextmanager
def held(database: Path, how: str) -> Iterator[None]:
    """By another program, which writes."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(f"BEGIN {how}")
        yield
        connection.execute("ROLLBACK")


def refused(folder: Path, wire: WireServer) -> str:
    """What `python main.py` says when it does not start."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "RUSHES_"))}
    env |= {"RUSHES_DATA_DIR": str(folder), "RUSHES_PORT": "0", **wire_settings(wire)}
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("Rushes cannot start: ")
    return done.stderr


def filled(app: RunningApp, wire: WireServer, rows: int = 30) -> list[str]:
    """So many long prompts that the rows lie on many pages; all of it in the main file."""
    wire.script(length_s=0.1)
    ids = [
        app.generate(f"kite {number} " + "over the sea " * 600, model="wire/film") for number in range(rows)
    ]
    for each in ids:
        app.wait_for(each)
    with closing(sqlite3.connect(app.data_dir / "rushes.db", timeout=20)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return ids


def damage(database: Path) -> None:
    """The generations' older rows, deep in the file: what spills over from their leaves, and the first leaves."""
    of = "SELECT pageno FROM dbstat WHERE name = 'generations' AND pagetype = ? ORDER BY path"
    with closing(sqlite3.connect(database)) as connection:
        spilled = [number for (number,) in connection.execute(of, ("overflow",))]
        leaves = [number for (number,) in connection.execute(of, ("leaf",))]
    assert len(spilled) > 10 and len(leaves) > 4
    with database.open("r+b") as file:
        for number in [*spilled[: len(spilled) // 2], *leaves[: len(leaves) // 2]]:
            file.seek((number - 1) * PAGE_BYTES)
            file.write(os.urandom(PAGE_BYTES))


def page(app: RunningApp, path: str) -> httpx.Response:
    return httpx.get(app.url + path, timeout=30, trust_env=False, headers={"Accept": "text/html"})


def test_held_at_the_start_it_is_refused_with_a_sentence(wire: WireServer, tmp_path: Path) -> None:
    with running_app(tmp_path, **wire_settings(wire)) as app:
        app.wait_for_models()
        app.stop()
        with held(tmp_path / "rushes.db", "EXCLUSIVE"):
            assert "in use by another program" in refused(tmp_path, wire)
        app.start()
        assert app.get("/health")["status"]
    proven("bad input", cases=1, harmed=0)


def test_held_in_mid_life_new_work_waits_or_is_refused_and_what_runs_arrives(
    wire: WireServer, tmp_path: Path
) -> None:
    with running_app(tmp_path, **wire_settings(wire)) as app:
        app.wait_for_models()
        wire.script(length_s=2.0)
        file_ids = [app.generate(f"a kite {number}", model="wire/film") for number in range(5)]
        for each in file_ids:
            app.wait_for(each, status="processing")
        with held(tmp_path / "rushes.db", "IMMEDIATE"):
            begun = time.monotonic()
            answer = httpx.post(app.url + "/api/generate/video", json={"prompt": "now", "model": "wire/film"}, timeout=60, trust_env=False)  # fmt: skip
            took_s = time.monotonic() - begun
            assert answer.status_code == 503
            assert "in use by another program" in answer.json()["error"]
            assert took_s < 20
            assert page(app, "/library").status_code == 200, "reading goes on"
            time.sleep(3)
        for number, each in enumerate(file_ids):
            app.wait_for(each)
            (job,) = (job for job in wire.jobs.values() if job.config["prompt"] == f"a kite {number}")
            assert httpx.get(app.get(f"/api/file/{each}")["url"], trust_env=False).content == wire.content(
                job.id
            )
            assert wire.submits_by_prompt[f"a kite {number}"] == 1
        assert wire.submits_by_prompt["now"] == 0
        assert "Traceback" not in app.log
    proven("bad input", cases=1, harmed=0)


def test_damaged_at_the_start_it_is_refused_and_left_as_it_is(wire: WireServer, tmp_path: Path) -> None:
    with running_app(tmp_path, **wire_settings(wire)) as app:
        app.wait_for_models()
        filled(app, wire)
        app.stop()
        database = tmp_path / "rushes.db"
        media = sorted(path.name for path in (tmp_path / "media").rglob("*.mp4"))
        damage(database)
        before = database.read_bytes()
        said = refused(tmp_path, wire)
        assert "is damaged" in said and ".recover" in said
        assert database.read_bytes() == before
        assert sorted(path.name for path in (tmp_path / "media").rglob("*.mp4")) == media
    proven("bad input", cases=1, harmed=0)


def test_damaged_in_mid_life_it_is_said_and_what_still_can_goes_on(wire: WireServer, tmp_path: Path) -> None:
    with running_app(tmp_path, **wire_settings(wire)) as app:
        app.wait_for_models()
        ids = filled(app, wire)
        wire.script(prompt="under way", length_s=4.0)
        under_way = app.generate("under way", model="wire/film")
        app.wait_for(under_way, status="processing")
        with closing(sqlite3.connect(tmp_path / "rushes.db", timeout=20)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        damage(tmp_path / "rushes.db")

        answers = [httpx.get(f"{app.url}/api/file/{each}", trust_env=False, timeout=30) for each in ids]
        hit = [answer for answer in answers if answer.status_code != 200]
        assert hit, "the damage was met"
        for answer in hit:
            assert answer.status_code == 503
            assert "could not be read" in answer.json()["error"]
        (library,) = {page(app, "/library").status_code}
        assert library in (200, 500)
        assert "malformed" in page(app, f"/g/{ids[0]}").text
        health = httpx.get(app.url + "/health", trust_env=False)
        assert health.status_code == 503
        assert "damaged" in " ".join(health.json()["reasons"])
        assert len(re.findall("The database file is damaged", app.log)) == 1, "told once"

        app.wait_for(under_way, within_s=60)
        (job,) = (job for job in wire.jobs.values() if job.config["prompt"] == "under way")
        assert httpx.get(app.get(f"/api/file/{under_way}")["url"], trust_env=False).content == wire.content(
            job.id
        )
        assert app.stop() < 5
        assert app.process.returncode == 0
    proven("bad input", cases=1, harmed=0)


@pytest.mark.parametrize("put_back", ["an older one", "none"])
def test_a_database_that_was_put_back_or_begun_anew_costs_no_clip(
    put_back: str, wire: WireServer, tmp_path: Path
) -> None:
    database, backup = tmp_path / "data" / "rushes.db", tmp_path / "backup.db"
    wire.script(length_s=0.1)
    with running_app(tmp_path / "data", **wire_settings(wire)) as app:
        app.wait_for_models()
        app.wait_for(app.generate("before the backup", model="wire/film"))
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("VACUUM INTO ?", (str(backup),))
        time.sleep(20)  # a clip that came within seconds of the backup may be a crash's
        app.wait_for(app.generate("after the backup", model="wire/film"))
        app.stop()
        media = films(app)
        for path in tmp_path.glob("data/rushes.db*"):
            path.unlink()
        if put_back == "an older one":
            backup.replace(database)
        for _ in range(2):
            app.start()
            app.wait_until(lambda: "belong to no generation here, and stay" in app.log, 20)
            app.wait_for_models()
            app.wait_for(app.generate("and on it goes", model="wire/film"))
            app.stop()
            assert media <= films(app)
    proven("bad input", cases=1, harmed=0)


def films(app: RunningApp) -> set[str]:
    """Previews are drawn again where the row of the backup knows of none."""
    lying = (app.data_dir / "media").rglob("*.mp4")
    return {path.name for path in lying if ".parts" not in path.parts and ".preview." not in path.name}
