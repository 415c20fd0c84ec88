"""The weekly scrub: rereads each kept file and compares its hash, so that bit rot is found."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from services.core.log_failures import log_failures
from services.core.model import Kept
from services.media.storage.folder import MediaFolder
from services.media.storage.part_file import measure
from services.media.threads import in_thread
from services.store.library import LibraryRows

log = logging.getLogger(__name__)

NAME = "round"
OWNER = ""
"""A round is the install's, not a person's."""
EVERY_S = 7 * 86_400.0
LOOKS_EVERY_S = 3600.0
RESTS = 4.0
"""After each file the round rests so many times what reading it took: a fifth of one core and one disk."""
AT_ONCE = 50
MOST_NAMED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How far it is, or how it ended. Ids of generations, oldest first; times are Unix seconds."""

    began_at: float
    ended_at: float | None = None
    after_id: str = ""
    checked: int = 0
    damaged: tuple[str, ...] = ()
    """The file is there, and is not what was kept."""
    missing: tuple[str, ...] = ()


class Scrub:
    """`lost` is told each generation whose file is gone, `damaged` each whose file has changed."""

    def __init__(
        self,
        library_rows: LibraryRows,
        folder: MediaFolder,
        *,
        lost: Callable[[str], None],
        damaged: Callable[[str], None],
        now: Callable[[], float] = time.time,
        rests: float = RESTS,
    ) -> None:
        self._rows = library_rows
        self._folder = folder
        self._lost = lost
        self._damaged = damaged
        self._now = now
        self._rests = rests

    async def run(self) -> None:
        """For ever; the engine owns the task. A round that a restart cut short goes on where it was."""
        while True:
            with log_failures("The round over the kept files failed"):
                await self.go_round()
            await asyncio.sleep(LOOKS_EVERY_S)

    async def last(self) -> Round | None:
        """The newest one, under way or ended; None before the first."""
        stored = await self._rows.preference(NAME, owner=OWNER)
        if stored is None:
            return None
        return Round(**stored | {name: tuple(stored[name]) for name in ("damaged", "missing")})

    async def go_round(self, *, at_once: bool = False) -> Round:
        """Begin one when a week has passed (or `at_once`), go on with one that is under way; to its end."""
        now, current = self._now(), await self.last()
        if current is not None and current.ended_at is not None:
            if not at_once and now - current.began_at < EVERY_S:
                return current
            current = None
        current = current or Round(began_at=now)
        while some := await self._rows.kept_after(current.after_id, limit=AT_ONCE):
            for generation_id, kept in some:
                current = await self._look(current, generation_id, kept)
            await self._save(current)
        current = replace(current, ended_at=self._now())
        await self._save(current)
        if current.checked:
            log.info(
                "The round over the kept files ended: %d checked, %d damaged, %d missing.",
                current.checked,
                len(current.damaged),
                len(current.missing),
            )
        return current

    async def _look(self, current: Round, generation_id: str, kept: Kept) -> Round:
        began = time.monotonic()
        finding = await in_thread(self._compare, kept)
        if finding and await self._rows.kept_of(generation_id) == kept:  # else it was removed meanwhile
            if finding == "missing":
                log.error("The kept file of %s is missing from the media folder.", generation_id)
                self._lost(generation_id)
                current = replace(current, missing=(*current.missing, generation_id)[-MOST_NAMED:])
            else:
                log.error("The kept file of %s is not what was kept: its disk has damaged it.", generation_id)
                self._damaged(generation_id)
                current = replace(current, damaged=(*current.damaged, generation_id)[-MOST_NAMED:])
        await asyncio.sleep(self._rests * (time.monotonic() - began))
        return replace(current, after_id=generation_id, checked=current.checked + 1)

    def _compare(self, kept: Kept) -> str:
        try:
            size_bytes, sha256 = measure(self._folder.path(kept.name))
        except FileNotFoundError:
            return "missing"
        except OSError:  # a sector that cannot be read
            return "damaged"
        return "" if (size_bytes, sha256) == (kept.size_bytes, kept.sha256) else "damaged"

    async def _save(self, current: Round) -> None:
        await self._rows.prefer(NAME, asdict(current), owner=OWNER)
