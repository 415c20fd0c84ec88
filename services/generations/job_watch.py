"""Watches one known job: races its channels, delivers the result, records how it ended."""

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace

from services.backends.base import Backend, can_cancel_jobs
from services.channels.poll_policy import PollPolicy
from services.channels.race import JobFailed, Race, ReportedResult
from services.core.errors import ChannelLost, DeliveryFailed, Unverified
from services.core.events import Bus
from services.core.job_results import backend_job, is_extra_result
from services.core.model import Channel, Failure, Generation, JobUpdate, Kind, Phase, Result
from services.core.runtime import Runtime, monotonic
from services.generations.delivery import Delivery
from services.generations.event_log import EventLog
from services.generations.transitions import Transitions, retry_until_written
from services.http.address_guard import origin_of
from services.store.jobs import JobRows
from services.store.store import Store

log = logging.getLogger(__name__)

GAVE_UP = "gave_up"
GONE_FOR_S = 60.0
"""How long a backend that was not asked to cancel must not know a stopped job before the watch ends: one of
its replicas may lag behind.
"""
FETCH_AGAIN_S = 5.0


@dataclass(slots=True)
class _Job:
    """A generation's job, as its race polls and delivers it."""

    generation: Generation
    backend: Backend
    store: Store
    event_log: EventLog
    delivery: Delivery
    transitions: Transitions
    rows: JobRows
    runtime: Runtime
    gone_since: float | None = None
    """On the monotonic clock; None while the backend knows the job."""

    async def poll(self) -> JobUpdate:
        job_id = self.generation.job_id
        assert job_id is not None
        self.runtime.checkpoint("before_poll")
        try:
            update = update_of(job_id, await self.backend.poll(backend_job(job_id)))
        except ChannelLost as lost:
            if lost.reason == "gone" and await self._stopped_and_gone():
                return JobUpdate(
                    code="failed", outcome=Failure(text="The backend has dropped the stopped job.")
                )
            raise
        self.gone_since = None
        self.runtime.checkpoint("after_poll")
        return update

    async def _stopped_and_gone(self) -> bool:
        if self.gone_since is None:
            self.gone_since = monotonic()
        if not can_cancel_jobs(self.backend) and monotonic() - self.gone_since < GONE_FOR_S:
            return False
        return (await self.store.get(self.generation.id)).phase is Phase.DROPPED

    async def deliver(self, reported: ReportedResult) -> None:
        await self._add_extra_results(reported.result)
        url = reported.result.url
        headers = self.backend.headers_for(url)  # none for a long `data:` address, which has no origin
        credentials = {origin_of(url): headers} if headers else {}
        await self.delivery.deliver(self.generation, reported, credentials=credentials)

    async def _add_extra_results(self, result: Result) -> None:
        """Before the first result is kept: a crash between the two loses none."""
        if result.extra_results:
            job_ids = [job_id for job_id, _ in result.extra_results]
            added = await retry_until_written(
                lambda: self.rows.add_extra_results(self.generation.id, job_ids), self.generation.id
            )
            self.transitions.announce_extra_results(self.generation, added)
            self.runtime.checkpoint("extra_results_added")

    async def settle(self, reported: ReportedResult) -> None:
        await self.delivery.settle(self.generation, reported)

    def note(self, lane: str, event: str, **data: str | float | int | bool | None) -> None:
        self.event_log.note(self.generation, lane, event, **data)
        if event == "keep_failed":
            log.warning("%s could not be kept: %s (%s)", self.generation.id, data["text"], data["reason"])
        if event == "attempt":
            word = "Video" if self.generation.request.kind is Kind.VIDEO else "Image"
            log.info("🔄 %s polling attempt %s %s", word, data["n"], self.generation.id)

    def progressed(self, progress: float | None, stage: str, *, started_at: float | None = None) -> None:
        row = self.generation
        self.event_log.progressed(row.id, row.epoch, progress, stage, started_at=started_at)


