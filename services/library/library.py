"""A person's actions on kept results: lists, marks, trash, exports, storage and retention."""

import logging
from collections.abc import Sequence
from dataclasses import asdict

from services.core.errors import InvalidRequest, NotFound
from services.core.events import Bus
from services.core.model import Draft, Generation, GenerationQuery
from services.core.runtime import Runtime
from services.generations.service import Generations, Page
from services.generations.supervisor import Supervisor
from services.library import retention
from services.library.embedded_facts import draft_in
from services.library.export import Archive, Export
from services.library.scrub import Scrub
from services.library.storage import YOUNG_S, Findings, Storage
from services.media.storage.folder import MediaFolder
from services.media.tagged_copy import Copy
from services.store.library import LibraryRows, Total

log = logging.getLogger(__name__)

MOST_AT_ONCE = 5000
LONGEST_TAG = 40


class Library:
    """A person sees what is theirs. Acts on many take up to 5,000 ids, leave out what is not there (any
    more), and raise InvalidRequest above that; each change is told on the bus after its commit.
    """

    def __init__(
        self,
        *,
        library_rows: LibraryRows,
        generations: Generations,
        bus: Bus,
        supervisor: Supervisor,
        folder: MediaFolder,
        storage: Storage,
        scrub: Scrub,
        runtime: Runtime,
    ) -> None:
        self.storage = storage
        self.scrub = scrub
        self._rows = library_rows
        self._generations = generations
        self._bus = bus
        self._supervisor = supervisor
        self._folder = folder
        self._export = Export(folder.path)
        self._now = runtime.now
        self._checkpoint = runtime.checkpoint

    # -- lists -------------------------------------------------------------------------------

    async def page(
        self, wanted: GenerationQuery, *, owner: str, cursor: str | None = None, limit: int = 60
    ) -> Page:
        """Raises InvalidRequest for a cursor that is none of ours."""
        return await self._generations.listed(wanted, owner=owner, cursor=cursor, limit=limit)

    async def these(self, ids: Sequence[str], *, owner: str) -> list[Generation]:
        """Those of them that are there and not in the trash, in that order."""
        return await self._rows.these(_some(ids), owner=owner)

    async def tags(self, *, owner: str) -> list[str]:
        return await self._rows.tags(owner=owner)

    async def models(self, *, owner: str) -> list[tuple[str, str]]:
        """Backend and name of every model that something here was made with."""
        return await self._rows.models(owner=owner)

    async def totals(self, *, owner: str) -> list[Total]:
        return await self._rows.totals(owner=owner)

    async def size_bytes(self, *, owner: str) -> int:
        """Of all kept results, the trash included."""
        return sum(total.size_bytes for total in await self.totals(owner=owner))

    async def owners(self) -> list[str]:
        return await self._rows.owners()

    # -- marks -------------------------------------------------------------------------------

    async def star(self, ids: Sequence[str], *, on: bool, owner: str) -> int:
        return self._tell(await self._rows.star(_some(ids), owner=owner, on=on))

    async def tag(self, ids: Sequence[str], name: str, *, on: bool, owner: str) -> int:
        """Give them a tag or take it away. Raises InvalidRequest for a name that is none."""
        return self._tell(await self._rows.tag(_some(ids), tag_name(name), owner=owner, on=on))

    # -- the trash ---------------------------------------------------------------------------

    async def trash(self, ids: Sequence[str], *, owner: str) -> list[str]:
        """Into the trash; what is under way is stopped too. The ids that went."""
        gone = [each.id for each in await self._hide(_some(ids), owner)]
        for generation_id in set(ids) - set(gone):
            try:
                await self._generations.delete(generation_id, owner=owner)
            except NotFound:
                continue
            gone.append(generation_id)
        return gone

    async def restore(self, ids: Sequence[str], *, owner: str) -> list[str]:
        """Out of the trash; the ids that came back."""
        restored = await self._rows.restore(_some(ids), owner=owner)
        self._tell(restored)
        return [each.id for each in restored]

    async def empty(
        self,
        ids: Sequence[str] | None = None,
        *,
        owner: str,
        trashed_before: float | None = None,
        starred: bool = True,
        at_most: int | None = None,
    ) -> int:
        """Remove what is in the trash for good (or of that only some); how many there were.

        Rows first, then files: what a crash leaves between are files that no row names, and the next start
        removes them. What is still under way is left, and what may still bring something that was paid for.
        """
        ids = None if ids is None else _some(ids)
        count = 0
        while at_most is None or count < at_most:
            limit = 500 if at_most is None else at_most - count
            removed = await self._rows.remove(
                owner=owner, ids=ids, trashed_before=trashed_before, starred=starred, limit=limit
            )
            if not removed.ids:
                break
            self._checkpoint("rows_removed")
            count += len(removed.ids)
            for generation_id in removed.ids:
                self._supervisor.tasks.cancel(generation_id)
            for name in removed.files:
                await self._folder.remove(name)
            await self._rows.files_gone(removed.files)
        if count:
            log.info("%d generations removed for good", count)
        return count

    async def waiting(self, ids: Sequence[str] | None = None, *, owner: str) -> int:
        """How many in the trash (or of these) `empty` leaves: their jobs are not over at the backend."""
        return await self._rows.waiting(owner=owner, ids=None if ids is None else _some(ids))

    # -- copies ------------------------------------------------------------------------------

    async def copy(self, generation_id: str, *, owner: str) -> tuple[Generation, Copy]:
        """The kept bytes with their metadata. Raises NotFound, FileNotFoundError."""
        generation = await self._generations.get(generation_id, owner=owner)
        return generation, await self._export.copy(generation)

    async def archive(self, ids: Sequence[str], *, owner: str) -> Archive:
        """A ZIP of copies in the order of `ids`, each once. Raises NotFound when there is nothing to pack."""
        return await self._export.archive(await self.these(ids, owner=owner))

    def settings_in(self, data: bytes) -> Draft:
        """What a file that was handed out from here was made with; its first and last 256 KB are enough.

        Raises InvalidRequest.
        """
        return draft_in(data)

    # -- storage and rules -------------------------------------------------------------------

    async def check_storage(self) -> Findings:
        """Compare rows and files; nothing is changed."""
        return await self.storage.check(older_than=self._now() - YOUNG_S)

    async def remove_orphans(self) -> Findings:
        return await self.storage.tidy(older_than=self._now() - YOUNG_S)

    async def rule(self, *, owner: str) -> retention.Rule:
        return retention.read(await self._rows.preference(retention.NAME, owner=owner))

    async def set_rule(self, rule: retention.Rule, *, owner: str) -> int:
        """Remember it and apply it at once; how many went. Raises InvalidRequest."""
        await self._rows.prefer(retention.NAME, asdict(retention.checked(rule)), owner=owner)
        return await retention.apply(self, owner=owner, now=self._now)

    async def oldest(
        self, *, owner: str, before: float | None = None, limit: int = 200, kept_only: bool = False
    ) -> list[Generation]:
        """Of what a rule may let go, oldest first."""
        return await self._rows.oldest(owner=owner, before=before, limit=limit, kept_only=kept_only)

    # -- below -------------------------------------------------------------------------------

    async def _hide(self, ids: Sequence[str], owner: str) -> list[Generation]:
        hidden = await self._rows.hide(ids, owner=owner)
        self._tell(hidden)
        return hidden

    def _tell(self, changed: list[Generation]) -> int:
        for generation in changed:
            self._bus.publish(generation)
        return len(changed)


def tag_name(text: str) -> str:
    """Without spaces around it, one between words. Raises InvalidRequest."""
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_TAG or not name.isprintable():
        raise InvalidRequest("A tag has 1 to {most} characters.", field="tag", most=LONGEST_TAG)
    return name


def _some(ids: Sequence[str]) -> list[str]:
    unique = list(dict.fromkeys(ids))
    if len(unique) > MOST_AT_ONCE:
        raise InvalidRequest("Take at most {most} at once.", field="ids", most=MOST_AT_ONCE)
    return unique
