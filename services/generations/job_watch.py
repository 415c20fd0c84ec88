"""Watches one known job: races its channels, delivers the result, records how it ended."""

import asyncio
import functools
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from services.backends.base import Backend
from services.channels.poll_policy import PollPolicy
from services.channels.race import JobFailed, Race, RaceCallbacks, RaceSnapshot
from services.core.errors import ChannelLost, DeliveryFailed
from services.core.events import Bus
from services.core.model import Channel, Failure, Generation, JobUpdate, Kind, Phase, Result
from services.core.runtime import Runtime
from services.generations.event_log import EventLog
from services.generations.transitions import Transitions
from services.http.address_guard import origin_of
from services.store.jobs import JobRows
from services.store.store import Store

log = logging.getLogger(__name__)

GAVE_UP = "gave_up"


class Deliver(Protocol):
    """Returns when the generation is complete; raises DeliveryFailed."""

    async def __call__(
        self,
        generation: Generation,
        channel: Channel,
        result: Result,
        snapshot: RaceSnapshot,
        *,
        credentials: Mapping[str, Mapping[str, str]],
    ) -> None: ...


class JobWatch:
    """`policy_of` gives the polling policy of a generation."""

    def __init__(
        self,
        store: Store,
        event_log: EventLog,
        bus: Bus,
        transitions: Transitions,
        deliver: Deliver,
        runtime: Runtime,
        *,
        policy_of: Callable[[Generation], PollPolicy],
        stream_silence_s: float,
    ) -> None:
        self._store = store
        self._rows = JobRows(store, now=runtime.now)
        self._event_log = event_log
        self._bus = bus
        self._transitions = transitions
        self._deliver = deliver
        self._runtime = runtime
        self._policy_of = policy_of
        self._stream_silence_s = stream_silence_s
        self._races: dict[str, Race] = {}

    @property
    def watched(self) -> list[str]:
        """Ids of the generations whose jobs are being raced."""
        return list(self._races)

    def check(self, generation_id: str) -> bool:
        """Polls at once; False when the job is not being raced."""
        race = self._races.get(generation_id)
        if race is not None:
            race.check()
        return race is not None

    async def run(self, generation: Generation, backend: Backend, *, resumed: bool) -> None:
        """Until the result is delivered, the job has failed, or the watch has run out (R5)."""
        race = self._race(generation, backend)
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

    async def poll_once(self, generation: Generation, backend: Backend) -> None:
        """Asks about a generation that has ended: a result that is there after all is delivered (R2)."""
        note = functools.partial(self._event_log.note, generation)
        note("poll", "check", because="person")
        try:
            update = await self._poll(generation, backend)
            note("poll", "answer", heard=update.code)
            if isinstance(update.outcome, Result):
                snapshot = RaceSnapshot(reported_at=self._runtime.now())
                await self._keep(generation, backend, Channel.POLL, update.outcome, snapshot)
            elif isinstance(update.outcome, Failure):
                await self._close_watch(generation)
        except ChannelLost as lost:
            note("poll", "lost", reason=lost.reason)
        except DeliveryFailed as failed:
            note("engine", "keep_failed", channel="poll", reason=failed.reason)
        except Exception:
            log.exception("The check of %s failed.", generation.id)

    def _race(self, generation: Generation, backend: Backend) -> Race:
        assert generation.job_id is not None
        updates = functools.partial(backend.updates, generation.job_id, silence_s=self._stream_silence_s)
        return Race(
            streams={Channel.PUSH: updates} if backend.capabilities.push else {},
            poll=functools.partial(self._poll, generation, backend),
            callbacks=RaceCallbacks(
                keep=functools.partial(self._keep, generation, backend),
                note=functools.partial(self._note, generation),
                progressed=functools.partial(self._event_log.progressed, generation.id, generation.epoch),
            ),
            policy=self._policy_of(generation),
            host=backend.host,
            late_in_s=generation.created_at + generation.late_after_s - self._runtime.now(),
            runtime=self._runtime,
        )

    def _note(
        self, generation: Generation, lane: str, event: str, **data: str | float | int | bool | None
    ) -> None:
        self._event_log.note(generation, lane, event, **data)
        if event == "attempt":
            word = "Video" if generation.request.kind is Kind.VIDEO else "Image"
            log.info("🔄 %s polling attempt %s %s", word, data["n"], generation.id)

    async def _poll(self, generation: Generation, backend: Backend) -> JobUpdate:
        assert generation.job_id is not None
        self._runtime.checkpoint("before_poll")
        try:
            update = await backend.poll(generation.job_id)
        except ChannelLost as lost:
            if lost.reason == "gone" and (await self._store.get(generation.id)).phase is Phase.DROPPED:
                return JobUpdate(
                    code="failed", outcome=Failure(text="The backend has dropped the stopped job.")
                )
            raise
        self._runtime.checkpoint("after_poll")
        return update

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

    async def _fail(self, generation: Generation, code: str, text: str) -> None:
        self._runtime.checkpoint("before_failing")
        failed = await self._transitions.fail(generation, code, text)
        if failed is None and code != GAVE_UP:
            await self._close_watch(generation)
        self._runtime.checkpoint("after_failing")

    async def _close_watch(self, generation: Generation) -> None:
        """The backend says that a stopped job brings no result."""
        ended = await self._rows.over(generation.id, epoch=generation.epoch)
        if ended is not None:
            self._bus.publish(ended)

    def _remaining_s(self, generation: Generation) -> float | None:
        if generation.watch_until is None:
            return None
        return max(1.0, generation.watch_until - self._runtime.now())
