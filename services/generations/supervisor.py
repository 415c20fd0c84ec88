"""One named task per open generation: submit, watch, deliver; whatever happens, it is watched again."""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from services.backends.base import Backend
from services.channels.poll_policy import PollPolicy
from services.channels.race import JobFailed, Race, RaceCallbacks, RaceSnapshot
from services.core.errors import ChannelLost, DeliveryFailed, StoreFailed
from services.core.events import Bus
from services.core.log_failures import log_failures
from services.core.model import Channel, Failure, Generation, JobUpdate, Kind, Phase, Result
from services.generations.event_log import EventLog
from services.generations.overdue import Overdue
from services.generations.submission import Submission
from services.generations.task_registry import TaskRegistry
from services.generations.transitions import Transitions
from services.http.address_guard import origin_of
from services.store.jobs import JobRows
from services.store.store import Store

log = logging.getLogger(__name__)

RENEWALS_IN_A_LEASE = 3
LEAST_WATCH_S = 3600.0
GAVE_UP = "gave_up"
AFTER_A_BUG_S = (1.0, 5.0, 30.0, 60.0)


class Keep(Protocol):
    """Delivery's: returns when the generation is complete, raises DeliveryFailed."""

    async def __call__(
        self,
        generation: Generation,
        channel: Channel,
        result: Result,
        snapshot: RaceSnapshot,
        *,
        credentials: Mapping[str, Mapping[str, str]],
    ) -> None: ...


