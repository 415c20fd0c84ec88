"""Fills in the search words of rows from before they were kept, once, behind the start."""

import asyncio
import logging
import time
from itertools import islice

from services.core.log_failures import log_failures
from services.core.search_words import index_text
from services.store.library import INSTALLATION, LibraryRows
from services.store.search_text import SearchText

log = logging.getLogger(__name__)

PREFERENCE = "search words"
DONE = "done"
READ_BATCH = 2000
WRITE_BATCH = 16
"""Rows that are indexed in one go, about 10 ms, before other writes get their turn."""
RETRY_S = 60.0
PAUSE_FACTOR = 1.0
"""Pause after each batch, in its own times."""


class Reindex:
    def __init__(self, library_rows: LibraryRows, search_text: SearchText) -> None:
        self._rows = library_rows
        self._search_text = search_text

    async def run(self) -> None:
        """Until all rows are done. A restart goes on where the last run stopped."""
        while await self._rows.preference(PREFERENCE, owner=INSTALLATION) != DONE:
            with log_failures("Older prompts were not made searchable"):
                await self._fill()
                continue
            await asyncio.sleep(RETRY_S)

    async def _fill(self) -> None:
        after = await self._rows.preference(PREFERENCE, owner=INSTALLATION) or 0
        filled = 0
        while prompts := await self._search_text.prompts_after(after, limit=READ_BATCH):
            wanted = await asyncio.to_thread(_with_words, prompts)
            filled += len(wanted)
            rows = iter(wanted)
            while batch := list(islice(rows, WRITE_BATCH)):
                began = time.monotonic()
                await self._search_text.fill(batch)
                await asyncio.sleep(PAUSE_FACTOR * (time.monotonic() - began))
            after = prompts[-1][0]
            await self._rows.set_preference(PREFERENCE, after, owner=INSTALLATION)
        await self._rows.set_preference(PREFERENCE, DONE, owner=INSTALLATION)
        if filled:
            log.info("Older prompts that search now finds in every script: %d.", filled)


def _with_words(prompts: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return [(seq, words) for seq, prompt in prompts if (words := index_text(prompt)) is not None]
