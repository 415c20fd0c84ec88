"""Delivers a result: downloads and stores the bytes, then completes the row (R3)."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from services.channels.race import ReportedResult
from services.core.errors import DeliveryFailed, NotFound, StoreFailed
from services.core.events import Bus
from services.core.model import Channel, Generation, Kept, Kind, Phase, Receipt
from services.core.runtime import Runtime
from services.generations.event_log import EventLog
from services.generations.transitions import Transitions, retry_until_written
from services.store.store import Store

log = logging.getLogger(__name__)

ILLUSTRATE_AFTER_S = 0.5
"""Drawing would compete with a local browser for the core that decodes the first frame."""
SETTLE_AGAIN_S = 30.0
CLOCKS_DIFFER_S = 5.0
"""Two synchronised clocks may differ by this much."""


class MediaIngest(Protocol):
    """The part of `media.ingest` that delivery uses."""

    async def download_and_store(
        self,
        generation_id: str,
        kind: Kind,
        url: str,
        *,
        credentials: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Kept: ...

    async def store_held(self, generation_id: str, kind: Kind) -> Kept | None: ...

    async def holds(self, generation_id: str) -> bool: ...

    async def held_ids(self) -> set[str]: ...

    async def release(self, generation_id: str) -> None: ...

    async def illustrate(self, kept: Kept) -> tuple[str | None, str | None]: ...

    async def discard(self, *names: str) -> None: ...


class Delivery:
    def __init__(
        self,
        store: Store,
        ingest: MediaIngest,
        bus: Bus,
        event_log: EventLog,
        transitions: Transitions,
        runtime: Runtime,
    ) -> None:
        self._store = store
        self._ingest = ingest
        self._bus = bus
        self._event_log = event_log
        self._transitions = transitions
        self._now = runtime.now
        self._checkpoint = runtime.checkpoint
        self._tasks: set[asyncio.Task[None]] = set()

    async def deliver(
        self,
        generation: Generation,
        reported: ReportedResult,
        *,
        credentials: Mapping[str, Mapping[str, str]],
    ) -> None:
        """Returns when the generation is complete, through this channel or another.

        Raises DeliveryFailed when the bytes could not be had, Unverified when they came and are held; the
        race goes on.
        """
        # This commit takes the disk 5-40 ms; the download need not wait for it.
        collecting = self._start(self._collect(generation, reported.channel), f"collecting {generation.id}")
        try:
            kept = await self._ingest.download_and_store(
                generation.id, generation.request.kind, reported.result.url, credentials=credentials
            )
        except DeliveryFailed:
            await collecting
            await self._advance(generation, Phase.PROCESSING, reported.channel)
            raise
        try:
            await collecting
            self._checkpoint("before_commit")
        except BaseException:
            await self._ingest.discard(kept.name)
            raise
        # Row, event and log line belong together: a cancellation must not come between them.
        await asyncio.shield(self._start(self._commit(generation, reported, kept), f"commit {generation.id}"))

    async def settle(self, generation: Generation, reported: ReportedResult) -> bool:
        """Completes the generation with the bytes that are held for it; False where none are."""
        while True:
            try:
                kept = await self._ingest.store_held(generation.id, generation.request.kind)
                break
            except DeliveryFailed as failed:
                log.warning("The held file of %s could not be kept: %s", generation.id, failed)
                await asyncio.sleep(SETTLE_AGAIN_S)
        if kept is None:
            return False
        await asyncio.shield(self._start(self._commit(generation, reported, kept), f"commit {generation.id}"))
        return True

    async def holds(self, generation: Generation) -> bool:
        """Whether bytes that could not be verified are held for it."""
        return await self._ingest.holds(generation.id)

    async def release_completed(self) -> None:
        """Lets go of what a crash left held after its generation was complete."""
        for generation_id in await self._ingest.held_ids():
            try:
                row = await self._store.get(generation_id)
            except NotFound:
                await self._ingest.release(generation_id)
            else:
                if row.phase is Phase.COMPLETED:
                    await self._ingest.release(generation_id)

    async def close(self) -> None:
        """Lets commits end. Posters under way are drawn at the next start."""
        commits = [task for task in self._tasks if task.get_name().startswith("commit")]
        if commits:
            await asyncio.wait(commits, timeout=1.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def illustrate(self, generation: Generation) -> None:
        """Draws the poster and the hover preview of a kept result in the background."""
        if generation.kept is not None and generation.kept.problem is None:
            self._start(self._illustrate(generation.id, generation.kept), f"illustrate {generation.id}")

    async def _collect(self, generation: Generation, channel: Channel) -> None:
        self._checkpoint("before_collecting")
        await self._advance(generation, Phase.COLLECTING, channel)
        self._checkpoint("after_collecting")

    async def _advance(self, generation: Generation, phase: Phase, channel: Channel) -> None:
        """Informative only: a database that refuses this must not cost the bytes."""
        try:
            await self._transitions.advance(generation, phase, channel=channel)
        except StoreFailed as failed:
            log.warning("%s is %s, but the phase could not be stored: %s", generation.id, phase, failed)

    async def _commit(self, generation: Generation, reported: ReportedResult, kept: Kept) -> None:
        channel = str(reported.channel)
        receipt = self._receipt(generation, reported)
        try:
            done = await retry_until_written(
                lambda: self._completed(generation, reported, kept, receipt), generation.id
            )
        except Exception:  # not when cancelled: the writer commits all the same
            await self._discard_unless_named(generation.id, kept.name)
            raise
        if done is None:
            # Another channel was first, or the row was taken over: these bytes are a second copy.
            await self._ingest.discard(kept.name)
            self._event_log.note(generation, "engine", "ignored", channel=channel, heard="bytes")
            return
        try:
            self._announce(done, receipt, reported)
        finally:
            await self._ingest.release(done.id)
        self.illustrate(done)

    def _announce(self, done: Generation, receipt: Receipt, reported: ReportedResult) -> None:
        self._checkpoint("after_commit")
        self._event_log.note(done, "engine", "won", channel=str(reported.channel))
        finished_at = reported.result.finished_at
        if finished_at is not None and receipt.backend_finished_at is None:
            off_s = round(finished_at - reported.reported_at)
            self._event_log.note(done, "engine", "clock_off", ahead_s=off_s)
        self._bus.publish(done)
        _log_win(done, receipt)
        self._checkpoint("told")

    async def _discard_unless_named(self, generation_id: str, *names: str | None) -> None:
        """After a commit that failed or whose answer was lost: keeps the files that a row names."""
        try:
            row = await self._store.get(generation_id)
        except NotFound:
            in_use: set[str | None] = set()
        else:
            in_use = {row.kept.name if row.kept else None, row.poster, row.preview}
        await self._ingest.discard(*(name for name in names if name and name not in in_use))

    async def _completed(
        self, generation: Generation, reported: ReportedResult, kept: Kept, receipt: Receipt
    ) -> Generation | None:
        """None when another channel completed it. A commit with a lost answer is recognised by its file."""
        done = await self._store.complete(
            generation.id,
            epoch=generation.epoch,
            kept=kept,
            receipt=receipt,
            started_at=reported.started_at,
        )
        if done is not None:
            return done
        try:
            row = await self._store.get(generation.id)
        except NotFound:
            return None
        return row if row.kept == kept else None

    def _receipt(self, generation: Generation, reported: ReportedResult) -> Receipt:
        now = self._now()
        late = now - (generation.created_at + generation.late_after_s)
        return Receipt(
            won_by=reported.channel,
            backend_said_at=reported.reported_at,
            backend_finished_at=_plausible_end(generation, reported),
            kept_at=now,
            attempts=reported.attempts,
            other_said=reported.runner_up.code,
            other_said_at=reported.runner_up.at,
            other_due_at=reported.runner_up.due_at,
            late_s=round(late, 3) if late > 0 else None,
        )

    async def _illustrate(self, generation_id: str, kept: Kept) -> None:
        await asyncio.sleep(ILLUSTRATE_AFTER_S)
        self._checkpoint("before_illustrating")
        poster, preview = await self._ingest.illustrate(kept)
        if not (poster or preview):
            return
        try:
            self._checkpoint("illustrated")
            changed = await self._store.update(generation_id, poster=poster, preview=preview)
        except Exception as failed:
            with contextlib.suppress(StoreFailed):  # the next start draws them again
                await self._discard_unless_named(generation_id, poster, preview)
            if not isinstance(failed, StoreFailed):
                raise
            log.warning("The poster of %s is drawn again at the next start: %s", generation_id, failed)
            return
        if changed is None:  # the row was removed for good meanwhile
            await self._ingest.discard(*filter(None, (poster, preview)))
        else:
            self._bus.publish(changed)

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _plausible_end(generation: Generation, reported: ReportedResult) -> float | None:
    """The time at which the backend says it finished; None when its clock is clearly wrong."""
    finished_at = reported.result.finished_at
    if finished_at is None:
        return None
    earliest, latest = generation.created_at - CLOCKS_DIFFER_S, reported.reported_at + CLOCKS_DIFFER_S
    return finished_at if earliest <= finished_at <= latest else None


def _log_win(done: Generation, receipt: Receipt) -> None:
    word = "Video" if done.request.kind is Kind.VIDEO else "Image"
    if receipt.won_by is Channel.PUSH:
        log.info("🎬 ✅ %s generation completed via SSE: %s", word, done.id)
    else:
        log.info("🎬 ✅ %s ready via polling! %s", word, done.id)
    log.info(
        "%s completed channel=%s attempts=%d lag_s=%.3f total_s=%.1f%s%s",
        done.id,
        receipt.won_by,
        receipt.attempts,
        receipt.delivery_s,
        receipt.kept_at - done.created_at,
        f" late_s={receipt.late_s:.1f}" if receipt.late_s else "",
        f" problem={done.kept.problem.code}" if done.kept and done.kept.problem else "",
    )
