"""The doctor, through a real nginx in front of the real app."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.diagnostics.doctor import Finding
from services.diagnostics.doctor.stream import stream
from services.http.client import http_client
from services.http.transport import Transport
from tests.support.app import ROOT, RunningApp, running_app
from tests.support.fault_server import WireServer
from tests.support.nginx import UPGRADE_HEADERS, nginx_cutting_after, nginx_proxy
from tests.support.proof_counts import proven

pytestmark = pytest.mark.timeout(180)

BUFFERING = "proxy_buffering on; gzip on; gzip_types text/event-stream; gzip_proxied any; gzip_min_length 0;"
DEAF = "proxy_ignore_headers X-Accel-Buffering;"
"""Without packing, nginx sends on at once what comes seldom, buffer or not (seen with 1.22)."""


@pytest.fixture(scope="module")
def wire() -> Iterator[WireServer]:
    with WireServer(token="a-secret-token") as wire:
        yield wire


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, wire: WireServer) -> Iterator[RunningApp]:
    folder = tmp_path_factory.mktemp("data")
    settings = {"SUPERDUPERAI_URL": wire.url, "SUPERDUPERAI_TOKEN": wire.token, "RUSHES_ANIMATIC": "false"}
    with running_app(folder, **settings) as app:
        app.wait_for_models()
        yield app


def examined(url: str, app: RunningApp, wire: WireServer, *more: str) -> tuple[int, list[str]]:
    """Its exit code and its lines; what it says of itself as a whole is tried here, each time."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "RUSHES_"))}
    env |= {"SUPERDUPERAI_URL": wire.url, "SUPERDUPERAI_TOKEN": wire.token}
    env |= {"RUSHES_DATA_DIR": str(app.data_dir)}
    command = [sys.executable, "main.py", "doctor", url, *more]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100)
    assert done.stderr == ""
    assert wire.token not in done.stdout
    assert wire.url not in done.stdout
    return done.returncode, done.stdout.splitlines()


def marks(lines: list[str], what: str) -> str:
    return "".join(line[0] for line in lines if line[2:].startswith(what))


def test_behind_a_plain_proxy_all_is_well(app: RunningApp, wire: WireServer, tmp_path: Path) -> None:
    with nginx_proxy(app.url, f"proxy_buffering off; {UPGRADE_HEADERS}", tmp_path) as url:
        code, lines = examined(url, app, wire, "--quick")
    assert code == 0, lines
    assert {line[0] for line in lines if not line.startswith(" ")} == {"✓"}, lines
    for what in ("app", "clock", "event stream", "ranges", "websocket", "disk", "superduperai"):
        assert marks(lines, what)


@pytest.mark.proof
def test_a_buffer_that_heeds_our_header_harms_nothing(
    app: RunningApp, wire: WireServer, tmp_path: Path
) -> None:
    with nginx_proxy(app.url, BUFFERING + UPGRADE_HEADERS, tmp_path) as url:
        _, lines = examined(url, app, wire, "--quick")
    assert marks(lines, "event stream") == "✓✓"


def test_a_stream_that_is_held_back_is_called_buffered(
    app: RunningApp, wire: WireServer, tmp_path: Path
) -> None:
    with nginx_proxy(app.url, BUFFERING + DEAF + UPGRADE_HEADERS, tmp_path) as url:
        code, lines = examined(url, app, wire, "--quick")
    assert code == 1
    (failed,) = (place for place, line in enumerate(lines) if line.startswith("✗"))
    assert "uffered: events arrive up to" in lines[failed]
    assert "proxy_buffering off;" in lines[failed + 1]


@pytest.mark.proof
def test_a_stream_that_is_cut_is_called_cut_and_when(
    app: RunningApp, wire: WireServer, tmp_path: Path
) -> None:
    with nginx_proxy(app.url, f"proxy_read_timeout 5s; {UPGRADE_HEADERS}", tmp_path) as url:
        code, lines = examined(url, app, wire)
    assert code == 1
    (cut,) = (line for line in lines if "Disconnected after about" in line)
    assert any(f"Disconnected after about {seconds} s" in cut for seconds in (9, 10, 11, 12)), cut
    assert "5 s after the last event" in cut
    assert "proxy_read_timeout 1h;" in "\n".join(lines)


@pytest.mark.proof
def test_a_stream_that_is_cut_at_the_age_of_30_s_is_called_cut_and_when(
    app: RunningApp, wire: WireServer, tmp_path: Path
) -> None:
    with nginx_cutting_after(30, app.url, tmp_path) as (url, cut):
        cutting = threading.Thread(target=cut)
        cutting.start()
        code, lines = examined(url, app, wire)
        cutting.join()
    assert code == 1, lines
    (said,) = (line for line in lines if "Disconnected after about" in line)
    (lived_s, quiet_s) = map(int, re.findall(r"(\d+) s", said))
    assert 29 <= lived_s <= 33, said
    assert quiet_s < 15, "it was lively: no idle time-out cut it"
    assert marks(lines, "event stream") == "✓✗"
    proven("doctor", true_cuts_named=1)


@pytest.mark.proof
def test_an_idle_time_out_of_30_s_cuts_no_stream_of_ours(
    app: RunningApp, wire: WireServer, tmp_path: Path
) -> None:
    with nginx_proxy(app.url, f"proxy_read_timeout 30s; {UPGRADE_HEADERS}", tmp_path) as url:
        measured_stream = asyncio.run(_heard_for(url, 65))
    assert [finding.mark for finding in measured_stream] == ["✓", "✓"], [
        str(finding) for finding in measured_stream
    ]
    proven("doctor", false_alarms=0)


async def _heard_for(url: str, seconds: int) -> list[Finding]:
    async with http_client(Transport()) as client:
        return await stream(client, url, seconds)


@pytest.mark.proof
def test_a_proxy_that_passes_no_websocket_and_no_range_is_told_so(
    app: RunningApp, wire: WireServer, tmp_path: Path
) -> None:
    with nginx_proxy(app.url, 'proxy_set_header Range "";', tmp_path) as url:
        code, lines = examined(url, app, wire, "--quick")
    assert code == 1
    assert (marks(lines, "websocket"), marks(lines, "ranges")) == ("✗", "✗")
    assert "proxy_set_header Upgrade $http_upgrade;" in "\n".join(lines)


def test_where_nothing_answers_the_rest_is_still_examined(app: RunningApp, wire: WireServer) -> None:
    code, lines = examined("http://127.0.0.1:9", app, wire, "--quick")
    assert code == 1
    assert lines[0].startswith("✗ app")
    assert marks(lines, "disk") == "✓"
    assert marks(lines, "superduperai")[:3] == "✓✓✓"


@pytest.mark.proof
def test_a_key_that_is_not_taken_is_told(app: RunningApp, wire: WireServer, tmp_path: Path) -> None:
    wire.models_status = 401
    try:
        code, lines = examined(app.url, app, wire, "--quick")
    finally:
        wire.models_status = 200
    assert code == 1
    assert marks(lines, "superduperai")[0] == "✗"
