"""A person's view of the kept results: lists, stars, tags and exports."""

from collections.abc import Sequence

from zipstream import ZipStream

from services.catalogue.field_checks import check_text
from services.core.errors import InvalidRequest
from services.core.events import Bus
from services.core.model import Generation
from services.core.runtime import Runtime
from services.generations.service import Generations
from services.generations.supervisor import Supervisor
from services.library import export
from services.library.retention import Retention
from services.library.scrub import Scrub
from services.library.storage import Storage
from services.library.trash import Trash, publish, unique
from services.media.storage.folder import MediaFolder
from services.media.tagged_copy import Copy
from services.media.threads import in_thread
from services.store.library import LibraryRows, StorageTotal

MAX_TAG_LENGTH = 40


class Library:
    """Each person sees only their own. Methods that take ids accept up to 5,000 (else InvalidRequest), skip
    unknown ones, and publish each change after its commit.
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
        self.trash = Trash(library_rows, generations, supervisor, bus, folder, runtime.checkpoint)
        self.retention = Retention(library_rows, self.trash, now=runtime.now)
        self._rows = library_rows
        self._generations = generations
        self._bus = bus
        self._media_path = folder.path

    async def these(self, ids: Sequence[str], *, owner: str) -> list[Generation]:
        """Returns those that exist and are not in the trash, in the order of `ids`."""
        return await self._rows.by_ids(unique(ids), owner=owner)

    async def tags(self, *, owner: str) -> list[str]:
        return await self._rows.tags(owner=owner)

    async def models(self, *, owner: str) -> list[tuple[str, str]]:
        """Backend and name of every model that made something here."""
        return await self._rows.models(owner=owner)

    async def totals(self, *, owner: str) -> list[StorageTotal]:
        return await self._rows.totals(owner=owner)

    async def star(self, ids: Sequence[str], *, on: bool, owner: str) -> int:
        """Returns how many changed."""
        return len(publish(self._bus, await self._rows.star(unique(ids), owner=owner, on=on)))

    async def tag(self, ids: Sequence[str], name: str, *, on: bool, owner: str) -> int:
        """Adds or removes a tag; returns how many changed. Raises InvalidRequest for an invalid name."""
        name = check_text("tag", " ".join(name.split()), MAX_TAG_LENGTH)
        if not any(map(str.isprintable, name)):
            raise InvalidRequest("Enter a tag of 1 to {most} characters.", field="tag", most=MAX_TAG_LENGTH)
        return len(publish(self._bus, await self._rows.tag(unique(ids), name, owner=owner, on=on)))

    async def copy(self, generation_id: str, *, owner: str) -> tuple[Generation, Copy]:
        """The kept bytes with their metadata. Raises NotFound, FileNotFoundError."""
        generation = await self._generations.get(generation_id, owner=owner)
        return generation, await in_thread(export.copy, generation, self._media_path)

    async def archive(self, ids: Sequence[str], *, owner: str) -> ZipStream:
        """A ZIP of copies in the order of `ids`, each once. Raises NotFound when there is nothing to pack."""
        return await in_thread(export.archive, await self.these(ids, owner=owner), self._media_path)
