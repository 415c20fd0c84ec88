"""Find nginx for the doctor's tests, or install it; and run one in the foreground on a port of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from tests.support.chromium import install

PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
HELP = "The doctor's tests need nginx. Install it (Debian: apt install nginx-light)."
READY_WITHIN_S = 10.0
STREAM_WITHIN_S = 30.0

PASSED_ON = """
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $kept_open;
"""
CONFIG = """
daemon off;
{main}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $http_upgrade $kept_open {{ default upgrade; '' close; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {upstream};
            {says}
        }}
    }}
}}
"""


def nginx() -> str:
    """Its path. Raises RuntimeError with what to do."""
    path = shutil.which("nginx", path=PLACES)
    if path is None:
        install("nginx-light")
        path = shutil.which("nginx", path=PLACES)
    if path is None:
        raise RuntimeError(HELP)
    return path


@contextmanager
def standing_before(upstream: str, says: str, folder: Path) -> Iterator[str]:
    """`says` stands in its location; yields the address it serves at."""
    with _running(upstream, says, folder, "master_process off;") as (url, _):
        yield url


@contextmanager
def cutting_after(seconds: int, upstream: str, folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Its address, and an act: waits for a stream, and what is open then is cut so many seconds later, however
    lively it is.

    That is a reload with worker_shutdown_timeout, the one cut by age that nginx has.
    """
    main = f"master_process on; worker_processes 1; worker_shutdown_timeout {seconds}s;"
    folder.chmod(0o755)  # its worker may be another user
    with _running(upstream, f"proxy_buffering off; {PASSED_ON}", folder, main) as (url, process):

        def cut() -> None:
            _wait_for_a_stream(psutil.Process(process.pid), httpx.URL(upstream).port)
            process.send_signal(signal.SIGHUP)

        yield url, cut


@contextmanager
def _running(
    upstream: str, says: str, folder: Path, main: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, upstream=upstream, says=says, main=main))
    process = subprocess.Popen(
        [nginx(), "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
    )
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nginx did not start.")


def _wait_for_a_stream(process: psutil.Process, port: int | None) -> None:
    """Until a connection to the app outlives a look: questions are answered sooner."""
    deadline = time.monotonic() + STREAM_WITHIN_S
    before: set[int] = set()
    while time.monotonic() < deadline:
        now = {
            connection.laddr.port
            for worker in process.children()
            for connection in worker.net_connections("tcp")
            if connection.raddr and connection.raddr.port == port
        }
        if before & now:
            return
        before = now
        time.sleep(0.5)
    raise RuntimeError("No stream was opened.")
