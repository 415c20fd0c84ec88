"""What a backend can say that is wrong, on the real app over real HTTP. Each piece is told in the trace, harms
nothing beside it, and what was paid for arrives all the same.

The narrower tests: files and addresses in tests/services/media (test_download.py, test_guard.py, test_pinned.py:
a DNS answer that changes; test_keeping.py), streams in tests/services/channels (test_eventstream_parsing.py),
answers in tests/services/backends, clocks and searches in tests/services/generations/test_job_matching.py, what people send in
tests/services/api/test_fuzz.py.
"""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.app import RunningApp, running_app
from tests.support.bad_input import job_of, kept, nothing_else_harmed, reasons, trace
from tests.support.fault_server import WireServer
from tests.support.killable_app import wire_settings

pytestmark = pytest.mark.timeout(300)

ONCE: dict[str, dict[str, Any]] = {
    "a result of 0 bytes": {"download": "empty"},
    "a result of 10 GB": {"download": "announced"},
    "a length that lies": {"download": "announced", "announced_bytes": 1000},
    "a result that is a page": {"download": "html"},
    "a result that is a picture": {"download": "picture"},
    "a redirect to a private address": {
        "download": "redirect",
        "redirect_to": "http://169.254.169.254/latest/",
    },
    "an event of 50 MB": {"push": "large"},
    "an event that never ends": {"push": "oversize"},
    "a deep event": {"push": "deep"},
    "a deep answer": {"poll": "deep", "push": "silent"},
    "a huge answer": {"poll": "huge", "push": "silent"},
}
"""The fault shows once, then all is well."""
TOLD = {
    "a result of 0 bytes": "empty",
    "a result of 10 GB": "too_large",
    "a length that lies": "truncated",
    "a result that is a page": "wrong_kind",
    "a result that is a picture": "wrong_kind",
    "a redirect to a private address": "address",
    "an event of 50 MB": "oversize",
    "an event that never ends": "oversize",
    "a deep event": "malformed",
    "a deep answer": "malformed",
    "a huge answer": "malformed",
}
QUICK = ("a result of 0 bytes", "an event of 50 MB")


@pytest.fixture(scope="module")
def wire() -> Iterator[WireServer]:
    with WireServer(idempotent=False) as wire:
        yield wire


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, wire: WireServer) -> Iterator[RunningApp]:
    """One for all of them: what one leaves behind, the next one would meet."""
    with running_app(tmp_path_factory.mktemp("data"), **wire_settings(wire)) as app:
        app.wait_for_models()
        app.wait_for(app.generate("the first one warms it up", model="wire/film"))
        yield app


def each_in_its_share() -> list[Any]:
    return [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.proof]) for name in ONCE]


def arrived(app: RunningApp, wire: WireServer, file_id: str, prompt: str, *, within_s: float = 90.0) -> None:
    """Once, paid for once, with the right bytes."""
    app.wait_for(file_id, within_s=within_s)
    assert kept(app, file_id) == hashlib.sha256(wire.content(job_of(wire, prompt))).hexdigest()
    assert wire.submits_by_prompt[prompt] == 1


def nothing_half_done(app: RunningApp) -> None:
    """Once the posters are drawn."""
    app.wait_until(lambda: not list((app.data_dir / "media" / ".parts").iterdir()), 20)


@pytest.mark.parametrize("name", each_in_its_share())
def test_it_is_told_and_harms_nothing(name: str, app: RunningApp, wire: WireServer) -> None:
    channel = next(iter({"download", "push", "poll"} & set(ONCE[name])), "")
    channel = "poll" if "poll" in ONCE[name] else channel
    wire.script(prompt=name, length_s=1.0, **ONCE[name], **{f"{channel}_times": 1})
    with nothing_else_harmed(app, wire, name):
        file_id = app.generate(name, model="wire/film")
        arrived(app, wire, file_id, name)
        assert TOLD[name] in reasons(app, file_id)
    nothing_half_done(app)


