"""The pictures that generations start from."""

import shutil
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from services.core.errors import DeliveryFailed, InvalidRequest, StoreFailed, Words
from services.core.model import Kept, Kind
from services.media import worker_tasks
from services.media.ingest import Ingest
from services.media.storage.folder import MediaFolder, disk_errors
from services.media.threads import in_thread
from services.media.worker_pool import Worker
from services.store.sources import SourceRows

MAX_BYTES = 50 * 1024 * 1024
MAX_PIXELS = 40_000_000
TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})
MARK = "source"
"""Part of their names: `ab/cdef….source.png`."""
UNUSED_FOR_S = 7 * 86_400.0
"""How long one without a generation is kept: it may be in an open form."""
_DRAWN_WITHIN_S = 30.0
"""A moving picture is decoded from its start."""

UNSUPPORTED = Words("Use a PNG, JPEG or WebP image of at most 40 megapixels.")
TOO_LARGE = Words("Use an image of at most 50 MB.")


def is_source(name: str) -> bool:
    return f".{MARK}." in name


class Sources:
    def __init__(self, folder: MediaFolder, ingest: Ingest, worker: Worker, rows: SourceRows) -> None:
        self._rows = rows
        self._folder = folder
        self._ingest = ingest
        self._worker = worker

    def path(self, name: str) -> Path:
        """Returns the path of any file in the media folder. Raises ValueError."""
        return self._folder.path(name)

    async def save(self, data: bytes, *, owner: str) -> str:
        """Returns its name in the media folder. Raises InvalidRequest, StoreFailed."""
        async with self._part() as part:
            await in_thread(part.write_bytes, data)
            return await self._store(part, owner)

    async def receive(self, chunks: AsyncIterable[bytes], *, owner: str) -> str:
        """Like `save`, for a stream of bytes, read up to 50 MB."""
        async with self._part() as part:
            try:
                await _write(part, chunks)
            except DeliveryFailed as error:
                raise StoreFailed(error.sentence) from error
            return await self._store(part, owner)

    async def copy(self, kept: Kept, kind: Kind, *, owner: str) -> str:
        """Copies a kept image, or a video's last frame; the copy outlives the original.

        Raises InvalidRequest, StoreFailed.
        """
        async with self._part() as part:
            try:
                path = self._folder.path(kept.name)
                if kept.content_type in TYPES and kept.duration_s is None:
                    await in_thread(shutil.copyfile, path, part)
                else:
                    arguments = (str(path), str(part), kind.value)
                    await self._worker.run(worker_tasks.still, *arguments, timeout_s=_DRAWN_WITHIN_S)
            except OSError as error:
                sentence = Words("This file is missing from the disk.")
                raise InvalidRequest(sentence, field="source") from error
            except (DeliveryFailed, ValueError, RuntimeError) as error:
                raise InvalidRequest("This file has no image to start from.", field="source") from error
            return await self._store(part, owner)

    async def find(self, name: str, *, owner: str) -> Path | None:
        """Returns the path of a person's source picture; None where there is none of that name."""
        try:
            path = self._folder.path(name)
        except ValueError:
            return None
        found = is_source(name) and await in_thread(path.is_file) and await self._rows.belongs_to(name, owner)
        return path if found else None

    async def check(self, name: str, *, owner: str) -> None:
        """Raises InvalidRequest when the person has no such source."""
        if await self.find(name, owner=owner) is None:
            sentence = Words(
                "The starting image is no longer available. Add it again, or continue without it."
            )
            raise InvalidRequest(sentence, field="source")

    @asynccontextmanager
    async def _part(self) -> AsyncIterator[Path]:
        part = self._folder.part(MARK)
        try:
            yield part
        finally:
            await self._folder.discard(part)

    async def _store(self, part: Path, owner: str) -> str:
        name = await self._verified(part)
        try:
            await self._rows.add(name, owner=owner)
        except BaseException:
            await self._ingest.discard(name)
            raise
        return name

    async def _verified(self, part: Path) -> str:
        """Returns the kept picture's name."""
        try:
            await in_thread(_check_size, part)
            await self._make_plain(part)
            kept = await self._ingest.take(Kind.IMAGE, part, mark=MARK)
        except DeliveryFailed as error:
            if error.reason == "disk_full":
                raise StoreFailed(error.sentence) from error
            if error.reason in ("wrong_kind", "text_document"):
                raise InvalidRequest(UNSUPPORTED, field="file") from error
            raise InvalidRequest("This image cannot be used. {error}", field="file", error=error) from error
        pixels = (kept.width or 0) * (kept.height or 0)
        if kept.content_type not in TYPES or pixels > MAX_PIXELS:
            await self._ingest.discard(kept.name)
            raise InvalidRequest(UNSUPPORTED, field="file")
        return kept.name

    async def _make_plain(self, part: Path) -> None:
        with suppress(ValueError, RuntimeError):  # the verification finds the same, with its reason
            await self._worker.run(worker_tasks.make_plain, str(part))


async def _write(part: Path, chunks: AsyncIterable[bytes]) -> None:
    received_bytes = 0
    with disk_errors():
        file = await in_thread(part.open, "wb")
    try:
        async for chunk in chunks:
            received_bytes += len(chunk)
            if received_bytes > MAX_BYTES:
                raise InvalidRequest(TOO_LARGE, field="file")
            with disk_errors():
                await in_thread(file.write, chunk)
    finally:
        await in_thread(file.close)


def _check_size(part: Path) -> None:
    """Raises InvalidRequest for an empty file, and for one that is too large."""
    size_bytes = part.stat().st_size
    if not size_bytes:
        raise InvalidRequest("The file is empty. Choose an image.", field="file")
    if size_bytes > MAX_BYTES:
        raise InvalidRequest(TOO_LARGE, field="file")
