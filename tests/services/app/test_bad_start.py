"""Bad ground: what makes a start impossible is a sentence and exit code 1. In mid-life: tests/bad_input."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.app import ROOT
from tests.support.eventually import wait_until
from tests.support.killable_app import ForkServer

pytestmark = pytest.mark.timeout(180)

MB = 1_000_000


@pytest.fixture
def refusal(fork_server: ForkServer, tmp_path: Path) -> Callable[..., str]:
    """What the app says when it does not start."""

    def start(**settings: str) -> str:
        log = tmp_path / "refused.log"
        defaults = {"RUSHES_DATA_DIR": str(tmp_path / "data"), "RUSHES_PORT": "0", "RUSHES_ANIMATIC": "false"}
        log.unlink(missing_ok=True)
        process = fork_server.start({"FAILPOINT_FILE": str(tmp_path / "none"), **defaults, **settings}, log)
        code, said = process.wait(60), log.read_text()
        assert code == 1, said
        assert "Traceback" not in said
        (line,) = said.strip().splitlines()
        assert line.startswith("Rushes cannot start: ")
        return line

    return start


# -- starts that are refused ----------------------------------------------------------------------


def test_the_refusal_of_the_real_command_stands_on_the_error_output_alone(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"RUSHES_HOST": "0.0.0.0", "RUSHES_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "main.py"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Rushes cannot start: RUSHES_HOST is 0.0.0.0")
    assert len(done.stderr.splitlines()) == 1


def test_a_host_that_others_can_reach_is_refused(refusal: Callable[..., str]) -> None:
    assert "RUSHES_HOST is 192.168.0.7" in refusal(RUSHES_HOST="192.168.0.7")


def test_a_port_in_use_is_named(refusal: Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refusal(RUSHES_PORT=port)
    assert f"port {port} on 127.0.0.1 cannot be used" in said
    assert "RUSHES_PORT" in said


def test_of_two_that_start_at_once_on_one_port_the_later_is_refused(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    both = [
        fork_server.start(
            {
                "RUSHES_DATA_DIR": str(log.with_suffix("")),
                "RUSHES_PORT": port,
                "RUSHES_ANIMATIC": "false",
                "FAILPOINT_FILE": str(tmp_path / "none"),
            },
            log,
        )
        for log in logs
    ]
    try:
        wait_until(lambda: any("is ready" in log.read_text() for log in logs if log.exists()), 60)
        wait_until(lambda: any(each.poll() is not None for each in both), 30)
        assert sorted(str(each.poll()) for each in both) == ["1", "None"]
        refused = next(log.read_text() for each, log in zip(both, logs, strict=True) if each.poll() == 1)
        assert f"port {port} on 127.0.0.1 cannot be used" in refused
        assert "Traceback" not in refused
    finally:
        for each in both:
            each.send_signal(signal.SIGTERM)
            each.wait(30)


@pytest.mark.parametrize("port", ["abc", "70000", "-1"])
def test_a_port_that_is_none_is_named_by_its_setting(refusal: Callable[..., str], port: str) -> None:
    assert "RUSHES_PORT" in refusal(RUSHES_PORT=port)


@pytest.mark.parametrize("name", ["SUPERDUPERAI_URL", "SUPERDUPERAI_TOKEN"])
def test_half_of_a_backends_settings_is_refused(refusal: Callable[..., str], name: str) -> None:
    said = refusal(**{name: "http://127.0.0.1:9"})
    assert "SUPERDUPERAI_URL" in said
    assert "SUPERDUPERAI_TOKEN" in said


def test_an_address_that_cannot_be_read_is_refused_without_the_key(refusal: Callable[..., str]) -> None:
    said = refusal(SUPERDUPERAI_URL="not an address", SUPERDUPERAI_TOKEN="a-secret-token")
    assert "address" in said
    assert "a-secret-token" not in said


@pytest.mark.parametrize(
    "settings",
    [
        {"RUSHES_CHAT_URL": "http://127.0.0.1:9/v1"},
        {"RUSHES_CHAT_MODEL": "small"},
        {"RUSHES_CHAT_URL": "http://me:a-secret@127.0.0.1:9", "RUSHES_CHAT_MODEL": "small"},
    ],
)
def test_a_language_model_needs_an_address_and_a_name(
    refusal: Callable[..., str], settings: dict[str, str]
) -> None:
    said = refusal(RUSHES_CHAT_KEY="another-secret", **settings)
    assert "RUSHES_CHAT_URL" in said
    assert "secret" not in said


def test_a_data_folder_that_cannot_be_made_is_named(refusal: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "file" / "data", Path("/proc/rushes")):
        said = refusal(RUSHES_DATA_DIR=str(folder))
        assert f"data folder {folder} cannot be written" in said
        assert "RUSHES_DATA_DIR" in said


def test_a_database_of_garbage_is_refused_and_left_as_it_is(
    refusal: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "data" / "rushes.db"
    path.parent.mkdir()
    path.write_bytes(garbage := os.urandom(20_000))

    assert "database cannot be opened" in refusal()
    assert path.read_bytes() == garbage


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(
    refusal: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "data" / "rushes.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
        database.commit()

    said = refusal()

    assert "newer than this version" in said
    with closing(sqlite3.connect(path)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert names == ["alembic_version"]
