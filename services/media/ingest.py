"""From an address to a kept file."""

import logging
from collections.abc import Callable
from pathlib import Path

from services.core.errors import DeliveryFailed
from services.core.model import Kept, Kind
from services.media import worker_tasks
from services.media.checkpoints import Checkpoint, reach
from services.media.download import Credentials, Downloader
from services.media.probed import Probed, Truncated, WrongKind
from services.media.storage.folder import MediaFolder
from services.media.storage.part_file import measure
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
        """Bytes verified and stored. Raises DeliveryFailed; then, and when cancelled, nothing is left."""
        await reach(self._checkpoint, "before_download")
        part = self._folder.part(generation_id)
        fetched = await self._downloader.fetch(
            url, part, credentials=credentials, checkpoint=self._checkpoint
        )
        return await self._settle(part, kind, fetched.size_bytes, fetched.sha256)

    async def take(self, kind: Kind, part: Path, *, mark: str) -> Kept:
        """The same for bytes that are already at `part`, as of an upload; they are gone when it raises.

        `mark` is a word that their name will carry.
        """
        size_bytes, sha256 = await in_thread(measure, part)
        return await self._settle(part, kind, size_bytes, sha256, mark=f"{mark}.")

    async def discard(self, *names: str) -> None:
        """Remove bytes that lost the race to the commit, or pictures that no row names."""
        for name in names:
            await self._folder.remove(name)

    async def illustrate(self, kept: Kept) -> tuple[str | None, str | None]:
        """Names of poster and hover preview; None for what could not be made, and a picture's preview."""
        stem = kept.name.rpartition(".")[0]
        made = await self._made(worker_tasks.poster, kept, f"{stem}.poster.webp")
        if kept.duration_s is None and kept.content_type.startswith("image/"):
            return made, None
        try:
            return made, await self._made(worker_tasks.preview, kept, f"{stem}.preview.mp4")
        except BaseException:
            if made is not None:
                await self._folder.remove(made)
            raise

    async def _settle(self, part: Path, kind: Kind, size_bytes: int, sha256: str, mark: str = "") -> Kept:
        name = None
        try:
            probed = await self._verified(part, kind)
            await reach(self._checkpoint, "before_rename")
            name = self._folder.new_name(mark + probed.extension)
            await self._folder.keep(part, name)
            await reach(self._checkpoint, "after_rename")
        except BaseException as error:
            await self._folder.discard(part)
            if name is not None and not isinstance(error.__cause__, FileExistsError):  # that one is another's
                await self._folder.remove(name)
            raise
        return Kept(
            name=name,
            size_bytes=size_bytes,
            sha256=sha256,
            content_type=probed.content_type,
            width=probed.width,
            height=probed.height,
            duration_s=probed.duration_s,
            fps=probed.fps,
        )

    async def _verified(self, part: Path, kind: Kind) -> Probed:
        try:
            return Probed(**await self._worker.run(worker_tasks.probe, str(part), kind.value))
        except ValueError as error:
            reason = {WrongKind: "wrong_kind", Truncated: "truncated"}.get(type(error), "undecodable")
            raise DeliveryFailed(str(error), reason=reason) from error

    async def _made(self, draw: Callable[[str, str], None], kept: Kept, name: str) -> str | None:
        part = self._folder.part("picture")
        try:
            await self._worker.run_later(draw, str(self._folder.path(kept.name)), str(part))
            await self._folder.remove(name)  # of an attempt that a crash cut short
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
