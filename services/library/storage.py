"""Compares rows and media folder: missing files, orphans, and the space used."""

import logging
import time
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass

from services.media.sources import UNUSED_FOR_S, is_source
from services.media.storage.folder import MediaFolder, StoredFile
from services.store.store import Store

log = logging.getLogger(__name__)

MAX_LOGGED = 20
"""When a disk is not mounted, every file is missing."""
MIN_ORPHAN_AGE_S = 86_400.0
"""A younger file may be on its way into the folder, before its row is committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageReport:
    """`missing` are ids of generations whose kept file is gone, `orphans` files that no generation names."""

    missing: list[str]
    orphans: list[str]
    orphan_bytes: int
    folder_bytes: int
    free_bytes: int


class Storage:
    def __init__(self, store: Store, folder: MediaFolder, *, on_lost: Callable[[str], None]) -> None:
        """Calls `on_lost` with the id of each generation whose file is missing."""
        self._store = store
        self._folder = folder
        self._on_lost = on_lost

    async def check(self) -> StorageReport:
        """Changes nothing. An orphan is at least a day old; an unused source picture a week more."""
        return (await self._compare(None))[0]

    async def remove_orphans(
        self, *, older_than: float | None = None, only: Callable[[str, float], bool] = lambda *_: True
    ) -> StorageReport:
        """Checks, and removes the orphans: all, or `only` those of such a name and time of writing."""
        report, files = await self._compare(older_than)
        for name in report.orphans:
            if only(name, files[name].written_at):
                await self._folder.remove(name)
                log.info("Removed a file that no generation names: %s", name)
        return report

    async def missing(self) -> list[str]:
        """Ids of the generations whose kept file is missing; neither logs nor reports them."""
        kept = await self._store.kept_files()
        files = await self._folder.files()
        if all(name in files for name in kept.values()):
            return []
        return _missing(kept, files, await self._store.media_names())

    async def _compare(self, older_than: float | None) -> tuple[StorageReport, dict[str, StoredFile]]:
        if older_than is None:
            older_than = time.time() - MIN_ORPHAN_AGE_S
        kept = await self._store.kept_files()
        files = await self._folder.files()
        named = await self._store.media_names()
        missing = _missing(kept, files, named)
        for generation_id in missing[:MAX_LOGGED]:
            log.error("The kept file of %s is missing from the media folder.", generation_id)
        if len(missing) > MAX_LOGGED:
            log.error("So are %d more: is the disk of the media folder there?", len(missing) - MAX_LOGGED)
        for generation_id in missing:
            self._on_lost(generation_id)
        orphans = sorted(
            name
            for name, file in files.items()
            if name not in named and file.written_at < older_than - (UNUSED_FOR_S if is_source(name) else 0.0)
        )
        return StorageReport(
            missing=missing,
            orphans=orphans,
            orphan_bytes=sum(files[name].size_bytes for name in orphans),
            folder_bytes=sum(file.size_bytes for file in files.values()),
            free_bytes=await self._folder.free_bytes(),
        ), files


def _missing(kept: Mapping[str, str], files: Container[str], named: Container[str]) -> list[str]:
    """Rows are read before files: one that was removed in between is no longer `named`."""
    return [each for each, name in kept.items() if name not in files and name in named]
