"""Exports: single copies or a ZIP, streamed and never held in memory."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from zipstream import ZIP_STORED, ZipStream

from services.core.errors import NotFound
from services.core.model import Generation, Kept, Phase
from services.library.embedded_facts import facts_of
from services.media.formats import EXTENSIONS
from services.media.tagged_copy import Copy, copy_of
from services.media.threads import in_thread
from services.media.xmp import packet

MAX_NAME_LENGTH = 60
MISSING_NAME = "not-in-this-archive.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """Iterate `chunks` in a thread: it reads from the disk."""

    size_bytes: int
    files: int
    chunks: Iterator[bytes]


class Export:
    def __init__(self, media_path: Callable[[str], Path]) -> None:
        """`media_path` returns a kept file's path by its name."""
        self._media_path = media_path

    async def copy(self, generation: Generation) -> Copy:
        """Raises NotFound without a kept file, FileNotFoundError when that file is missing."""
        return await in_thread(self._copy, generation)

    async def archive(self, generations: Iterable[Generation]) -> Archive:
        """Packs all that have a file, and a list of the missing files. Raises NotFound for none."""
        wanted = [each for each in generations if _kept(each) is not None]
        if not wanted:
            raise NotFound("None of these has a file that could be packed.")
        return await in_thread(self._archive, wanted)

    def _copy(self, generation: Generation) -> Copy:
        kept = _kept(generation)
        if kept is None:
            raise NotFound("This file is not here yet.")
        facts = packet(facts_of(generation), generation.request.prompt)
        return copy_of(self._media_path(kept.name), facts)

    def _archive(self, generations: list[Generation]) -> Archive:
        """Media are compressed already: storing them makes the archive's size known in advance."""
        archive = ZipStream(compress_type=ZIP_STORED, sized=True)
        missing = []
        for generation in generations:
            assert generation.kept is not None
            name = download_name(generation, generation.kept)
            try:
                copy = self._copy(generation)
            except FileNotFoundError:
                missing.append(name)
            else:
                archive.add(copy.chunks(), name, size=copy.size_bytes)
        if len(missing) == len(generations):
            raise NotFound("The files of these were kept, but they are gone from the disk.")
        if missing:
            lines = ["These were kept, but are gone from the disk:", *missing, ""]
            archive.add("\n".join(lines), MISSING_NAME)
        return Archive(size_bytes=len(archive), files=len(generations) - len(missing), chunks=iter(archive))


def download_name(generation: Generation, kept: Kept) -> str:
    """For example "a-red-kite-over-the-sea-1b2c3d4e.mp4"."""
    words = "-".join(re.findall(r"\w+", generation.request.prompt.lower())[:8])[:MAX_NAME_LENGTH].strip("-_")
    tail = re.sub(r"\W", "", generation.id)[-8:]
    return f"{words or generation.request.kind}-{tail}.{EXTENSIONS.get(kept.content_type, 'bin')}"


def _kept(generation: Generation) -> Kept | None:
    return generation.kept if generation.phase is Phase.COMPLETED else None