class Supervisor:
    """Owns every watcher. `policy_of` gives the polling policy of a generation, `read_source` the bytes of
    a source picture by its name in the media folder.
    """

    def __init__(
        self,
        store: Store,
        event_log: EventLog,
        bus: Bus,
        keep: Keep,
        backends: Mapping[str, Backend],
        *,
        policy_of: Callable[[Generation], PollPolicy],
        stream_silence_s: float,
        read_source: Callable[[str], Awaitable[bytes]],
        now: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        checkpoint: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._event_log = event_log
        self._bus = bus
        self._deliver = keep
        self._backends = backends
        self._policy_of = policy_of
        self._stream_silence_s = stream_silence_s
        self._now = now
        self._rng = rng or random.Random()
        self._transitions = Transitions(store, event_log, bus, now=now)
        self._submission = Submission(
            store,
            event_log,
            self._transitions,
            read_source=read_source,
            now=now,
            rng=self._rng,
            checkpoint=checkpoint,
        )
        self._checkpoint = checkpoint
        self._tasks = TaskRegistry(event_log.forget)
        self._races: dict[str, Race] = {}
        self._rows = JobRows(store, now=now)
        self._overdue = Overdue(store, event_log, bus, now=now, checkpoint=checkpoint)

    # -- the life of all ---------------------------------------------------------------------

    async def resume(self) -> list[Generation]:
        """Claim every open row and watch it again (R9)."""
        rows = await self._store.claim()
        for generation in rows:
            self.watch(generation, resumed=True)
        return rows

    async def keep_leases(self) -> None:
        """Renew for ever; the engine owns the task. After a sleep of the machine, or a jump of its clock,
        deadlines and streams are none any more: then every row is read again.
        """
        every_s = self._store.lease_s / RENEWALS_IN_A_LEASE
        before = self._now()
        while True:
            await asyncio.sleep(every_s)
            last, before = before, self._now()
            overslept = not 0 <= before - last <= self._store.lease_s
            with log_failures("The leases could not be renewed"):  # what nobody renews, others may claim
                await self.look_around(overslept=overslept)

    async def look_around(self, *, overslept: bool = False) -> None:
        """Renew; let go of what others have claimed; watch what nobody does: what others let run out, and
        what is ours although its watcher is gone.
        """
        held = await self._store.renew()
        await self._tasks.end(held.taken)
        for generation in held.claimed:
            self.watch(generation, resumed=True)
        if overslept:
            log.warning("The machine slept, or its clock was set: all that is watched is read again.")
            await self._tasks.end(list(self._races))
        for generation_id in self._tasks.missing(held.ours):
            self._tasks.begin(generation_id, functools.partial(self._take_up, generation_id))

    async def close(self) -> None:
        """Submits under way may end; all else stops at once and is resumed at the next start."""
        await self._submission.close()
        await self._tasks.close()
        await self._overdue.close()

    @property
    def open_count(self) -> int:
        return len(self._tasks)

    # -- one ---------------------------------------------------------------------------------

    def watch(self, generation: Generation, *, resumed: bool = False) -> None:
        """Begin; a second watcher of the same generation is never begun."""
        self._tasks.begin(generation.id, functools.partial(self._guard, generation, resumed))

    def watches(self, generation_id: str) -> bool:
        return generation_id in self._tasks

    def check(self, generation: Generation) -> None:
        """Ask the backend at once, whatever phase the generation is in."""
        race = self._races.get(generation.id)
        ended = generation.phase in {Phase.ERROR, Phase.DROPPED}
        if race is not None:
            race.check()
        elif generation.job_id is not None and ended:
            self._tasks.begin(generation.id, functools.partial(self._look_once, generation))
        elif generation.phase is Phase.UNCONFIRMED or (
            ended and generation.possibly_accepted_since is not None
        ):
            self.watch(generation)

    def forget(self, generation_id: str) -> None:
        """Its row is gone for good: whatever still came would be brought home for nobody."""
        self._tasks.cancel(generation_id)

    async def _guard(self, generation: Generation, resumed: bool) -> None:
        """A bug in one watcher stays there: it is told, and the watcher begins again (R10)."""
        if not await self._survived(generation.id, self._live(generation, resumed)):
            await asyncio.sleep(AFTER_A_BUG_S[0])
            await self._take_up(generation.id, AFTER_A_BUG_S[1:])

    async def _take_up(self, generation_id: str, pauses_s: Sequence[float] = AFTER_A_BUG_S) -> None:
        """Claim it, so that whoever watched it before can write nothing, and watch it."""
        for pause_s in itertools.chain(pauses_s, itertools.repeat(pauses_s[-1])):
            if await self._survived(generation_id, self._live_again(generation_id)):
                return
            await asyncio.sleep(pause_s)

    async def _survived(self, generation_id: str, act: Awaitable[None]) -> bool:
        try:
            await act
        except StoreFailed as failed:
            log.warning("The watcher of %s waits: %s", generation_id, failed)
        except Exception:
            log.exception("The watcher of %s failed; it begins again.", generation_id)
            self._event_log.note(generation_id, "engine", "bug")
        else:
            return True
        return False

    async def _live_again(self, generation_id: str) -> None:
        for generation in await self._store.claim(generation_id):
            if not generation.final or _awaits(generation):
                await self._live(generation, True)

    async def _live(self, generation: Generation, resumed: bool) -> None:
        backend = self._backends.get(generation.request.backend)
        if backend is None:
            self._event_log.note(generation.id, "engine", "no_backend")
            log.warning(
                "%s waits: its backend %s is not configured.", generation.id, generation.request.backend
            )
            return
        if resumed:
            self._event_log.note(generation.id, "engine", "resumed")
        self._checkpoint("watch_begun")
        with self._overdue.told(generation):
            submitted = await self._submission.submitted(generation, backend, resumed)
            if submitted is not None:
                await self._watch_job(submitted, backend, resumed)

    async def submit_again(self, generation_id: str) -> Generation | None:
        """An unconfirmed one, by a person's word; None when it is not unconfirmed any more."""
        found: list[Generation] = []
        with self._tasks.changing(generation_id) as ours:
            known = await self._store.get(generation_id)
            if not ours or known.phase is not Phase.UNCONFIRMED:  # pressed twice
                return None
            await self._tasks.end([generation_id])
            moved = await self._transitions.advance(known, Phase.SUBMITTING, submitted_at=self._now())
            if moved is None:  # stopped; or its search had found the job in the moment in which it was ended
                found = await self._store.claim(generation_id)
        if moved is not None:
            self.watch(moved)
        for each in found:
            self.watch(each, resumed=True)
        return moved

    async def adopt(self, generation: Generation, job_id: str) -> Generation | None:
        """Its job was found in the backend's list: it is watched from now on, as long as a new one is.

        None where it has a watcher (which looks for itself), and where the job is somebody's by now.
        """
        if generation.id in self._tasks:
            return None
        span_s = (generation.watch_until or generation.created_at) - generation.created_at
        with self._tasks.changing(generation.id):
            adopted = await self._rows.give(
                generation.id,
                epoch=generation.epoch,
                job_id=job_id,
                watch_until=self._now() + max(span_s, LEAST_WATCH_S),
            )
        if adopted is not None:
            self._transitions.tell_job(adopted)
            self._event_log.note(adopted.id, "engine", "adopted")
            self.watch(adopted, resumed=True)
        return adopted

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
            await self._fail(generation, GAVE_UP, "")
        else:
            if isinstance(verdict, JobFailed):
                await self._fail(generation, verdict.failure.code, verdict.failure.text)
        finally:
            del self._races[generation.id]

    async def _fail(self, generation: Generation, code: str, text: str) -> None:
        self._checkpoint("before_failing")
        failed = await self._transitions.fail(generation, code, text)
        if failed is None and code != GAVE_UP:
            await self._over(generation)
        self._checkpoint("after_failing")

    def _race(self, generation: Generation, backend: Backend, job_id: str) -> Race:
        note = functools.partial(self._event_log.note, generation.id)
        late_in_s = generation.created_at + generation.late_after_s - self._now()

        def noted(lane: str, event: str, **data: str | float | int | bool | None) -> None:
            note(lane, event, **data)
            if event == "attempt":
                word = "Video" if generation.request.kind is Kind.VIDEO else "Image"
                log.info("🔄 %s polling attempt %s %s", word, data["n"], generation.id)

        callbacks = RaceCallbacks(
            keep=functools.partial(self._keep, generation, backend),
            note=noted,
            progressed=functools.partial(self._event_log.progressed, generation.id, generation.epoch),
            now=self._now,
        )
        return Race(
            open_stream=functools.partial(backend.stream, job_id, silence_s=self._stream_silence_s)
            if backend.capabilities.push
            else None,
            understand=lambda event: backend.understand(event, job_id),
            ask=functools.partial(self._ask, generation.id, backend, job_id),
            callbacks=callbacks,
            policy=self._policy_of(generation),
            host=backend.host,
            late_in_s=late_in_s,
            rng=self._rng,
        )

    async def _ask(self, generation_id: str, backend: Backend, job_id: str) -> JobUpdate:
        self._checkpoint("before_poll")
        try:
            report = await backend.poll(job_id)
        except ChannelLost as lost:
            if lost.reason == "gone" and (await self._store.get(generation_id)).phase is Phase.DROPPED:
                return JobUpdate(
                    heard="failed", outcome=Failure(text="The backend has dropped the stopped job.")
                )
            raise
        self._checkpoint("after_poll")
        return report

    async def _keep(
        self,
        generation: Generation,
        backend: Backend,
        channel: Channel,
        result: Result,
        snapshot: RaceSnapshot,
    ) -> None:
        credentials = {origin_of(result.url): backend.headers_for(result.url)}
        await self._deliver(generation, channel, result, snapshot, credentials=credentials)

    async def _look_once(self, generation: Generation) -> None:
        """A person asks about one that is over: a result that is there after all is kept (R2)."""
        backend = self._backends.get(generation.request.backend)
        if backend is None or generation.job_id is None:
            return
        self._event_log.note(generation.id, "poll", "check", because="person")
        try:
            report = await self._ask(generation.id, backend, generation.job_id)
            self._event_log.note(generation.id, "poll", "answer", heard=report.heard)
            if isinstance(report.outcome, Result):
                snapshot = RaceSnapshot(
                    reported_at=self._now(),
                    attempts=0,
                    other_said="",
                    other_said_at=None,
                    other_due_at=None,
                )
                await self._keep(generation, backend, Channel.POLL, report.outcome, snapshot)
            elif isinstance(report.outcome, Failure):
                await self._over(generation)
        except ChannelLost as lost:
            self._event_log.note(generation.id, "poll", "lost", reason=lost.reason)
        except DeliveryFailed as failed:
            self._event_log.note(generation.id, "engine", "keep_failed", channel="poll", reason=failed.reason)
        except Exception:
            log.exception("The look at %s failed.", generation.id)

    # -- both --------------------------------------------------------------------------------

    async def _over(self, generation: Generation) -> None:
        """Of a stopped one the backend says that nothing will come."""
        ended = await self._rows.over(generation.id, epoch=generation.epoch)
        if ended is not None:
            self._bus.publish(ended)

    def _remaining_s(self, generation: Generation) -> float | None:
        return None if generation.watch_until is None else max(1.0, generation.watch_until - self._now())


def _awaits(ended: Generation) -> bool:
    """Whether something paid for may still come of one that is over."""
    return ended.phase is Phase.DROPPED or (
        ended.phase is Phase.ERROR and ended.possibly_accepted_since is not None
    )
