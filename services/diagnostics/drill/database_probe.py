"""Direct access to the SQLite file beside the engine, and the copy that a power cut would leave."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from services.core.settings import Settings


class DatabaseProbe:
    """Sees committed rows only. A statement takes about 0.05 ms, so it may run on the event loop."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def revision(self, generation_id: str) -> int:
        """-1 without such a row."""
        statement = "SELECT revision FROM generations WHERE id = ?"
        row = self._connection.execute(statement, (generation_id,)).fetchone()
        return -1 if row is None else int(row[0])

    def lease_until(self, generation_id: str) -> float:
        statement = "SELECT lease_until FROM generations WHERE id = ?"
        return float(self._connection.execute(statement, (generation_id,)).fetchone()[0])

    def age(self, generation_id: str, by_s: float, *, watch_until: float) -> None:
        """Moves the row's creation into the past."""
        statement = "UPDATE generations SET created_at = created_at - ?, watch_until = ? WHERE id = ?"
        self._connection.execute(statement, (by_s, watch_until, generation_id))


@contextmanager
def probing(settings: Settings) -> Iterator[DatabaseProbe]:
    with closing(sqlite3.connect(_path(settings), isolation_level=None)) as connection:
        yield DatabaseProbe(connection)


def copy_data(settings: Settings, folder: Path) -> None:
    """Copies the committed rows and the media folder, as a power cut now would leave them. Blocks."""
    folder.mkdir()
    path = _path(settings)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(folder / path.name)) as copy:
        source.backup(copy)
    shutil.copytree(settings.media_dir, folder / settings.media_dir.name)


def _path(settings: Settings) -> Path:
    return Path(settings.resolved_database_url.removeprefix("sqlite:///"))