@pytest.mark.proof
def test_an_endless_answer_is_cut_at_the_limit_and_leaves_no_byte(app: RunningApp, wire: WireServer) -> None:
    name = "an endless chunked answer"
    wire.script(prompt=name, length_s=0.5, download="endless", download_times=1)
    with nothing_else_harmed(app, wire, name):
        file_id = app.generate(name, model="wire/film")
        arrived(app, wire, file_id, name, within_s=240)  # 2 GiB come in, and go
        assert "too_large" in reasons(app, file_id)
    nothing_half_done(app)


@pytest.mark.proof
def test_a_redirect_to_a_server_beside_us_is_never_followed(app: RunningApp, wire: WireServer) -> None:
    name = "a redirect to our own machine"
    with socket.create_server(("127.0.0.1", 0)) as secret:
        port = secret.getsockname()[1]
        wire.script(prompt=name, length_s=0.5, download="redirect", download_times=1, redirect_to=f"http://localhost:{port}/")  # fmt: skip
        with nothing_else_harmed(app, wire, name):
            file_id = app.generate(name, model="wire/film")
            arrived(app, wire, file_id, name)
        assert "address" in reasons(app, file_id)
        secret.settimeout(0.2)
        with pytest.raises(TimeoutError):
            secret.accept()


@pytest.mark.proof
def test_5000_events_a_second_are_listened_to_and_thinned_out(app: RunningApp, wire: WireServer) -> None:
    name = "5,000 events a second"
    wire.script(prompt=name, length_s=9.0, push="flood", flood_s=10.0, progress_every_s=0)
    slowest_s = []
    with nothing_else_harmed(app, wire, name):
        file_id = app.generate(name, model="wire/film")
        for _ in range(20):
            begun = datetime.now().timestamp()
            app.get("/health")
            slowest_s.append(datetime.now().timestamp() - begun)
            threading.Event().wait(0.4)
        arrived(app, wire, file_id, name)
    assert len(trace(app, file_id)) < 400
    assert sorted(slowest_s)[len(slowest_s) // 2] < 0.5, "the app answers meanwhile"


# -- a clock that is a day off --------------------------------------------------------------------


@pytest.mark.parametrize(
    "ahead_s", [86_400.0, pytest.param(-86_400.0, marks=pytest.mark.proof)], ids=["ahead", "behind"]
)
def test_a_backends_clock_that_is_a_day_off_changes_no_time_of_ours(
    ahead_s: float, app: RunningApp, wire: WireServer
) -> None:
    name = f"a clock that is off by {ahead_s:.0f} s"
    wire.script(prompt=name, length_s=1.0, reports_finish=True)
    wire.clock_ahead_s = ahead_s
    try:
        with nothing_else_harmed(app, wire, name):
            file_id = app.generate(name, model="wire/film")
            arrived(app, wire, file_id, name)
    finally:
        wire.clock_ahead_s = 0.0
    told = app.get(f"/api/file/{file_id}")
    receipt = told["receipt"]
    assert receipt["backend_finished_at"] is None, "what cannot be is not repeated"
    assert receipt["late_s"] is None
    assert 0 <= receipt["said_after_s"] <= receipt["kept_after_s"] < 60
    (off,) = (line["data"]["ahead_s"] for line in trace(app, file_id) if line["event"] == "clock_off")  # type: ignore[index]
    assert abs(float(off) - ahead_s) < 60


@pytest.mark.proof
@pytest.mark.parametrize("ahead_s", [86_400.0, -86_400.0], ids=["ahead", "behind"])
def test_a_lost_answer_is_found_though_the_clock_is_a_day_off(
    ahead_s: float, app: RunningApp, wire: WireServer, tmp_path: Path
) -> None:
    name = f"a lost answer under a clock that is off by {ahead_s:.0f} s"
    wire.script(prompt=name, submit="lost", submit_times=1, length_s=1.0)
    wire.clock_ahead_s = ahead_s
    try:
        with nothing_else_harmed(app, wire, name):
            file_id = app.generate(name, model="wire/film")
            arrived(app, wire, file_id, name)
    finally:
        wire.clock_ahead_s = 0.0
    assert "adopted" in {line["event"] for line in trace(app, file_id)}
