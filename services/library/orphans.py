"""Files that a crash has left: which of those that no row names may be removed without anybody being asked.

A database can be put back from a backup, or begin anew beside a full media folder: then no row names what
was kept since, and it is still somebody's only copy. So only what was written while this very database was
in use goes.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from services.library.storage import Storage
from services.media.sources import is_source
from services.store.library import OF_THE_INSTALL, LibraryRows
from services.store.store import Store

log = logging.getLogger(__name__)

NAME = "lives"
RENEWED_WITHIN_S = 15.0
"""An open row's lease is renewed every 10 s, so a crash came at most so long after the last sign."""
Life = tuple[float, float]


class Orphans:
    def __init__(
        self,
        library_rows: LibraryRows,
        store: Store,
        storage: Storage,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._rows = library_rows
        self._store = store
        self._storage = storage
        self._now = now
        self._began_at = 0.0
        self._lives: list[Life] = []

    async def open(self) -> None:
        """At the start, before anything is written: note this life, and the ones not yet tidied after."""
        told = await self._rows.preference(NAME, owner=OF_THE_INSTALL)
        began_at, self._lives = _read(told)
        sign = await self._store.last_sign()
        if began_at is not None and sign is not None:
            self._lives.append((began_at, sign + RENEWED_WITHIN_S))
        self._began_at = self._now()
        await self._remember(self._lives)

    async def tidy(self, *, older_than: float) -> None:
        """Remove them; what is not surely a leftover is told, and stays until a person says otherwise."""
        going = set(await self._rows.files_going())
        stay: list[str] = []

        def left_by_a_crash(name: str, written_at: float) -> bool:
            known = name in going or is_source(name)
            if known or any(began_at <= written_at <= ended_at for began_at, ended_at in self._lives):
                return True
            stay.append(name)
            return False

        await self._storage.tidy(older_than=older_than, only=left_by_a_crash)
        if stay:
            log.warning(
                "%d files in the media folder belong to no generation here, and stay; the settings' check "
                "of the files shows them.",
                len(stay),
            )
        await self._rows.files_gone(going)
        await self._remember([])

    async def _remember(self, lives: list[Life]) -> None:
        told = {"began_at": self._began_at, "untidied": lives}
        await self._rows.prefer(NAME, told, owner=OF_THE_INSTALL)


def _read(told: Any) -> tuple[float | None, list[Life]]:
    match told:
        case {"began_at": int() | float() as began_at, "untidied": [*lives]}:
            return began_at, [(float(life[0]), float(life[1])) for life in lives]
        case _:
            return None, []
