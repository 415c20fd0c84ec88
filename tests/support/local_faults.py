"""A disk and a database that fail at the system call or statement, for one generation only."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

SLOW_S = 0.5
MESSAGES = {
    "locked": "database is locked",
    "readonly": "attempt to write a readonly database",
    "full": "database or disk is full",
    "failing commit": "disk I/O error",
    "lost answer": "disk I/O error",
}


class FaultyDisk:
    """`faults` holds what fails and how often, by generation: "link EACCES", "sync EIO", "folder EIO",
    "write ENOSPC", "close EIO", "link slow"; "link EEXIST": another program's file has the name.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.faults: dict[str, tuple[str, int]] = {}
        self.strikes: Counter[str] = Counter()
        self.foreign_files: list[Path] = []
        """Files of another program, written where ours was about to be linked."""
        self._linked = threading.local()
        self._link, self._fsync, self._write, self._close = os.link, os.fsync, os.write, os.close
        patch.setattr(os, "link", self.link)
        patch.setattr(os, "fsync", self.fsync)
        patch.setattr(os, "write", self.write)
        patch.setattr(os, "close", self.close)

    def link(self, source: Any, target: Any, **more: Any) -> None:
        generation_id = _id_in(str(source))
        self._linked.last = generation_id
        how = self._strikes(generation_id, "link")
        if how == "EEXIST":
            self.foreign_files.append(Path(target))
            Path(target).write_bytes(b"foreign")
        elif how == "slow":
            time.sleep(SLOW_S)
        elif how:
            raise OSError(getattr(errno, how), os.strerror(getattr(errno, how)))
        self._link(source, target, **more)

    def fsync(self, handle: Any) -> None:
        path = _path_of(handle)
        if how := self._strikes(_id_in(path), "sync"):
            raise OSError(getattr(errno, how), how)
        if (
            path
            and Path(path).is_dir()
            and (how := self._strikes(getattr(self._linked, "last", ""), "folder"))
        ):
            raise OSError(getattr(errno, how), how)
        self._fsync(handle)

    def write(self, handle: int, data: Any) -> int:
        if self.faults and (how := self._strikes(_id_in(_path_of(handle)), "write")):
            raise OSError(getattr(errno, how), how)
        return self._write(handle, data)

    def close(self, handle: int) -> None:
        how = self._strikes(_id_in(_path_of(handle)), "close") if self.faults else ""
        self._close(handle)
        if how:
            raise OSError(getattr(errno, how), how)

    def _strikes(self, generation_id: str, act: str) -> str:
        fault, times = self.faults.get(generation_id, ("", 0))
        if not fault.startswith(f"{act} ") or self.strikes[generation_id] >= times:
            return ""
        self.strikes[generation_id] += 1
        return fault.removeprefix(f"{act} ")


class FaultyDatabase:
    """`faults` holds the phase whose commit fails, how and how often, by generation: locked, readonly, full
    (the statement) · failing commit, lost answer, slow commit (the COMMIT).
    """

    def __init__(self, engine: Engine) -> None:
        self.faults: dict[str, tuple[str, str, int]] = {}
        self.strikes: Counter[str] = Counter()
        self._armed: dict[str, str] = {}
        """The fault of the next commit, by generation; there is one writer."""
        self._statements = 0
        event.listen(engine, "before_cursor_execute", self._count)
        event.listen(engine, "do_execute", self._execute)
        self._commit = engine.dialect.do_commit
        engine.dialect.do_commit = self.commit  # type: ignore[method-assign]

    def _count(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("BEGIN"):
            self._statements, self._armed = 0, {}
        else:
            self._statements += 1

    def _execute(self, _cursor: Any, statement: str, parameters: Any, _context: Any) -> None:
        if not isinstance(parameters, tuple):
            return
        new = parameters[: statement.partition(" WHERE ")[0].count("?")]  # a condition names phases too
        for generation_id in self.faults.keys() & {each for each in parameters if isinstance(each, str)}:
            phase, how, times = self.faults[generation_id]
            if phase not in new or self.strikes[generation_id] >= times:
                continue
            if not how.endswith(("commit", "answer")):
                self.strikes[generation_id] += 1
                raise sqlite3.OperationalError(MESSAGES[how])
            self._armed[generation_id] = how

    def commit(self, connection: Any) -> None:
        """A batch with a lost answer fails as a whole, so that each change is retried alone."""
        armed, self._armed = self._armed, {}
        hows = set(armed.values())
        if "slow commit" in hows:
            time.sleep(SLOW_S)
        if "lost answer" in hows and self._statements > 1:
            raise sqlite3.OperationalError(MESSAGES["lost answer"])
        self.strikes.update(armed.keys())
        if "failing commit" in hows:
            raise sqlite3.OperationalError(MESSAGES["failing commit"])
        self._commit(connection)
        if "lost answer" in hows:
            raise sqlite3.OperationalError(MESSAGES["lost answer"])


def _id_in(path: str) -> str:
    """The generation's id, from the path of its `.part` file."""
    name = path.rpartition("/")[2]
    return name.partition(".")[0] if name.endswith(".part") else ""


def _path_of(handle: Any) -> str:
    try:
        return str(Path(f"/proc/self/fd/{handle if isinstance(handle, int) else handle.fileno()}").readlink())
    except OSError:
        return ""
