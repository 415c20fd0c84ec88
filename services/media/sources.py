"""Source pictures."""

import shutil
from collections.abc import AsyncIterable
from pathlib import Path

from services.core.errors import DeliveryFailed, InvalidRequest, StoreFailed, Words
from services.core.model import Kept, Kind
from services.media import worker_tasks
from services.media.formats import WEBP, sniff
from services.media.ingest import Ingest
from services.media.storage.folder import DiskErrors, MediaFolder
from services.media.threads import in_thread
from services.media.worker_pool import Worker
from services.store.sources import SourceRows

MOST_BYTES = 50 * 1024 * 1024
MOST_PIXELS = 40_000_000
TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})
MARK = "source"
"""Stands in their names: `ab/cdef….source.png`."""
UNUSED_FOR_S = 7 * 86_400.0
"""One that no generation names is kept so long: it may wait in somebody's composer."""

TOO_LARGE = Words("The picture may have at most 50 MB.")


def is_source(name: str) -> bool:
    """By its name in the media folder."""
    return f".{MARK}." in name


class Sources:
    def __init__(self, folder: MediaFolder, ingest: Ingest, worker: Worker, rows: SourceRows) -> None:
        self._rows = rows
        self._folder = folder
        self._ingest = ingest
        self._worker = worker

    def path(self, name: str) -> Path:
        """Of any file in the media folder. Raises ValueError."""
        return self._folder.path(name)

    async def keep(self, data: bytes, *, owner: str) -> str:
        """Returns its name in the media folder. Raises InvalidRequest for no picture, or one too large."""
        part = self._folder.part(MARK)
        await in_thread(part.write_bytes, data)
        return await self._owned(part, owner)

    async def receive(self, chunks: AsyncIterable[bytes], *, owner: str) -> str:
        """The same for a stream of bytes, read up to 50 MB. Raises InvalidRequest, StoreFailed."""
        part = self._folder.part(MARK)
        try:
            await _write(part, chunks)
        except DeliveryFailed as error:
            await self._folder.discard(part)
            raise StoreFailed(error.sentence) from error
        except BaseException:
            await self._folder.discard(part)
            raise
        return await self._owned(part, owner)

    async def of(self, kept: Kept, *, owner: str) -> str:
        """Copies a kept picture, or a film's last frame; the copy outlives the original.

        Raises InvalidRequest.
        """
        part = self._folder.part(MARK)
        try:
            if kept.content_type in TYPES:
                await in_thread(shutil.copyfile, self._folder.path(kept.name), part)
            else:
                await self._worker.run(worker_tasks.still, str(self._folder.path(kept.name)), str(part))
        except OSError as error:
            await self._folder.discard(part)
            sentence = Words("This file was kept, but it is gone from the disk.")
            raise InvalidRequest(sentence, field="source") from error
        except (DeliveryFailed, ValueError, RuntimeError) as error:
            await self._folder.discard(part)
            raise InvalidRequest("No picture can be taken from this file.", field="source") from error
        return await self._owned(part, owner)

    async def find(self, name: str, *, owner: str) -> Path | None:
        """The path of a person's source picture; None when there is none of that name."""
        try:
            path = self._folder.path(name)
        except ValueError:
            return None
        there = is_source(name) and await in_thread(path.is_file) and await self._rows.belongs_to(name, owner)
        return path if there else None

    async def check(self, name: str, *, owner: str) -> None:
        """Raises InvalidRequest when the person has no such source."""
        if await self.find(name, owner=owner) is None:
            sentence = Words("The picture to start from is no longer here: add it again, or leave it out.")
            raise InvalidRequest(sentence, field="source")

    async def _owned(self, part: Path, owner: str) -> str:
        name = await self._settled(part)
        try:
            await self._rows.add(name, owner=owner)
        except BaseException:
            await self._ingest.discard(name)
            raise
        return name

    async def _settled(self, part: Path) -> str:
        """Verified and named; an animation becomes its first frame."""
        try:
            head = await in_thread(_looked_at, part)
            if _is_animation(head):
                part = await self._first_frame(part)
            kept = await self._ingest.take(Kind.IMAGE, part, mark=MARK)
        except DeliveryFailed as error:
            if error.reason == "disk_full":
                raise StoreFailed(error.sentence) from error
            raise InvalidRequest("This picture cannot be used: {error}", field="file", error=error) from error
        except InvalidRequest:
            await self._folder.discard(part)
            raise
        if kept.content_type not in TYPES or kept.width * kept.height > MOST_PIXELS:
            await self._ingest.discard(kept.name)
            raise InvalidRequest("Send a PNG, JPEG or WebP of at most 40 megapixels.", field="file")
        return kept.name

    async def _first_frame(self, part: Path) -> Path:
        """Not every backend knows animations, and none says which frame it took."""
        still = self._folder.part(MARK)
        try:
            await self._worker.run(worker_tasks.still, str(part), str(still))
        except ValueError as error:
            await self._folder.discard(still)
            raise DeliveryFailed("The file cannot be decoded.", reason="undecodable") from error
        except BaseException:
            await self._folder.discard(still)
            raise
        finally:
            await self._folder.discard(part)
        return still


async def _write(part: Path, chunks: AsyncIterable[bytes]) -> None:
    came_bytes = 0
    with DiskErrors():
        file = await in_thread(part.open, "wb")
    try:
        async for chunk in chunks:
            came_bytes += len(chunk)
            if came_bytes > MOST_BYTES:
                raise InvalidRequest(TOO_LARGE, field="file")
            with DiskErrors():
                await in_thread(file.write, chunk)
    finally:
        await in_thread(file.close)


def _looked_at(part: Path) -> bytes:
    """Its first bytes. Raises InvalidRequest for what need not be decoded to be refused."""
    size_bytes = part.stat().st_size
    if not size_bytes:
        raise InvalidRequest("The file is empty: choose a picture.", field="file")
    if size_bytes > MOST_BYTES:
        raise InvalidRequest(TOO_LARGE, field="file")
    with part.open("rb") as file:
        return file.read(32)


def _is_animation(head: bytes) -> bool:
    """The extended WebP header has a flag for it (RFC 9649, 2.7)."""
    return sniff(head) is WEBP and head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 0x02)
