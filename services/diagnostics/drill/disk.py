"""What stands in the database now, read past the engine; and what a power cut leaves of it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from services.core.settings import Settings


class Disk:
    """Each question takes some 0.05 ms, so that it may be asked on the loop, in the moment that matters."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def revision(self, generation_id: str) -> int:
        """-1 where there is no such row."""
        row = self._one("SELECT revision FROM generations WHERE id = ?", generation_id)
        return -1 if row is None else int(row[0])

    def lease_until(self, generation_id: str) -> float:
        row = self._one("SELECT lease_until FROM generations WHERE id = ?", generation_id)
        return 0.0 if row is None or row[0] is None else float(row[0])

    def take_over(self, generation_id: str) -> None:
        """As another process would."""
        self._one(
            "UPDATE generations SET epoch = epoch + 1, lease_owner = 'another' WHERE id = ?", generation_id
        )

    def age(self, generation_id: str, by_s: float, *, watch_until: float) -> None:
        """As if it had been begun so much earlier."""
        statement = "UPDATE generations SET created_at = created_at - ?, watch_until = ? WHERE id = ?"
        self._one(statement, by_s, watch_until, generation_id)

    def _one(self, statement: str, *values: object) -> Any:
        return self._connection.execute(statement, values).fetchone()


@contextmanager
def disk_of(settings: Settings) -> Iterator[Disk]:
    with closing(sqlite3.connect(_path(settings), isolation_level=None)) as connection:
        yield Disk(connection)


def cut(settings: Settings, folder: Path) -> None:
    """What a power cut at this moment would leave, in another `folder`. For a thread."""
    folder.mkdir()
    path = _path(settings)
    with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(folder / path.name)) as left:
        now.backup(left)
    shutil.copytree(settings.media_dir, folder / settings.media_dir.name)


def _path(settings: Settings) -> Path:
    return Path(settings.resolved_database_url.removeprefix("sqlite:///"))
