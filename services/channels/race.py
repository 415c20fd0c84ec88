"""The race: every channel at once, until one of them has the bytes in hand.

A channel does not win by knowing an address. It wins when `deliver` returns: bytes verified, stored and
committed (R3). Until then the others go on, and an address that fails sends the race back to polling.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from services.channels.poll_policy import PollPolicy
from services.channels.polling import Polling
from services.channels.push import OpenUpdates, listen
from services.channels.queue_state import QueueState
from services.core.errors import ChannelLost, DeliveryFailed, Unverified
from services.core.model import Channel, Failure, JobUpdate, Result
from services.core.runtime import Runtime, monotonic
from services.http.host_limiter import HostLimiter

UNCONFIRMED_FAILURE_S = 600.0
"""How long a failure reported by a stream waits for a poll that answers (R4)."""
STREAMS_WAIT_S = 5.0
"""How long a resumed race's streams wait for the first polls of all that were resumed with it."""
DELIVERY_GAPS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
TOO_LARGE_GAP_S = 3600.0
"""Only a restart changes the limit, and a server that does not announce the size sends all up to it."""
SETTLE_S = 60.0
"""How long something better may come than bytes that came whole but could not be verified (R3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastReport:
    """The last report of a channel that did not win. Times are Unix seconds."""

    code: str = ""
    at: float | None = None
    due_at: float | None = None
    """When it would have been asked next; None for a stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedResult:
    """A result, and the state of the race when its channel reported it; the receipt is made of it."""

    channel: Channel
    result: Result
    reported_at: float
    """Unix seconds."""
    attempts: int = 0
    runner_up: LastReport = LastReport()
    """Of the other channels the one that reported last."""
    started_at: float | None = None
    """When the backend began to work on it, where it told of its queue."""


