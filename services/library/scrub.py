"""The weekly scrub: rereads each kept file and compares its hash, to find bit rot."""

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
from services.store.library import INSTALLATION, LibraryRows

log = logging.getLogger(__name__)

PREFERENCE = "round"
INTERVAL_S = 7 * 86_400.0
CHECK_INTERVAL_S = 3600.0
PAUSE_FACTOR = 4.0
"""Pause after each file, in reading times: a scrub takes a fifth of one core and one disk."""
BATCH_SIZE = 50
MAX_IDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubRun:
    """Progress or outcome. Ids of generations, oldest first; times are Unix seconds."""

    began_at: float
    ended_at: float | None = None
    after_id: str = ""
    checked: int = 0
    damaged: tuple[str, ...] = ()
    """Their files differ from what was kept."""
    missing: tuple[str, ...] = ()


class Scrub:
    """Calls `on_lost` with each generation whose file is missing, `on_damaged` where it has changed."""

    def __init__(
        self,
        library_rows: LibraryRows,
        folder: MediaFolder,
        *,
        on_lost: Callable[[str], None],
        on_damaged: Callable[[str], None],
        now: Callable[[], float] = time.time,
        pause_factor: float = PAUSE_FACTOR,
    ) -> None:
        self._rows = library_rows
        self._folder = folder
        self._on_lost = on_lost
        self._on_damaged = on_damaged
        self._now = now
        self._pause_factor = pause_factor

    async def run(self) -> None:
        """Until cancelled. A restart resumes an unfinished run."""
        while True:
            with log_failures("The round over the kept files failed"):
                await self.run_once()
            await asyncio.sleep(CHECK_INTERVAL_S)

    async def latest(self) -> ScrubRun | None:
        """The newest run, finished or not; None before the first."""
        stored = await self._rows.preference(PREFERENCE, owner=INSTALLATION)
        if stored is None:
            return None
        return ScrubRun(**stored | {name: tuple(stored[name]) for name in ("damaged", "missing")})

    async def run_once(self, *, force: bool = False) -> ScrubRun:
        """Finishes the unfinished run, or does a new one when a week has passed (or with `force`)."""
        now, run = self._now(), await self.latest()
        if run is None or run.ended_at is not None:
            if run is not None and not force and now - run.began_at < INTERVAL_S:
                return run
            run = ScrubRun(began_at=now)
        while batch := await self._rows.kept_files_after(run.after_id, limit=BATCH_SIZE):
            for generation_id, kept in batch:
                run = await self._check(run, generation_id, kept)
            await self._save(run)
        run = replace(run, ended_at=self._now())
        await self._save(run)
        if run.checked:
            ended = "The round over the kept files ended: %d checked, %d damaged, %d missing."
            log.info(ended, run.checked, len(run.damaged), len(run.missing))
        return run

    async def _check(self, run: ScrubRun, generation_id: str, kept: Kept) -> ScrubRun:
        began = time.monotonic()
        problem = await in_thread(self._compare, kept)
        if problem and await self._rows.kept_file(generation_id) == kept:  # else it was removed meanwhile
            if problem == "missing":
                log.error("The kept file of %s is missing from the media folder.", generation_id)
                self._on_lost(generation_id)
                run = replace(run, missing=(*run.missing, generation_id)[-MAX_IDS:])
            else:
                log.error("The kept file of %s is not what was kept: its disk has damaged it.", generation_id)
                self._on_damaged(generation_id)
                run = replace(run, damaged=(*run.damaged, generation_id)[-MAX_IDS:])
        await asyncio.sleep(self._pause_factor * (time.monotonic() - began))
        return replace(run, after_id=generation_id, checked=run.checked + 1)

    def _compare(self, kept: Kept) -> str:
        try:
            size_bytes, sha256 = measure(self._folder.path(kept.name))
        except FileNotFoundError:
            return "missing"
        except OSError:  # an unreadable sector
            return "damaged"
        return "" if (size_bytes, sha256) == (kept.size_bytes, kept.sha256) else "damaged"

    async def _save(self, run: ScrubRun) -> None:
        await self._rows.set_preference(PREFERENCE, asdict(run), owner=INSTALLATION)
