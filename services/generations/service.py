"""A person's actions on generations; pages and API use nothing else."""

import logging
from collections.abc import AsyncIterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from uuid6 import UUID, uuid7

from services.catalogue import Catalogue
from services.core.errors import Conflict, InvalidRequest, NotFound
from services.core.events import Bus
from services.core.model import FINAL, Draft, Generation, GenerationQuery, Kind, Phase, Request, TraceEntry
from services.core.runtime import Runtime
from services.generations.event_log import EventLog
from services.generations.poll_rhythm import PollRhythm
from services.generations.supervisor import Supervisor
from services.media.sources import Sources
from services.store.store import EVERYTHING, Store

log = logging.getLogger(__name__)

MAX_AT_ONCE = 4
SEEDS = 2**32
RESTORED_PER_COMMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Newest first; `next` is the cursor of the page behind, None at the end."""

    items: list[Generation]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypicalDuration:
    """How long this install's own finished runs of one model took."""

    p50_s: float
    p90_s: float
    runs: int


class Generations:
    """A person's actions on generations. What belongs to somebody else is NotFound."""

    def __init__(
        self,
        *,
        store: Store,
        event_log: EventLog,
        bus: Bus,
        supervisor: Supervisor,
        catalogue: Catalogue,
        rhythm: PollRhythm,
        sources: Sources,
        runtime: Runtime,
    ) -> None:
        self.bus = bus
        self.catalogue = catalogue
        self._store = store
        self._event_log = event_log
        self._supervisor = supervisor
        self._rhythm = rhythm
        self._sources = sources
        self._now = runtime.now
        self._rng = runtime.rng
        self._checkpoint = runtime.checkpoint

    async def start(
        self,
        draft: Draft,
        *,
        owner: str,
        count: int = 1,
        key: str | None = None,
        fingerprint: str | None = None,
    ) -> list[Generation]:
        """Commits `count` generations (1-4; above 1 images only); their submits follow in the background.

        With a `key` (the client's Idempotency-Key) the same key and fingerprint return the same generations;
        another fingerprint raises Conflict. Raises InvalidRequest, NoModels, StoreFailed.
        """
        most = MAX_AT_ONCE if draft.kind is Kind.IMAGE else 1
        if not 1 <= count <= most:
            raise InvalidRequest(
                "Request 1 to {most} at once, not {count}.", field="count", most=most, count=count
            )
        if key is not None and (known := await self._store.find_by_key(owner, key, fingerprint or "")):
            return known
        if draft.source is not None:
            await self._sources.check(draft.source, owner=owner)
        request = self.catalogue.complete(draft, seed_from=lambda: self._rng.randrange(SEEDS))
        request_id = str(uuid7())
        rows = [self._intent(request, request_id, owner, number) for number in range(count)]
        kept = await self._store.add(rows, key=key, fingerprint=fingerprint or "")
        if kept[0].request_id == request_id:
            self._begin(kept)
        return kept

    async def started_with(self, key: str, *, fingerprint: str = "", owner: str) -> list[Generation]:
        """The generations that `start` made for that key. Raises Conflict as `start` does."""
        return await self._store.find_by_key(owner, key, fingerprint)

    async def get(self, generation_id: str, *, owner: str, trashed: bool = False) -> Generation:
        """Raises NotFound, also for somebody else's and, unless `trashed`, for one in the trash."""
        return await self._store.get(generation_id, owner=owner, trashed=trashed)

    async def siblings(self, generation: Generation) -> list[str]:
        """The ids of all results of its request, oldest first, its own and those in the trash included."""
        return await self._store.ids_of_request(generation.request_id, owner=generation.owner)

    async def listed(
        self,
        wanted: GenerationQuery = EVERYTHING,
        *,
        owner: str,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Raises InvalidRequest for an unknown cursor."""
        if cursor is not None:
            try:
                UUID(cursor)
            except ValueError as error:
                raise InvalidRequest(
                    "The cursor is not valid. Start again without it.", field="cursor"
                ) from error
        rows = await self._store.page(wanted, owner=owner, before=cursor, limit=limit + 1)
        more = len(rows) > limit and not wanted.ranked
        return Page(items=rows[:limit], next=rows[limit - 1].id if more else None)

    async def trace(self, generation_id: str, *, owner: str) -> list[TraceEntry]:
        """The timeline, oldest first. Raises NotFound."""
        await self.get(generation_id, owner=owner)
        await self._event_log.flush()
        return await self._store.trace(generation_id, owner=owner)

    async def check(self, generation_id: str, *, owner: str) -> Generation:
        """Asks the backend at once ("Check now"); searches for an unconfirmed one. Raises NotFound."""
        generation = await self.get(generation_id, owner=owner)
        self._supervisor.check(generation)
        return generation

    async def stop(self, generation_id: str, *, owner: str) -> Generation:
        """Stops an open one; a result that still arrives is kept apart. Raises NotFound."""
        generation = await self.get(generation_id, owner=owner)
        while generation.phase not in FINAL:
            now = self._now()
            stopped = await self._store.advance(
                generation.id,
                epoch=generation.epoch,
                to=Phase.DROPPED,
                stop_requested_at=now,
                finished_at=now,
                stage="",
            )
            if stopped is not None:
                self._checkpoint("stopped")
                log.info("%s dropped after_s=%.3f: stopped by a person", stopped.id, now - stopped.created_at)
                self._event_log.note(stopped, "engine", "stop")
                self.bus.publish(stopped)
                await self._supervisor.cancel(stopped)
                self._checkpoint("told_to_stop")
                return stopped
            generation = await self.get(generation_id, owner=owner)
        return generation

    async def retry(
        self, generation_id: str, *, owner: str, key: str | None = None, new_seed: bool = False
    ) -> Generation:
        """Starts the same request as a new generation, once for each `key`. Raises NotFound, Conflict."""
        old = await self.get(generation_id, owner=owner)
        request = replace(old.request, seed=self._rng.randrange(SEEDS)) if new_seed else old.request
        row = self._intent(request, str(uuid7()), owner, 0)
        fingerprint = f"{'reseed' if new_seed else 'retry'} {generation_id}"
        kept = await self._store.add([row], key=key, fingerprint=fingerprint)
        if kept[0].id == row.id:
            self._begin(kept)
        return kept[0]

    async def submit_again(self, generation_id: str, *, owner: str) -> Generation:
        """Submits an unconfirmed one again, although it may be paid twice. Raises NotFound, Conflict."""
        generation = await self.get(generation_id, owner=owner)
        sent = None
        if generation.phase is Phase.UNCONFIRMED:
            sent = await self._supervisor.submit_again(generation.id)
        if sent is None:
            raise Conflict("Only an unconfirmed generation can be submitted again.")
        return sent

    async def delete(self, generation_id: str, *, owner: str) -> None:
        """Moves it to the trash; stops it if it is open. Raises NotFound."""
        await self.stop(generation_id, owner=owner)
        hidden = await self._store.update(generation_id, trashed_at=self._now())
        if hidden is not None:
            log.info("%s deleted", generation_id)
            self.bus.publish(hidden)

    async def keep(self, generation_id: str, *, owner: str) -> Generation:
        """Turns a result that arrived after a stop into an ordinary one. Raises NotFound, Conflict."""
        generation = await self.get(generation_id, owner=owner)
        if generation.phase is Phase.COMPLETED and not generation.unwanted:
            return generation
        wanted = await self._store.mark_wanted(generation_id)
        if wanted is None:
            raise Conflict("There is no result to keep yet.")
        log.info("%s arrived after its stop and is kept", generation_id)
        self._event_log.note(wanted, "engine", "wanted")
        self.bus.publish(wanted)
        return wanted

    async def restore(self, generation_id: str, *, owner: str) -> Generation:
        """Restores it from the trash; no-op elsewhere. Raises NotFound."""
        generation = await self.get(generation_id, owner=owner, trashed=True)
        restored = await self._store.update(generation_id, trashed_at=None) if generation.trashed_at else None
        if restored is not None:
            self.bus.publish(restored)
        return restored or generation

    def can_search(self, generation: Generation) -> bool:
        """Whether the backend has a job list in which an unconfirmed generation can be searched for."""
        return self._supervisor.can_search(generation)

    async def clearable(self, *, owner: str, kind: Kind | None = None) -> int:
        """How many `clear` would move."""
        return await self._store.count_clearable(owner=owner, kind=kind)

    async def clear(self, *, owner: str, kind: Kind | None = None) -> list[str]:
        """Moves all final ones without a star to the trash and returns their ids."""
        hidden = await self._store.trash_final(owner=owner, kind=kind)
        log.info("%d generations deleted at once", len(hidden))
        await self._publish_all(hidden)
        return hidden

    async def restore_all(self, ids: Sequence[str], *, owner: str) -> list[str]:
        """Restores them from the trash and returns the ids that were in it."""
        restored: list[str] = []
        for first in range(0, len(ids), RESTORED_PER_COMMIT):
            restored += await self._store.untrash(ids[first : first + RESTORED_PER_COMMIT], owner=owner)
        await self._publish_all(restored)
        return restored

    async def _publish_all(self, ids: Sequence[str]) -> None:
        for generation_id in ids:
            with suppress(NotFound):  # removed for good meanwhile
                self.bus.publish(await self._store.get(generation_id))

    async def shown(self, generation_id: str, *, owner: str) -> None:
        """Records in the receipt, once, that a page shows the first frame."""
        generation = await self.get(generation_id, owner=owner)
        receipt = generation.receipt
        if receipt is not None and receipt.shown_at is None:
            noted = await self._store.update(generation_id, receipt=replace(receipt, shown_at=self._now()))
            if noted is not None:
                self.bus.publish(noted)

    async def typical(
        self, backend: str, model: str, length_s: float | None = None
    ) -> TypicalDuration | None:
        """None without finished runs; `length_s` restricts them to films of that length."""
        durations = await self._store.durations(backend, model, length_s=length_s)
        if not durations:
            return None
        return TypicalDuration(
            p50_s=durations[len(durations) // 2],
            p90_s=durations[min(len(durations) - 1, len(durations) * 9 // 10)],
            runs=len(durations),
        )

    async def add_source(self, data: bytes, *, owner: str) -> str:
        """Stores a source picture (PNG, JPEG, WebP; 50 MB, 40 megapixels) and returns its name for a Draft.

        Raises InvalidRequest.
        """
        return await self._sources.save(data, owner=owner)

    async def receive_source(self, chunks: AsyncIterable[bytes], *, owner: str) -> str:
        """The same for a stream of bytes, which is not read beyond the limit.

        Raises InvalidRequest, StoreFailed.
        """
        return await self._sources.receive(chunks, owner=owner)

    async def source_from(self, generation_id: str, *, owner: str) -> str:
        """Makes a source of a kept picture or a film's last frame. Raises NotFound, InvalidRequest."""
        generation = await self.get(generation_id, owner=owner)
        if generation.phase is not Phase.COMPLETED or generation.kept is None:
            raise InvalidRequest("The image is not ready yet.", field="source")
        return await self._sources.copy(generation.kept, generation.request.kind, owner=owner)

    async def check_source(self, name: str, *, owner: str) -> None:
        """Raises InvalidRequest when there is no such source."""
        await self._sources.check(name, owner=owner)

    async def find_source(self, name: str, *, owner: str) -> Path | None:
        """The path of a source picture; None when there is none of that name."""
        return await self._sources.find(name, owner=owner)

    def media(self, name: str) -> Path:
        """The path of a kept file."""
        return self._sources.path(name)

    # -- below -------------------------------------------------------------------------------

    def _begin(self, committed: list[Generation]) -> None:
        self._checkpoint("intent_committed")
        for generation in committed:
            self._event_log.note(generation, "engine", "phase", phase=str(generation.phase))
            self.bus.publish(generation)
            self._supervisor.watch(generation)

    def _intent(self, request: Request, request_id: str, owner: str, number: int) -> Generation:
        now = self._now()
        return Generation(
            id=str(uuid7()),
            request_id=request_id,
            owner=owner,
            request=replace(request, seed=(request.seed + number) % SEEDS),
            phase=Phase.PENDING,
            created_at=now,
            updated_at=now,
            late_after_s=self._rhythm.late_after_s(request),
            watch_until=now + self._rhythm.watch_for_s(request),
        )
