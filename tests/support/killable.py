"""The app with a plug to pull, and born fast: everything is imported once, each start is a fork of that.

    python -m tests.support.killable
    stdin   a line of JSON for each start: {"env": {…}, "log": path}
    stdout  {"ready": true} once; {"started": pid}; {"ended": pid, "code": -9}

$KILL_ORDER names a file. When the app reaches a checkpoint whose name stands in it, the file is removed, so that
it happens once, and the process sends SIGKILL to itself. A start costs 0.3 s instead of 3 s of processor time.
"""

from __future__ import annotations

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
import ui.app


def main() -> None:
    assert ui.app  # only here so that it is imported
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
    rushes.build = functools.partial(rushes.build, checkpoint=_pull)  # type: ignore[assignment]
    sys.exit(rushes.main())


def _pull(checkpoint: str) -> None:
    order = Path(os.environ["KILL_ORDER"])
    try:
        if order.read_text() != checkpoint:
            return
        order.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


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
