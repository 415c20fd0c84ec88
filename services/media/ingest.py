"""Turns a result's URL into a kept file."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

from services.core.errors import DeliveryFailed, Unverified
from services.core.model import Kept, Kind, Problem
from services.core.phase_messages import PROBLEMS
from services.media import worker_tasks
from services.media.download import Checkpoint, Credentials, Downloader, reach
from services.media.formats import Probed, Truncated, WrongKind
from services.media.held_files import Held, HeldFiles
from services.media.problems import is_text, problem_of
from services.media.serve import BYTES
from services.media.storage.folder import MediaFolder
from services.media.storage.part_file import Fingerprint, measure
from services.media.threads import in_thread
from services.media.worker_pool import Worker
from services.media.worker_process import ActFailed

logger = logging.getLogger(__name__)
PATIENT_S = 60.0


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
        self._held = HeldFiles(folder)

    async def download_and_store(
        self, generation_id: str, kind: Kind, url: str, *, credentials: Credentials | None = None
    ) -> Kept:
        """Raises DeliveryFailed; then, and when cancelled, nothing is left on the disk.

        Bytes that came whole but cannot be verified are held, and raise Unverified. When the very same bytes
        come again, they are kept with their problem.
        """
        await reach(self._checkpoint, "before_download")
        part = self._folder.part(generation_id)
        fetch = self._downloader.fetch(url, part, credentials=credentials, checkpoint=self._checkpoint)
        fingerprint = await fetch
        try:
            return await self._store(part, kind, fingerprint)
        except _Refused as refused:
            await self._hold(generation_id, part, Held(path=part, fingerprint=fingerprint, **refused.facts))
            kept = await self.store_held(generation_id, kind)
            assert kept is not None
            return kept

    async def store_held(self, generation_id: str, kind: Kind) -> Kept | None:
        """Stores the held bytes with their problem; None where none are held. They stay held until `release`.

        Raises DeliveryFailed.
        """
        held = await self._held.get(generation_id)
        if held is None:
            return None
        probed = await self._probe_patiently(held, kind)
        name = self._folder.new_name(held.extension if probed is None else probed.extension)
        try:
            await reach(self._checkpoint, "before_link")
            await self._folder.link(held.path, name)
            await reach(self._checkpoint, "after_link")
        except BaseException as error:
            if not isinstance(error.__cause__, FileExistsError):
                await self._folder.remove(name)
            raise
        if probed is not None:
            return Kept(name=name, **held.fingerprint._asdict(), **asdict(probed))
        return Kept(
            name=name,
            **held.fingerprint._asdict(),
            content_type=BYTES,
            width=None,
            height=None,
            duration_s=None,
            fps=None,
            problem=held.problem,
        )

    async def holds(self, generation_id: str) -> bool:
        return await self._held.get(generation_id) is not None

    async def held_ids(self) -> set[str]:
        """Ids of the generations for which bytes are held."""
        return await self._held.ids()

    async def release(self, generation_id: str) -> None:
        """Lets go of what is held, once the generation is complete."""
        await self._held.release(generation_id)

    async def take(self, kind: Kind, part: Path, *, mark: str) -> Kept:
        """Keeps bytes that are already at `part`, such as an upload's, with `mark` in their name.

        Raises DeliveryFailed; then the part is gone.
        """
        try:
            return await self._store(part, kind, await in_thread(measure, part), mark=f"{mark}.")
        except _Refused as refused:
            await self._folder.discard(part)
            raise refused.failure from refused

    async def discard(self, *names: str) -> None:
        """Removes bytes that lost the race to the commit, or pictures without a row."""
        for name in names:
            await self._folder.remove(name)

    async def illustrate(self, kept: Kept) -> tuple[str | None, str | None]:
        """Returns the names of poster and hover preview; None where one failed. An image has no preview."""
        if kept.problem is not None:
            return None, None
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
        """Raises _Refused, and then leaves the part; after any other error it is gone."""
        name = None
        try:
            probed = await self._probe(part, kind)
            await reach(self._checkpoint, "before_rename")
            name = self._folder.new_name(mark + probed.extension)
            await self._folder.keep(part, name)
            await reach(self._checkpoint, "after_rename")
        except _Refused:
            raise
        except BaseException as error:
            await self._folder.discard(part)
            if name is not None and not isinstance(error.__cause__, FileExistsError):  # not ours
                await self._folder.remove(name)
            raise
        return Kept(name=name, **fingerprint._asdict(), **asdict(probed))

    async def _probe(self, part: Path, kind: Kind) -> Probed:
        """Raises _Refused, or DeliveryFailed for a text document."""
        try:
            return Probed(**await self._worker.run(worker_tasks.probe, str(part), kind.value))
        except (ValueError, ActFailed, DeliveryFailed) as error:
            if await in_thread(is_text, part):
                raise DeliveryFailed(
                    "A text page came instead of the file.", reason="text_document"
                ) from error
            raise _Refused(error, *await in_thread(problem_of, part, kind, error)) from error

    async def _probe_patiently(self, held: Held, kind: Kind) -> Probed | None:
        """On a busy machine a decoder may have had too little time."""
        if held.problem.code != "decoder_failed":
            return None
        run = self._worker.run(worker_tasks.probe, str(held.path), kind.value, timeout_s=PATIENT_S)
        try:
            return Probed(**await run)
        except (ValueError, ActFailed, DeliveryFailed):
            return None

    async def _hold(self, generation_id: str, part: Path, offered: Held) -> None:
        """Raises Unverified unless these bytes came before."""
        try:
            await reach(self._checkpoint, "before_hold")
            repeated = await self._held.offer(generation_id, part, offered)
            await reach(self._checkpoint, "after_hold")
        except BaseException:
            await self._folder.discard(part)
            raise
        if not repeated:
            raise Unverified(offered.problem)

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


class _Refused(Exception):
    """The verification refused a file. `failure` is what a person who sent it is told."""

    def __init__(self, error: Exception, problem: Problem, extension: str) -> None:
        super().__init__(problem.reason)
        self.facts: _Facts = {"problem": problem, "extension": extension}
        reasons: dict[type[Exception], str] = {WrongKind: "wrong_kind", Truncated: "truncated"}
        reason = reasons.get(type(error), "undecodable")
        sentence = PROBLEMS["decoder_failed"] if isinstance(error, ActFailed) else str(error)
        self.failure = DeliveryFailed(sentence, reason=reason)


class _Facts(TypedDict):
    problem: Problem
    extension: str
