"""Finds or installs nginx (`python -m tests.support.nginx`), and runs it in the foreground on a free port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from tests.support.chromium import install

SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
HELP = "The proxy's tests need nginx. Install it (Debian: apt install nginx-light)."
READY_WITHIN_S = 10.0
STREAM_WITHIN_S = 30.0

UPGRADE_HEADERS = """
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $kept_open;
"""
KEPT_OPEN = "map $http_upgrade $kept_open { default upgrade; '' close; }"
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
    {maps}
    server {{
        listen 127.0.0.1:{listen};
        {server}
    }}
}}
"""
ONE_PROCESS = "master_process off;"


def nginx() -> str:
    """Its path. Raises RuntimeError with installation advice."""
    path = shutil.which("nginx", path=SEARCH_PATH)
    if path is None:
        install("nginx-light")
        path = shutil.which("nginx", path=SEARCH_PATH)
    if path is None:
        raise RuntimeError(HELP)
    return path


@contextmanager
def nginx_proxy(upstream: str, directives: str, folder: Path) -> Iterator[str]:
    """Yields its address; `directives` go into its location block."""
    with _running(upstream, directives, folder, ONE_PROCESS) as (url, _):
        yield url


@contextmanager
def nginx_cutting_after(
    seconds: int, upstream: str, folder: Path
) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yields its address and a function that waits for a stream and then cuts every open connection after
    `seconds`, active or not.

    That is a reload with worker_shutdown_timeout, nginx's only limit on a connection's age.
    """
    main = f"master_process on; worker_processes 1; worker_shutdown_timeout {seconds}s;"
    folder.chmod(0o755)  # its worker may be another user
    with _running(upstream, f"proxy_buffering off; {UPGRADE_HEADERS}", folder, main) as (url, process):

        def cut() -> None:
            _wait_for_a_stream(psutil.Process(process.pid), httpx.URL(upstream).port)
            process.send_signal(signal.SIGHUP)

        yield url, cut


@contextmanager
def _running(
    upstream: str, directives: str, folder: Path, main: str
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    server = f"location / {{ proxy_pass {upstream}; {directives} }}"
    with nginx_of(server, folder, maps=KEPT_OPEN, main=main) as (port, process):
        yield f"http://127.0.0.1:{port}", process


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def nginx_of(
    server: str, folder: Path, *, listen: str = "", maps: str = "", main: str = ONE_PROCESS
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Runs until the end of the context with that server block; yields its port."""
    port, path = free_port(), folder / "nginx.conf"
    path.write_text(
        CONFIG.format(folder=folder, listen=f"{port} {listen}", server=server, maps=maps, main=main)
    )
    process = subprocess.Popen([nginx(), "-p", str(folder), "-c", str(path), "-e", str(folder / "error.log")])
    try:
        _wait_for(port, process)
        yield port, process
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
    """Until a connection to the app stays open for half a second; other requests are answered sooner."""
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


def main() -> int:
    try:
        nginx()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
