"""The trash: moves generations in and out of it, and removes them for good."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from services.core.errors import InvalidRequest, NotFound
from services.core.events import Bus
from services.core.model import Generation
from services.generations.service import Generations
from services.generations.supervisor import Supervisor
from services.media.storage.folder import MediaFolder
from services.store.library import LibraryRows

log = logging.getLogger(__name__)

MAX_IDS = 5000
MAX_REMOVED_PER_COMMIT = 500


class Trash:
    def __init__(
        self,
        rows: LibraryRows,
        generations: Generations,
        supervisor: Supervisor,
        bus: Bus,
        folder: MediaFolder,
        checkpoint: Callable[[str], None],
    ) -> None:
        self._rows = rows
        self._generations = generations
        self._supervisor = supervisor
        self._bus = bus
        self._folder = folder
        self._checkpoint = checkpoint

    async def put(self, ids: Sequence[str], *, owner: str) -> list[str]:
        """Moves them to the trash and stops the open ones; returns the ids that moved."""
        moved = [
            each.id for each in publish(self._bus, await self._rows.move_to_trash(unique(ids), owner=owner))
        ]
        for generation_id in set(ids) - set(moved):
            with suppress(NotFound):
                await self._generations.delete(generation_id, owner=owner)
                moved.append(generation_id)
        return moved

    async def restore(self, ids: Sequence[str], *, owner: str) -> list[str]:
        """Returns the ids that moved out of the trash."""
        return [each.id for each in publish(self._bus, await self._rows.restore(unique(ids), owner=owner))]

    async def empty(
        self,
        ids: Sequence[str] | None = None,
        *,
        owner: str,
        trashed_before: float | None = None,
        starred: bool = True,
        at_most: int | None = None,
    ) -> int:
        """Removes the trash, or the selected part of it, for good; returns how many were removed.

        Rows go before files: a crash between them leaves files without a row, which the next start removes.
        Open generations stay, and those whose paid result may still arrive.
        """
        ids = None if ids is None else unique(ids)
        count = 0
        while at_most is None or count < at_most:
            limit = MAX_REMOVED_PER_COMMIT if at_most is None else at_most - count
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
            await self._rows.confirm_deleted(removed.files)
        if count:
            log.info("%d generations removed for good", count)
        return count

    async def waiting(self, ids: Sequence[str] | None = None, *, owner: str) -> int:
        """How many in the trash (or of these) `empty` leaves: their jobs still run at the backend."""
        return await self._rows.count_awaited(owner=owner, ids=None if ids is None else unique(ids))


def publish(bus: Bus, changed: list[Generation]) -> list[Generation]:
    for generation in changed:
        bus.publish(generation)
    return changed


def unique(ids: Sequence[str]) -> list[str]:
    """Raises InvalidRequest above 5,000."""
    distinct = list(dict.fromkeys(ids))
    if len(distinct) > MAX_IDS:
        raise InvalidRequest("Select at most {most} items.", field="ids", most=MAX_IDS)
    return distinct
