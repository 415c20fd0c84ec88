"""An orderly end: quick, with exit code 0, without a traceback, and nothing is lost by it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.support.app import RunningApp
from tests.support.eventually import wait_until
from tests.support.fault_server import WireServer
from tests.support.killable_app import ForkServer, KillableApp, killable_app, orphans, padded, wire_settings
from tests.support.sample_media import tiny_film

pytestmark = pytest.mark.timeout(180)

WITHIN_S = 2.0


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[WireServer]:
    """Everything is under way for ever: two jobs that run, one whose film trickles in."""
    film = tmp_path / "large.mp4"
    film.write_bytes(padded(tiny_film(), 4_000_000))
    with WireServer(idempotent=False) as wire:
        wire.script(length_s=600, progress_every_s=0.2)
        trickle = {"download": "slow", "slow_s": 30.0, "download_times": 1}
        wire.script(prompt="trickle", length_s=0.2, result=str(film), **trickle)
        yield wire


def test_sigterm_with_everything_under_way_ends_the_app_within_two_seconds(
    wire: WireServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = RunningApp(tmp_path / "data", **wire_settings(wire, RUSHES_ANIMATIC="true"))
    try:
        with busy(app, wire) as ids:
            took_s = app.stop()
        _must_have_ended_well(app, took_s, capsys)
        _must_arrive_after_all(app, wire, ids)
    finally:
        app.stop()


@pytest.mark.proof
def test_ctrl_c_reaches_the_whole_group_and_ends_it_as_well(
    fork_server: ForkServer, wire: WireServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with killable_app(fork_server, tmp_path / "data", **wire_settings(wire, RUSHES_ANIMATIC="true")) as app:
        with busy(app, wire) as ids:
            begun = time.monotonic()
            os.killpg(app.process.pid, signal.SIGINT)
            app.process.wait(15)
        _must_have_ended_well(app, time.monotonic() - begun, capsys)
        _must_arrive_after_all(app, wire, ids)


@pytest.mark.proof
def test_a_stop_in_the_middle_of_a_preview_leaves_it_to_the_next_start(
    fork_server: ForkServer, wire: WireServer, tmp_path: Path
) -> None:
    with killable_app(fork_server, tmp_path / "data", **wire_settings(wire)) as app:
        app.wait_for_models()
        wire.script(length_s=0.1, result="small")
        _drawer(app).suspend()  # so that it surely has not drawn when the end comes
        file_id = app.generate("a kite that is kept, and not yet drawn")
        app.wait_for(file_id)
        app.stop()
        assert app.process.returncode == 0
        assert app.row(file_id)["poster"] is None
        assert "Traceback" not in app.log

        app.start()

        (job_id,) = wire.jobs
        app.assert_delivered(file_id, wire.content(job_id))


@pytest.mark.proof
def test_a_stop_while_the_app_is_still_starting_ends_well_too(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    with killable_app(fork_server, tmp_path / "data") as app:
        app.stop()
        app.launch()
        wait_until(lambda: orphans(app.data_dir, app.process.pid), 30)  # its first child is there
        app.stop()

        assert app.process.returncode == 0
        assert "Traceback" not in app.log
        app.wait_until(lambda: not app.orphans(), 10)


@contextmanager
def busy(app: RunningApp, wire: WireServer) -> Iterator[list[str]]:
    """Open streams to the backend, a running download, and a client at the event stream."""
    app.wait_for_models()
    ids = [app.generate(prompt, model="wire/film") for prompt in ("a first kite", "a second kite", "trickle")]
    app.wait_for(ids[2], status="collecting")
    app.wait_until(lambda: sum(len(job.listeners) for job in wire.jobs.values()) >= 2, 20)
    heard: list[str] = []
    client = threading.Thread(target=_listen, args=(f"{app.url}/api/events/file.{ids[0]}", heard))
    client.start()
    app.wait_until(lambda: heard, 20)
    yield ids
    client.join(10)
    assert not client.is_alive()


def _listen(url: str, heard: list[str]) -> None:
    with suppress(httpx.TransportError), httpx.stream("GET", url, timeout=60, trust_env=False) as answer:
        heard.extend(answer.iter_lines())  # grows while it is read


def _drawer(app: KillableApp) -> psutil.Process:
    """The worker of low priority, which makes posters and previews."""
    children = psutil.Process(app.process.pid).children()
    (drawer,) = (child for child in children if child.cmdline()[-2:] == ["10", str(app.process.pid)])
    return drawer


def _must_have_ended_well(app: RunningApp, took_s: float, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nended after {took_s:.2f} s")
    assert app.process.returncode == 0
    assert took_s < WITHIN_S
    assert "Traceback" not in app.log
    assert "KeyboardInterrupt" not in app.log
    assert " ERROR " not in app.log
    app.wait_until(lambda: not orphans(app.data_dir, app.process.pid), 10)
    assert not list((app.data_dir / "media" / ".parts").iterdir())


def _must_arrive_after_all(app: RunningApp, wire: WireServer, ids: list[str]) -> None:
    app.start()
    for job in list(wire.jobs.values()):
        wire.finish(job.id)
    for file_id in ids:
        url = app.wait_for(file_id)["url"]
        prompt = app.get(f"/api/file/{file_id}")["video_generation"]["prompt"]
        (job_id,) = (job.id for job in wire.jobs.values() if job.config["prompt"] == prompt)
        assert httpx.get(url, trust_env=False).content == wire.content(job_id)
        assert wire.submits_by_prompt[prompt] == 1
    assert "Traceback" not in app.log
    if isinstance(app, KillableApp):
        assert len(app.rows()) == len(ids)