class Job(Protocol):
    """The job of a race; `note` and `progressed` must not block."""

    async def poll(self) -> JobUpdate: ...

    async def deliver(self, reported: ReportedResult) -> None:
        """Returns when the generation is complete; raises DeliveryFailed when the bytes could not be had,
        Unverified when they came and are held.
        """

    async def settle(self, reported: ReportedResult) -> None:
        """Completes the generation with the bytes that are held for it."""

    def note(self, lane: str, event: str, **data: str | float | int | bool | None) -> None: ...

    def progressed(self, progress: float | None, stage: str, *, started_at: float | None = None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed:
    channel: Channel
    failure: Failure


Verdict = Won | JobFailed


class Race:
    """One job's race: any number of streams, and polling. Only a verdict ends `run`; silence never does."""

    def __init__(
        self,
        job: Job,
        *,
        streams: Mapping[Channel, OpenUpdates],
        policy: PollPolicy,
        host: HostLimiter,
        late_in_s: float,
        runtime: Runtime,
    ) -> None:
        self._job = job
        self._streams = streams
        self._host = host
        self._runtime = runtime
        self._polling = Polling(
            policy, job.poll, self, host, late_at_s=monotonic() + late_in_s, rng=runtime.rng
        )
        self._healthy: set[Channel] = set()
        """Streams that have reported on this job since they were opened (R7)."""
        self._last: dict[Channel, LastReport] = {}
        self._queue = QueueState()
        self._delivering: dict[Channel, tuple[str, asyncio.Task[None]]] = {}
        self._delivery_failures = 0
        self.last_delivery_failure = ""
        """Why the result could not be kept: a sentence."""
        self._deliver_not_before = float("-inf")
        self._undelivered: ReportedResult | None = None
        self._newest: ReportedResult | None = None
        """Reported while another address was being fetched: the next to try if that fails."""
        self._next_fetch: asyncio.TimerHandle | None = None
        self._settling: asyncio.Task[None] | None = None
        self._failure_to_confirm: JobFailed | None = None
        self._confirm_by = float("inf")
        self._pending_failure: JobFailed | None = None
        self._verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()

    async def run(self, name: str, *, resumed: bool = False, held: bool = False) -> Verdict:
        """`resumed`: polls at once, the job may have finished while nobody watched (R9).

        `held`: an earlier race holds bytes that could not be verified.
        """
        if held:
            self._settle_later()
        if resumed:
            self._host.fall_behind(self)
            self._polling.check("resumed")
        runners = [asyncio.create_task(self._polling.run(), name=f"{name} poll")]
        for channel, open_updates in self._streams.items():
            listening = self._listen(channel, open_updates, after_the_polls=resumed)
            runners.append(asyncio.create_task(listening, name=f"{name} {channel}"))
        for runner in runners:
            runner.add_done_callback(self._runner_ended)
        try:
            return await self._verdict
        finally:
            self._host.catch_up(self)
            if self._next_fetch is not None:
                self._next_fetch.cancel()
            losers = [*runners, *(task for _, task in self._delivering.values())]
            losers += [] if self._settling is None else [self._settling]
            for loser in losers:
                loser.cancel()
            await asyncio.gather(*losers, return_exceptions=True)

    def check(self) -> None:
        """Polls at once, as a person asked."""
        self._polling.check("person")

    # -- streams -----------------------------------------------------------------------------

    async def _listen(self, channel: Channel, open_updates: OpenUpdates, *, after_the_polls: bool) -> None:
        """After a restart the polls of all jobs go first: a finished one needs no stream, and streams cost
        more to open. With 1,000 resumed at once the last one was polled after 8.9 s when streams went first.
        """
        if after_the_polls:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STREAMS_WAIT_S):
                    await self._host.caught_up()
        await listen(channel, open_updates, self, rng=self._runtime.rng)

    def stream_opening(self, channel: Channel) -> None:
        self._job.note(str(channel), "opening")

    def stream_opened(self, channel: Channel) -> None:
        self._job.note(str(channel), "open")
        self._polling.check("connected")

    def stream_updated(self, channel: Channel, update: JobUpdate) -> None:
        if update.foreign:
            self._job.note(str(channel), "foreign")
            return
        self._healthy.add(channel)
        self._polling.stream_healthy()
        self._take(channel, update)
        if update.poll_now:
            self._polling.check("asked")

    def stream_lost(self, channel: Channel, lost: ChannelLost, retry_in_s: float | None) -> None:
        self._record_report(channel, lost.reason)
        self._job.note(str(channel), "lost", reason=lost.reason, retry_in_s=_round(retry_in_s))
        self._healthy.discard(channel)
        self._queue.lost(channel)
        if not self._healthy:
            self._polling.stream_unhealthy()

    # -- polling -----------------------------------------------------------------------------

    def poll_due(self, in_s: float) -> None:
        self._job.note("poll", "due", at=round(self._runtime.now() + in_s, 3))

    def poll_started(self, attempt: int | None, because: str) -> None:
        if attempt is None:
            self._job.note("poll", "check", because=because)
        else:
            self._job.note("poll", "attempt", n=attempt)

    def poll_answered(self, update: JobUpdate) -> None:
        self._host.catch_up(self)
        self._confirm_by = float("inf")
        self._take(Channel.POLL, update)

    def poll_lost(self, lost: ChannelLost) -> None:
        self._host.catch_up(self)
        self._record_report(Channel.POLL, lost.reason)
        self._job.note("poll", "lost", reason=lost.reason)
        if self._failure_to_confirm is not None and monotonic() >= self._confirm_by:
            self._fail(self._failure_to_confirm)

    # -- all channels ------------------------------------------------------------------------

    def _take(self, channel: Channel, update: JobUpdate) -> None:
        self._record_report(channel, update.code)
        event = "answer" if channel is Channel.POLL else "event"
        place = {} if update.queue_place is None else {"place": update.queue_place}
        self._job.note(str(channel), event, heard=update.code, progress=_round(update.progress), **place)
        if isinstance(update.outcome, Result):
            self._queue.finished(channel)
            self._collect(self._result_of(channel, update.outcome))
        elif isinstance(update.outcome, Failure):
            self._take_failure(channel, update.outcome)
        else:
            self._queue.take(channel, update, self._runtime.now())
            self._job.progressed(update.progress, self._queue.stage, started_at=self._queue.started_at)

    def _take_failure(self, channel: Channel, failure: Failure) -> None:
        """A stream's report of a failure is confirmed by one poll (R4)."""
        if channel is Channel.POLL:
            reported = self._failure_to_confirm
            self._fail(JobFailed(channel=channel, failure=reported.failure if reported else failure))
            return
        if self._failure_to_confirm is None:
            self._failure_to_confirm = JobFailed(channel=channel, failure=failure)
            self._confirm_by = monotonic() + UNCONFIRMED_FAILURE_S
            self._polling.expect_by(self._confirm_by)
        self._job.progressed(None, "confirming_failure")
        self._polling.check("failure")

    def _fail(self, failed: JobFailed) -> None:
        """A failure waits for bytes that are on their way; they would prove it wrong."""
        if self._delivering:
            self._pending_failure = failed
        else:
            self._decide(failed)

    def _collect(self, reported: ReportedResult) -> None:
        channel, url = reported.channel, reported.result.url
        if any(url == other for other, _ in self._delivering.values()) or channel in self._delivering:
            self._job.note("engine", "ignored", channel=str(channel), heard="result")
            self._newest = reported
            return
        task = asyncio.create_task(self._deliver(reported), name=f"deliver {channel}")
        task.add_done_callback(self._runner_ended)
        self._delivering[channel] = (url, task)

    async def _deliver(self, reported: ReportedResult) -> None:
        await asyncio.sleep(max(0.0, self._deliver_not_before - monotonic()))
        self._job.note("engine", "keeping", channel=str(reported.channel))
        try:
            await self._job.deliver(reported)
        except DeliveryFailed as failed:
            del self._delivering[reported.channel]
            self._delivery_failed(reported, failed)
        else:
            self._decide(Won(channel=reported.channel))

    def _delivery_failed(self, reported: ReportedResult, failed: DeliveryFailed) -> None:
        """The other channels are asked first; where they are gone, the known address is tried again."""
        self._job.note(
            "engine", "keep_failed", channel=str(reported.channel), reason=failed.reason, text=str(failed)
        )
        self._job.progressed(None, failed.stage)
        self.last_delivery_failure = str(failed)
        if isinstance(failed, Unverified):
            self._settle_later()
        gap_s = DELIVERY_GAPS_S[min(self._delivery_failures, len(DELIVERY_GAPS_S) - 1)]
        if failed.reason == "too_large" and self._delivery_failures:
            gap_s = TOO_LARGE_GAP_S
        self._delivery_failures += 1
        self._deliver_not_before = monotonic() + (0.0 if self._delivery_failures == 1 else gap_s)
        if self._pending_failure is not None and not self._delivering:
            self._decide(self._pending_failure)
            return
        self._polling.check("delivery")
        if self._next_fetch is not None:
            self._next_fetch.cancel()
        self._undelivered, self._newest = self._newest or reported, None
        self._next_fetch = asyncio.get_running_loop().call_later(gap_s, self._fetch_again)

    def _fetch_again(self) -> None:
        if self._undelivered is not None and not self._delivering:
            self._collect(self._undelivered)

    def _settle_later(self) -> None:
        if self._settling is None:
            self._settling = asyncio.create_task(self._settle(), name="settle")
            self._settling.add_done_callback(self._runner_ended)

    async def _settle(self) -> None:
        """A minute after the first bytes that could not be verified, the best of them are the result."""
        await asyncio.sleep(SETTLE_S)
        reported = self._newest or self._undelivered or self._result_of(Channel.POLL, Result(url=""))
        self._job.note("engine", "settling", channel=str(reported.channel))
        await self._job.settle(reported)
        self._decide(Won(channel=reported.channel))

    def _record_report(self, channel: Channel, code: str) -> None:
        self._last[channel] = LastReport(code=code, at=self._runtime.now())

    def _result_of(self, channel: Channel, result: Result) -> ReportedResult:
        now = self._runtime.now()
        others = {each: self._last.get(each, LastReport()) for each in self._streams}
        due_at = now + max(0.0, self._polling.due_at - monotonic())
        others[Channel.POLL] = replace(self._last.get(Channel.POLL, LastReport()), due_at=due_at)
        del others[channel]
        return ReportedResult(
            channel=channel,
            result=result,
            reported_at=now,
            attempts=self._polling.attempts,
            started_at=self._queue.started_at,
            runner_up=max(others.values(), key=lambda last: last.at or 0.0, default=LastReport()),
        )

    def _decide(self, verdict: Verdict) -> None:
        if not self._verdict.done():
            self._verdict.set_result(verdict)

    def _break(self, error: BaseException) -> None:
        if not self._verdict.done():
            self._verdict.set_exception(error)

    def _runner_ended(self, runner: asyncio.Task[None]) -> None:
        if runner.cancelled():  # a channel less, or a result that is not delivered: start the race again
            self._break(RuntimeError(f"{runner.get_name()} was cancelled before the end of the race"))
        elif (error := runner.exception()) is not None:
            self._break(error)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
