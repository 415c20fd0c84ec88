"""Runs the app with failpoints. Imports it once and forks for each start: 0.3 s of processor time instead of 3 s.

    python -m tests.support.fork_server
    stdin   a line of JSON for each start: {"env": {…}, "log": path}
    stdout  {"ready": true} once; {"started": pid}; {"ended": pid, "code": -9}

$FAILPOINT_FILE names a file with checkpoints and then an act: "before_commit before_write kill". When the app has
reached the checkpoints in that order, it removes the file, so that it happens once, and performs the act: kill or
stop (the signals, sent to itself), raise (FailpointError) or cancel (the current task). $FAILPOINT_LEASE_S shortens
the leases. With $FAILPOINT_WATCHER_ONLY it runs the supervisor alone, without pages and without the folder's lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import nicegui.storage

import main as rushes
import ui.pages.routes
from services.app import build, server
from services.core.settings import read_settings


def main() -> None:
    assert ui.pages.routes  # imported before the first fork
    alive: set[int] = set()
    signal.signal(signal.SIGCHLD, lambda *_: _reap(alive))
    _report(ready=True)
    for line in sys.stdin:
        launch = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        if (pid := os.fork()) == 0:
            _run_app(launch["env"], launch["log"])
        alive.add(pid)
        _report(started=pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    for pid in list(alive):  # the tests ended or were interrupted
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _run_app(env: dict[str, Any], log_path: str) -> NoReturn:
    os.setsid()  # its own process group, as a terminal gives it: Ctrl-C reaches all of it
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    # A shell that runs the tests in the background ignores SIGINT, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(env)
    nicegui.storage.Storage.path = Path(os.environ["RUSHES_DATA_DIR"], "nicegui").absolute()
    server.build_engine = functools.partial(build.build_engine, checkpoint=reach)  # type: ignore[assignment]
    if lease_s := os.environ.get("FAILPOINT_LEASE_S"):
        build.Store = functools.partial(build.Store, lease_s=float(lease_s))  # type: ignore[assignment,misc]
    sys.exit(asyncio.run(_watch()) if "FAILPOINT_WATCHER_ONLY" in os.environ else rushes.main())


async def _watch() -> None:
    """Claims expired leases and nothing else: another watcher shares the folder."""
    rushes.set_up_logging()
    engine = build.build_engine(read_settings(), checkpoint=reach)
    await engine.store.open()
    await engine.worker.start()
    print("Rushes is ready: http://nobody:0", flush=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(engine.event_log.run())
        tasks.create_task(engine.supervisor.keep_leases())


class FailpointError(Exception):
    """Raised by the act "raise"."""


def reach(checkpoint: str) -> None:
    """Performs the act when this is the last of the armed checkpoints."""
    path = Path(os.environ["FAILPOINT_FILE"])
    try:
        *checkpoints, act = path.read_text().split()
        if checkpoints[0] != checkpoint:
            return
        if len(checkpoints) > 1:
            part = path.with_suffix(".next")
            part.write_text(" ".join([*checkpoints[1:], act]))
            part.replace(path)
            return
        path.unlink()
    except FileNotFoundError:
        return
    match act:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "raise":
            raise FailpointError(checkpoint)
        case "cancel":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()


def _reap(alive: set[int]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        alive.discard(pid)
        _report(ended=pid, code=os.waitstatus_to_exitcode(status))


def _report(**message: object) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
