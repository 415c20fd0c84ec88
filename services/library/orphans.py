"""Removes the files that a crash left without a row.

After a restore from a backup, or with a new database beside a full media folder, no row names what was kept
since, although it may be somebody's only copy. So only files written while this very database was in use are
removed.
"""

import logging
import time
from collections.abc import Callable

from services.library.storage import Storage
from services.media.sources import is_source
from services.store.library import INSTALLATION, LibraryRows
from services.store.store import Store

log = logging.getLogger(__name__)

PREFERENCE = "lives"
LEASE_RENEWAL_S = 15.0
"""An open row's lease is renewed every 10 s, so a crash came at most this long after the last renewal."""
STAY = (
    "%d files in the media folder belong to no generation here, and stay; the settings' check of the files "
    "shows them."
)
Run = tuple[float, float]
"""Start and end of a process, Unix seconds."""


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
        self._runs: list[Run] = []

    async def open(self) -> None:
        """Notes this run, and the earlier ones not cleaned up after. Call it before anything is written."""
        ended_at = await self._store.last_write_at()
        match await self._rows.preference(PREFERENCE, owner=INSTALLATION):
            case {"began_at": int() | float() as began_at, "untidied": [*runs]}:
                self._runs = [(float(start), float(end)) for start, end in runs]
                if ended_at is not None:
                    self._runs.append((began_at, ended_at + LEASE_RENEWAL_S))
        self._began_at = self._now()
        await self._save(self._runs)

    async def remove(self, *, older_than: float) -> None:
        """Removes what a crash left; logs how many other orphans stay until a person removes them."""
        pending = set(await self._rows.unconfirmed_deletions())
        kept: list[str] = []

        def left_by_a_crash(name: str, written_at: float) -> bool:
            known = name in pending or is_source(name)
            if known or any(began_at <= written_at <= ended_at for began_at, ended_at in self._runs):
                return True
            kept.append(name)
            return False

        await self._storage.remove_orphans(older_than=older_than, only=left_by_a_crash)
        if kept:
            log.warning(STAY, len(kept))
        await self._rows.confirm_deleted(pending)
        await self._save([])

    async def _save(self, runs: list[Run]) -> None:
        stored = {"began_at": self._began_at, "untidied": runs}
        await self._rows.set_preference(PREFERENCE, stored, owner=INSTALLATION)
