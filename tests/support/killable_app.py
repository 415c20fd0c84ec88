"""The app with a plug to pull, and born fast: everything is imported once, each start is a fork of that.

    python -m tests.support.killable_app
    stdin   a line of JSON for each start: {"env": {…}, "log": path}
    stdout  {"ready": true} once; {"started": pid}; {"ended": pid, "code": -9}

$KILL_ORDER names a file with the names of checkpoints and then an act: "before_commit before_write kill". When the
app has reached them in that order the file is removed, so that it happens once, and the act is done there:
kill, stop (both sent to itself as signals), raise (a Failpoint) or cancel (of the task). $KILL_LEASE_S shortens
the leases. With $KILL_PAGELESS it is no app but a watcher without a page, beneath the lock of the folder. A start
costs 0.3 s instead of 3 s of processor time.
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
    assert ui.pages.routes  # only here so that it is imported
    alive: set[int] = set()
    signal.signal(signal.SIGCHLD, lambda *_: _reap(alive))
    _say(ready=True)
    for line in sys.stdin:
        order = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        if (pid := os.fork()) == 0:
            _be_the_app(order)
        alive.add(pid)
        _say(started=pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    for pid in list(alive):  # the tests are over, or broke off
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _be_the_app(order: dict[str, Any]) -> NoReturn:
    os.setsid()  # a group of its own, as a terminal gives it: Ctrl-C reaches the whole of it
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    # A shell that runs the tests in the background has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(order["env"])
    nicegui.storage.Storage.path = Path(os.environ["RUSHES_DATA_DIR"], "nicegui").absolute()
    server.build_engine = functools.partial(build.build_engine, checkpoint=pull)  # type: ignore[assignment]
    if lease_s := os.environ.get("KILL_LEASE_S"):
        build.Store = functools.partial(build.Store, lease_s=float(lease_s))  # type: ignore[assignment,misc]
    sys.exit(asyncio.run(_watch()) if "KILL_PAGELESS" in os.environ else rushes.main())


async def _watch() -> None:
    """Claims what others let run out, and nothing else: it is not the only one here."""
    rushes.set_up_logging()
    engine = build.build_engine(read_settings(), checkpoint=pull)
    await engine.store.open()
    await engine.worker.start()
    print("Rushes is ready: http://nobody:0", flush=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(engine.event_log.run())
        tasks.create_task(engine.supervisor.keep_leases())


class Failpoint(Exception):
    """What an order has raised."""


def pull(checkpoint: str) -> None:
    order = Path(os.environ["KILL_ORDER"])
    try:
        *points, act = order.read_text().split()
        if points[0] != checkpoint:
            return
        if len(points) > 1:
            part = order.with_suffix(".next")
            part.write_text(" ".join([*points[1:], act]))
            part.replace(order)
            return
        order.unlink()
    except FileNotFoundError:
        return
    match act:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "raise":
            raise Failpoint(checkpoint)
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
        _say(ended=pid, code=os.waitstatus_to_exitcode(status))


def _say(**what: object) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