class JobWatch:
    """`policy_of` gives the polling policy of a generation."""

    def __init__(
        self,
        store: Store,
        event_log: EventLog,
        bus: Bus,
        transitions: Transitions,
        delivery: Delivery,
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
        self._delivery = delivery
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
                held = resumed and await self._delivery.holds(generation)
                verdict = await race.run(generation.id, resumed=resumed, held=held)
        except TimeoutError:
            if not limit.expired():
                raise
            await self._end(generation, Failure(code=GAVE_UP, text=race.last_delivery_failure))
        else:
            if isinstance(verdict, JobFailed):
                await self._end(generation, verdict.failure)
        finally:
            del self._races[generation.id]

    async def _end(self, generation: Generation, failure: Failure) -> None:
        """Nothing better comes any more: bytes that are held are the result."""
        now = self._runtime.now()
        reported = ReportedResult(channel=Channel.POLL, result=Result(url=""), reported_at=now)
        if not await self._delivery.settle(generation, reported):
            await self._fail(generation, failure.code, failure.text)

    async def poll_once(self, generation: Generation, backend: Backend) -> None:
        """Asks about a generation that has ended: a result that is there after all is delivered (R2)."""
        job = self._job(generation, backend)
        job.note("poll", "check", because="person")
        try:
            update = await job.poll()
            job.note("poll", "answer", heard=update.code)
            if isinstance(update.outcome, Result):
                await self._deliver(job, update.outcome)
            elif isinstance(update.outcome, Failure):
                await self._close_watch(generation)
        except ChannelLost as lost:
            job.note("poll", "lost", reason=lost.reason)
        except DeliveryFailed as failed:
            job.note("engine", "keep_failed", channel="poll", reason=failed.reason, text=str(failed))
        except Exception:
            log.exception("The check of %s failed.", generation.id)

    async def _deliver(self, job: _Job, result: Result) -> None:
        """What could not be verified is fetched once more; the same bytes, or none, settle it. Raises
        DeliveryFailed.
        """
        reported = ReportedResult(channel=Channel.POLL, result=result, reported_at=self._runtime.now())
        try:
            await job.deliver(reported)
        except Unverified as failed:
            job.note("engine", "keep_failed", channel="poll", reason=failed.reason, text=str(failed))
            await asyncio.sleep(FETCH_AGAIN_S)
            try:
                await job.deliver(reported)
            except DeliveryFailed:
                await job.settle(reported)

    def _race(self, generation: Generation, backend: Backend) -> Race:
        assert generation.job_id is not None
        updates = functools.partial(_updates, backend, generation.job_id, silence_s=self._stream_silence_s)
        return Race(
            self._job(generation, backend),
            streams={Channel.PUSH: updates} if backend.capabilities.push else {},
            policy=self._policy_of(generation),
            host=backend.host,
            late_in_s=generation.created_at + generation.late_after_s - self._runtime.now(),
            runtime=self._runtime,
        )

    def _job(self, generation: Generation, backend: Backend) -> _Job:
        return _Job(
            generation,
            backend,
            self._store,
            self._event_log,
            self._delivery,
            self._transitions,
            self._rows,
            self._runtime,
        )

    async def _fail(self, generation: Generation, code: str, text: str) -> None:
        self._runtime.checkpoint("before_failing")
        failed = await self._transitions.fail(generation, code, text)
        if failed is None and code != GAVE_UP:
            await self._close_watch(generation)
        self._runtime.checkpoint("after_failing")

    async def _close_watch(self, generation: Generation) -> None:
        """The backend says that a stopped job brings no result."""
        ended = await self._rows.stop_waiting(generation.id, epoch=generation.epoch)
        if ended is not None:
            self._bus.publish(ended)

    def _remaining_s(self, generation: Generation) -> float | None:
        if generation.watch_until is None:
            return None
        return max(1.0, generation.watch_until - self._runtime.now())


@asynccontextmanager
async def _updates(
    backend: Backend, job_id: str, *, silence_s: float
) -> AsyncIterator[AsyncIterator[JobUpdate]]:
    async with backend.updates(backend_job(job_id), silence_s=silence_s) as updates:
        if not is_extra_result(job_id):
            yield updates
            return
        own = (update_of(job_id, update) async for update in updates)
        async with aclosing(own):
            yield own


def update_of(job_id: str, update: JobUpdate) -> JobUpdate:
    """What a report about a job says of the one of its results that `job_id` names."""
    if not is_extra_result(job_id) or not isinstance(update.outcome, Result):
        return update
    url = dict(update.outcome.extra_results).get(job_id, "")
    if not url:
        return JobUpdate()
    return replace(update, outcome=replace(update.outcome, url=url, extra_results=()))
