"""One named task per open generation: submit, watch, deliver; whatever happens, it is watched again."""

from __future__ import annotations

import asyncio
import functools
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from services.backends.base import Backend
from services.bus import Bus
from services.channels.policy import PollPolicy
from services.channels.race import Failed, Hands, Race, Standing
from services.errors import (
    ChannelLost,
    DeliveryFailed,
    StoreFailed,
)
from services.journal import Journal
from services.media.guard import origin_of
from services.model import Channel, Failure, Generation, Kind, Phase, Report, Result
from services.steps import Steps
from services.store.store import Store
from services.submitting import Submitting

log = logging.getLogger(__name__)

RENEW_EVERY_S = 10.0
AFTER_A_BUG_S = (1.0, 5.0, 30.0, 60.0)


class Keep(Protocol):
    """Delivery's: returns when the generation is complete, raises DeliveryFailed."""

    async def __call__(
        self,
        generation: Generation,
        channel: Channel,
        result: Result,
        standing: Standing,
        *,
        credentials: Mapping[str, Mapping[str, str]],
    ) -> None: ...


class Watching:
    """Owns every watcher. `policy_of` gives the polling policy of a generation, `read_source` the bytes of
    a source picture by its name in the media folder.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        bus: Bus,
        keep: Keep,
        backends: Mapping[str, Backend],
        *,
        policy_of: Callable[[Generation], PollPolicy],
        stream_silence_s: float,
        read_source: Callable[[str], Awaitable[bytes]],
        now: Callable[[], float] = time.time,
        dice: random.Random | None = None,
        checkpoint: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._journal = journal
        self._bus = bus
        self._deliver = keep
        self._backends = backends
        self._policy_of = policy_of
        self._stream_silence_s = stream_silence_s
        self._now = now
        self._dice = dice or random.Random()
        self._steps = Steps(store, journal, bus, now=now)
        self._submitting = Submitting(
            store,
            journal,
            self._steps,
            read_source=read_source,
            now=now,
            dice=self._dice,
            checkpoint=checkpoint,
        )
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._races: dict[str, Race] = {}
        self._lateness: set[asyncio.Task[None]] = set()

    # -- the life of all ---------------------------------------------------------------------

    async def resume(self) -> list[Generation]:
        """Claim every open row and watch it again (R9)."""
        rows = await self._store.claim()
        for generation in rows:
            self.watch(generation, resumed=True)
        return rows

    async def keep_leases(self) -> None:
        """Renew for ever; main owns the task."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                await self._store.renew()
            except Exception:  # a lease that is not renewed in time is claimed again at the next start
                log.exception("The leases could not be renewed.")

    async def close(self) -> None:
        """Submits under way may end; all else stops at once and is resumed at the next start."""
        await self._submitting.close()
        tasks = [*self._watchers.values(), *self._lateness]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def open_count(self) -> int:
        return len(self._watchers)

    # -- one ---------------------------------------------------------------------------------

    def watch(self, generation: Generation, *, resumed: bool = False) -> None:
        """Begin; a second watcher of the same generation is never begun."""
        if generation.id in self._watchers:
            return
        self._begin(generation.id, functools.partial(self._guard, generation, resumed))

    def check(self, generation: Generation) -> None:
        """Ask the backend at once, whatever phase the generation is in."""
        race = self._races.get(generation.id)
        if race is not None:
            race.check()
        elif generation.id in self._watchers:
            return
        elif generation.phase is Phase.UNCONFIRMED:
            self.watch(generation)
        elif generation.job_id is not None and generation.phase in {Phase.ERROR, Phase.DROPPED}:
            self._begin(generation.id, functools.partial(self._look_once, generation))

    def forget(self, generation_id: str) -> None:
        """Its row is gone for good: whatever still came would be brought home for nobody."""
        watcher = self._watchers.get(generation_id)
        if watcher is not None:
            watcher.cancel()

    def _begin(self, generation_id: str, act: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            await act()

        task = asyncio.create_task(run(), name=f"watch {generation_id}")
        self._watchers[generation_id] = task
        task.add_done_callback(lambda _: self._ended(generation_id))

    def _ended(self, generation_id: str) -> None:
        self._watchers.pop(generation_id, None)
        self._journal.forget(generation_id)

    async def _guard(self, generation: Generation, resumed: bool) -> None:
        """A bug in one watcher stays there: it is told, and the watcher begins again (R10)."""
        falls = 0
        while True:
            try:
                await self._live(generation, resumed)
                return
            except StoreFailed as failed:
                log.warning("The watcher of %s waits: %s", generation.id, failed)
            except Exception:
                log.exception("The watcher of %s failed; it begins again.", generation.id)
                self._journal.note(generation.id, "engine", "bug")
            await asyncio.sleep(AFTER_A_BUG_S[min(falls, len(AFTER_A_BUG_S) - 1)])
            falls += 1
            try:
                claimed = await self._store.claim(generation.id)
            except StoreFailed:
                continue
            if not claimed or claimed[0].phase in {Phase.COMPLETED, Phase.ERROR}:
                return
            generation, resumed = claimed[0], True

    async def _live(self, generation: Generation, resumed: bool) -> None:
        backend = self._backends.get(generation.request.backend)
        if backend is None:
            self._journal.note(generation.id, "engine", "no_backend")
            log.warning(
                "%s waits: its backend %s is not configured.", generation.id, generation.request.backend
            )
            return
        if resumed:
            self._journal.note(generation.id, "engine", "resumed")
        late = self._tell_when_late(generation)
        try:
            submitted = await self._submitting.submitted(generation, backend, resumed)
            if submitted is not None:
                await self._watch_job(submitted, backend, resumed)
        finally:
            if late is not None:
                late.cancel()

    async def submit_again(self, generation: Generation) -> Generation | None:
        """An unconfirmed one, by a person's word; None when it is not unconfirmed any more."""
        searching = self._watchers.get(generation.id)
        if searching is not None:
            searching.cancel()
            await asyncio.gather(searching, return_exceptions=True)
        moved = await self._steps.advance(generation, Phase.SUBMITTING, submitted_at=self._now())
        if moved is not None:
            self.watch(moved)
        return moved

    # -- watch -------------------------------------------------------------------------------

    async def _watch_job(self, generation: Generation, backend: Backend, resumed: bool) -> None:
        assert generation.job_id is not None
        race = self._race(generation, backend, generation.job_id)
        self._races[generation.id] = race
        try:
            async with asyncio.timeout(self._remaining_s(generation)) as limit:
                verdict = await race.run(generation.id, resumed=resumed)
        except TimeoutError:
            if not limit.expired():
                raise
            await self._steps.fail(generation, "gave_up", "")
        else:
            if isinstance(verdict, Failed):
                await self._steps.fail(generation, verdict.failure.code, verdict.failure.text)
        finally:
            del self._races[generation.id]

    def _race(self, generation: Generation, backend: Backend, job_id: str) -> Race:
        note = functools.partial(self._journal.note, generation.id)
        late_in_s = generation.created_at + generation.late_after_s - self._now()

        def noted(lane: str, event: str, **data: str | float | int | bool | None) -> None:
            note(lane, event, **data)
            if event == "attempt":
                word = "Video" if generation.request.kind is Kind.VIDEO else "Image"
                log.info("🔄 %s polling attempt %s %s", word, data["n"], generation.id)

        hands = Hands(
            keep=functools.partial(self._keep, generation, backend),
            note=noted,
            progressed=functools.partial(self._journal.progressed, generation.id, generation.epoch),
            now=self._now,
        )
        return Race(
            open_stream=functools.partial(backend.stream, job_id, silence_s=self._stream_silence_s)
            if backend.capabilities.push
            else None,
            understand=lambda event: backend.understand(event, job_id),
            ask=functools.partial(self._ask, generation.id, backend, job_id),
            hands=hands,
            policy=self._policy_of(generation),
            host=backend.host,
            late_in_s=late_in_s,
            dice=self._dice,
        )

    async def _ask(self, generation_id: str, backend: Backend, job_id: str) -> Report:
        try:
            return await backend.poll(job_id)
        except ChannelLost as lost:
            if lost.reason == "gone" and (await self._store.get(generation_id)).phase is Phase.DROPPED:
                return Report(
                    heard="failed", outcome=Failure(text="The backend has dropped the stopped job.")
                )
            raise

    async def _keep(
        self, generation: Generation, backend: Backend, channel: Channel, result: Result, standing: Standing
    ) -> None:
        credentials = {origin_of(result.url): backend.headers_for(result.url)}
        await self._deliver(generation, channel, result, standing, credentials=credentials)

    async def _look_once(self, generation: Generation) -> None:
        """A person asks about one that is over: a result that is there after all is kept (R2)."""
        backend = self._backends.get(generation.request.backend)
        if backend is None or generation.job_id is None:
            return
        self._journal.note(generation.id, "poll", "check", because="person")
        try:
            report = await backend.poll(generation.job_id)
            self._journal.note(generation.id, "poll", "answer", heard=report.heard)
            if isinstance(report.outcome, Result):
                standing = Standing(
                    said_at=self._now(), attempts=0, other_said="", other_said_at=None, other_due_at=None
                )
                await self._keep(generation, backend, Channel.POLL, report.outcome, standing)
        except ChannelLost as lost:
            self._journal.note(generation.id, "poll", "lost", reason=lost.reason)
        except DeliveryFailed as failed:
            self._journal.note(generation.id, "engine", "keep_failed", channel="poll", reason=failed.reason)
        except Exception:
            log.exception("The look at %s failed.", generation.id)

    # -- both --------------------------------------------------------------------------------

    def _remaining_s(self, generation: Generation) -> float | None:
        return None if generation.watch_until is None else max(1.0, generation.watch_until - self._now())

    def _tell_when_late(self, generation: Generation) -> asyncio.TimerHandle | None:
        if generation.late_since is not None or generation.final:
            return None
        in_s = max(0.0, generation.created_at + generation.late_after_s - self._now())
        return asyncio.get_running_loop().call_later(in_s, self._late, generation)

    def _late(self, generation: Generation) -> None:
        task = asyncio.create_task(self._tell_late(generation), name=f"late {generation.id}")
        self._lateness.add(task)
        task.add_done_callback(self._lateness.discard)

    async def _tell_late(self, generation: Generation) -> None:
        try:
            told = await self._store.amend(generation.id, epoch=generation.epoch, late_since=self._now())
        except Exception:
            log.exception("The lateness of %s could not be stored.", generation.id)
            return
        if told is not None:
            log.info("%s takes longer than %.0f s; it is watched on.", told.id, told.late_after_s)
            self._journal.note(told.id, "engine", "late")
            self._bus.publish(told)
