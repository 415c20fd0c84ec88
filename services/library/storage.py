"""Compares rows and media folder: missing files, orphans, and the space used."""

import logging
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass

from services.media.sources import UNUSED_FOR_S, is_source
from services.media.storage.folder import MediaFolder, StoredFile
from services.store.store import Store

log = logging.getLogger(__name__)

MOST_NAMED = 20
"""Lines of the log: a disk that is not mounted misses everything."""
YOUNG_S = 86_400.0
"""What is on its way into the folder belongs to no row yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """`missing` are generations whose kept file is gone, `orphans` files that no generation names."""

    missing: list[str]
    orphans: list[str]
    orphan_bytes: int
    folder_bytes: int
    free_bytes: int


class Storage:
    def __init__(self, store: Store, folder: MediaFolder, *, lost: Callable[[str], None]) -> None:
        """`lost` is told the id of each generation whose file is found to be gone."""
        self._store = store
        self._folder = folder
        self._lost = lost

    async def check(self, *, older_than: float) -> Findings:
        """What is missing, and what is nobody's; nothing is changed.

        Only files last written before that moment can be orphans: younger ones may be on their way.

        A source picture may wait in a composer, and has a week more.
        """
        return (await self._look(older_than))[0]

    async def _look(self, older_than: float) -> tuple[Findings, dict[str, StoredFile]]:
        kept = await self._store.kept_files()
        found = await self._folder.files()
        named = await self._store.media_names()
        missing = _missing(kept, found, named)
        for generation_id in missing[:MOST_NAMED]:
            log.error("The kept file of %s is missing from the media folder.", generation_id)
        if len(missing) > MOST_NAMED:
            log.error("So are %d more: is the disk of the media folder there?", len(missing) - MOST_NAMED)
        for generation_id in missing:
            self._lost(generation_id)
        orphans = sorted(
            name
            for name, file in found.items()
            if name not in named and file.written_at < older_than - (UNUSED_FOR_S if is_source(name) else 0.0)
        )
        return Findings(
            missing=missing,
            orphans=orphans,
            orphan_bytes=sum(found[name].size_bytes for name in orphans),
            folder_bytes=sum(file.size_bytes for file in found.values()),
            free_bytes=await self._folder.free_bytes(),
        ), found

    async def missing(self) -> list[str]:
        """Ids of the generations whose kept file is not there; only looked, nothing is told or changed."""
        kept = await self._store.kept_files()
        found = await self._folder.files()
        if all(name in found for name in kept.values()):
            return []
        return _missing(kept, found, await self._store.media_names())

    async def tidy(
        self, *, older_than: float, only: Callable[[str, float], bool] = lambda *_: True
    ) -> Findings:
        """Check, and remove the orphans: all, or `only` those of such a name and time of writing."""
        findings, found = await self._look(older_than)
        going = [name for name in findings.orphans if only(name, found[name].written_at)]
        for name in going:
            await self._folder.remove(name)
            log.info("Removed a file that no generation names: %s", name)
        return findings


def _missing(kept: Mapping[str, str], found: Container[str], named: Container[str]) -> list[str]:
    """Rows are read before files; one that was removed between the two is not `named` any more."""
    return [each for each, name in kept.items() if name not in found and name in named]
