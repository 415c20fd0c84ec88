"""Turns a result's URL into a kept file."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from services.core.errors import DeliveryFailed
from services.core.model import Kept, Kind
from services.media import worker_tasks
from services.media.download import Checkpoint, Credentials, Downloader, reach
from services.media.formats import Probed, Truncated, WrongKind
from services.media.storage.folder import MediaFolder
from services.media.storage.part_file import Fingerprint, measure
from services.media.threads import in_thread
from services.media.worker_pool import Worker

logger = logging.getLogger(__name__)


class Ingest:
    def __init__(
        self,
        folder: MediaFolder,
        downloader: Downloader,
        worker: Worker,
        *,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self._folder = folder
        self._downloader = downloader
        self._worker = worker
        self._checkpoint = checkpoint

    async def keep(
        self, generation_id: str, kind: Kind, url: str, *, credentials: Credentials | None = None
    ) -> Kept:
        """Raises DeliveryFailed; then, and when cancelled, nothing is left on the disk."""
        await reach(self._checkpoint, "before_download")
        part = self._folder.part(generation_id)
        fetch = self._downloader.fetch(url, part, credentials=credentials, checkpoint=self._checkpoint)
        return await self._store(part, kind, await fetch)

    async def take(self, kind: Kind, part: Path, *, mark: str) -> Kept:
        """Keeps bytes that are already at `part`, such as an upload's, with `mark` in their name.

        Raises DeliveryFailed; then the part is gone.
        """
        return await self._store(part, kind, await in_thread(measure, part), mark=f"{mark}.")

    async def discard(self, *names: str) -> None:
        """Removes bytes that lost the race to the commit, or pictures without a row."""
        for name in names:
            await self._folder.remove(name)

    async def illustrate(self, kept: Kept) -> tuple[str | None, str | None]:
        """Returns the names of poster and hover preview; None where one failed. An image has no preview."""
        stem = kept.name.rpartition(".")[0]
        poster = await self._draw(worker_tasks.poster, kept, f"{stem}.poster.webp")
        if kept.duration_s is None and kept.content_type.startswith("image/"):
            return poster, None
        try:
            return poster, await self._draw(worker_tasks.preview, kept, f"{stem}.preview.mp4")
        except BaseException:
            if poster is not None:
                await self._folder.remove(poster)
            raise

    async def _store(self, part: Path, kind: Kind, fingerprint: Fingerprint, mark: str = "") -> Kept:
        name = None
        try:
            probed = await self._probe(part, kind)
            await reach(self._checkpoint, "before_rename")
            name = self._folder.new_name(mark + probed.extension)
            await self._folder.keep(part, name)
            await reach(self._checkpoint, "after_rename")
        except BaseException as error:
            await self._folder.discard(part)
            if name is not None and not isinstance(error.__cause__, FileExistsError):  # not ours
                await self._folder.remove(name)
            raise
        return Kept(name=name, **fingerprint._asdict(), **asdict(probed))

    async def _probe(self, part: Path, kind: Kind) -> Probed:
        try:
            return Probed(**await self._worker.run(worker_tasks.probe, str(part), kind.value))
        except ValueError as error:
            reason = {WrongKind: "wrong_kind", Truncated: "truncated"}.get(type(error), "undecodable")
            raise DeliveryFailed(str(error), reason=reason) from error

    async def _draw(self, draw: Callable[[str, str], None], kept: Kept, name: str) -> str | None:
        part = self._folder.part("picture")
        try:
            await self._worker.run_later(draw, str(self._folder.path(kept.name)), str(part))
            await self._folder.remove(name)  # left by a crash
            await self._folder.keep(part, name)
        except (DeliveryFailed, ValueError, OSError, RuntimeError) as error:
            logger.warning("No %s for a kept file: %s", draw.__name__, error)
            return None
        except BaseException:
            await self._folder.remove(name)
            raise
        finally:
            await self._folder.discard(part)
        return name
