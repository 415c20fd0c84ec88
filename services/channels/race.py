"""The race: push and poll at once, until one of them has the bytes in hand.

A channel does not win by knowing an address. It wins when `keep` returns: bytes verified, stored and
committed (R3). Until then the other goes on, and an address that fails sends the race back to asking.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.channels.poll_policy import PollPolicy
from services.channels.polling import Polling, PollListener
from services.channels.push import OpenStream, StreamListener, listen
from services.core.clock import monotonic
from services.core.errors import ChannelLost, DeliveryFailed
from services.core.model import Channel, Failure, JobUpdate, Result
from services.http.event_stream import StreamEvent
from services.http.host_limiter import HostLimiter

UNCONFIRMED_FAILURE_S = 600.0
"""How long a failure heard over push waits for a poll that answers (R4)."""
STREAM_WAITS_S = 5.0
"""How long a resumed race's stream waits for the first polls of all that were resumed with it."""
KEEP_AGAIN_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceSnapshot:
    """How the race stood when a channel brought its result; the receipt is made of it. Unix seconds."""

    reported_at: float
    attempts: int
    other_event: str
    other_event_at: float | None
    other_due_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceCallbacks:
    """What the race does to the world. `note(lane, event, **data)` and `progressed` must not block."""

    keep: Callable[[Channel, Result, RaceSnapshot], Awaitable[None]]
    """Returns when the generation is complete; raises DeliveryFailed when the bytes could not be had."""
    note: Callable[..., None]
    progressed: Callable[[float | None, str], None]
    now: Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed:
    channel: Channel
    failure: Failure


Verdict = Won | JobFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    channel: Channel
    result: Result
    snapshot: RaceSnapshot


class Race:
    """One job's race. `run` ends with the verdict, and only then; silence never ends it."""

    def __init__(
        self,
        *,
        open_stream: OpenStream | None,
        understand: Callable[[StreamEvent], JobUpdate],
        ask: Callable[[], Awaitable[JobUpdate]],
        callbacks: RaceCallbacks,
        policy: PollPolicy,
        host: HostLimiter,
        late_in_s: float,
        rng: random.Random,
    ) -> None:
        self._open_stream = open_stream
        self._understand = understand
        self._callbacks = callbacks
        self._rng = rng
        self._polling = Polling(
            policy,
            PollListener(
                ask=ask,
                asking=self._asking,
                answered=self._answered,
                lost=self._poll_lost,
                due=lambda in_s: callbacks.note("poll", "due", at=round(callbacks.now() + in_s, 3)),
            ),
            host,
            late_at_s=monotonic() + late_in_s,
            rng=rng,
        )
        self._host = host
        self._keeping: dict[Channel, tuple[str, asyncio.Task[None]]] = {}
        self._keep_failures = 0
        self._keep_not_before = float("-inf")
        self._unkept: _Heard | None = None
        self._newest: _Heard | None = None
        """Told while another address was being fetched: it is the one to try if that fails."""
        self._fetching_again: asyncio.TimerHandle | None = None
        self._said: dict[Channel, tuple[str, float]] = {}
        self._push_failure: Failure | None = None
        self._push_failure_deadline = float("inf")
        self._pending_failure: JobFailed | None = None
        self._verdict: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()

    async def run(self, name: str, *, resumed: bool = False) -> Verdict:
        """`resumed`: ask at once, the job may have finished while nobody listened (R9)."""
        if resumed:
            self._host.fall_behind(self)
            self._polling.check("resumed")
        runners = [asyncio.create_task(self._polling.run(), name=f"{name} poll")]
        if self._open_stream is not None:
            listening = self._listen(self._open_stream, after_the_polls=resumed)
            runners.append(asyncio.create_task(listening, name=f"{name} push"))
        for runner in runners:
            runner.add_done_callback(self._runner_ended)
        try:
            return await self._verdict
        finally:
            self._host.catch_up(self)
            if self._fetching_again is not None:
                self._fetching_again.cancel()
            losers = [*runners, *(task for _, task in self._keeping.values())]
            for loser in losers:
                loser.cancel()
            await asyncio.gather(*losers, return_exceptions=True)

    def check(self) -> None:
        """A person wants to know now."""
        self._polling.check("person")

    # -- push --------------------------------------------------------------------------------

    async def _listen(self, open_stream: OpenStream, *, after_the_polls: bool) -> None:
        """After a restart the polls of all go first: what is done needs no stream, and streams cost more to
        open. With 1,000 resumed at once the last one was asked after 8.9 s when streams came in between.
        """
        if after_the_polls:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STREAM_WAITS_S):
                    await self._host.caught_up()
        note = self._callbacks.note
        listener = StreamListener(
            opening=lambda: note("push", "opening"),
            opened=self._push_opened,
            heard=self._push_heard,
            lost=self._push_lost,
        )
        await listen(open_stream, listener, rng=self._rng)

    def _push_opened(self) -> None:
        self._callbacks.note("push", "open")
        self._polling.check("connected")

    def _push_heard(self, event: StreamEvent) -> None:
        if event.comment:
            return
        report = self._understand(event)
        if report.foreign:
            self._callbacks.note("push", "foreign")
            return
        self._polling.stream_healthy()
        self._hear(Channel.PUSH, report)
        if report.ask:
            self._polling.check("asked")

    def _push_lost(self, lost: ChannelLost, retry_in_s: float | None) -> None:
        self._said[Channel.PUSH] = (lost.reason, self._callbacks.now())
        self._callbacks.note("push", "lost", reason=lost.reason, retry_in_s=_round(retry_in_s))
        self._polling.stream_unhealthy()

    # -- poll --------------------------------------------------------------------------------

    def _asking(self, attempt: int | None, because: str) -> None:
        if attempt is None:
            self._callbacks.note("poll", "check", because=because)
        else:
            self._callbacks.note("poll", "attempt", n=attempt)

    def _answered(self, report: JobUpdate) -> None:
        self._host.catch_up(self)
        self._push_failure_deadline = float("inf")
        self._hear(Channel.POLL, report)

    def _poll_lost(self, lost: ChannelLost) -> None:
        self._host.catch_up(self)
        self._said[Channel.POLL] = (lost.reason, self._callbacks.now())
        self._callbacks.note("poll", "lost", reason=lost.reason)
        if self._push_failure is not None and monotonic() >= self._push_failure_deadline:
            self._fail(JobFailed(channel=Channel.PUSH, failure=self._push_failure))

    # -- both --------------------------------------------------------------------------------

    def _hear(self, channel: Channel, report: JobUpdate) -> None:
        self._said[channel] = (report.heard, self._callbacks.now())
        event = "event" if channel is Channel.PUSH else "answer"
        self._callbacks.note(str(channel), event, heard=report.heard, progress=_round(report.progress))
        if isinstance(report.outcome, Result):
            self._collect(_Heard(channel=channel, result=report.outcome, snapshot=self._snapshot(channel)))
        elif isinstance(report.outcome, Failure):
            self._hear_failure(channel, report.outcome)
        else:
            self._callbacks.progressed(report.progress, "")

    def _hear_failure(self, channel: Channel, failure: Failure) -> None:
        if channel is Channel.POLL:
            self._fail(JobFailed(channel=channel, failure=self._push_failure or failure))
            return
        if self._push_failure is None:
            self._push_failure = failure
            self._push_failure_deadline = monotonic() + UNCONFIRMED_FAILURE_S
            self._polling.expect_by(self._push_failure_deadline)
        self._callbacks.progressed(None, "confirming_failure")
        self._polling.check("failure")

    def _fail(self, failed: JobFailed) -> None:
        """A failure waits for bytes that are on their way; they would prove it wrong."""
        if self._keeping:
            self._pending_failure = failed
        else:
            self._decide(failed)

    def _collect(self, heard: _Heard) -> None:
        channel, url = heard.channel, heard.result.url
        if any(url == other for other, _ in self._keeping.values()) or channel in self._keeping:
            self._callbacks.note("engine", "ignored", channel=str(channel), heard="result")
            self._newest = heard
            return
        task = asyncio.create_task(self._keep(heard), name=f"keep {channel}")
        task.add_done_callback(self._runner_ended)
        self._keeping[channel] = (url, task)

    async def _keep(self, heard: _Heard) -> None:
        channel = heard.channel
        await asyncio.sleep(max(0.0, self._keep_not_before - monotonic()))
        self._callbacks.note("engine", "keeping", channel=str(channel))
        try:
            await self._callbacks.keep(channel, heard.result, heard.snapshot)
        except DeliveryFailed as failed:
            self._keeping.pop(channel)
            self._keep_failed(heard, failed)
        except Exception as error:
            self._keeping.pop(channel)
            self._break(error)
        else:
            self._keeping.pop(channel)
            self._decide(Won(channel=channel))

    def _keep_failed(self, heard: _Heard, failed: DeliveryFailed) -> None:
        self._callbacks.note("engine", "keep_failed", channel=str(heard.channel), reason=failed.reason)
        self._callbacks.progressed(None, "delivery_retry")
        pause = KEEP_AGAIN_S[min(self._keep_failures, len(KEEP_AGAIN_S) - 1)]
        self._keep_failures += 1
        self._keep_not_before = monotonic() + (0.0 if self._keep_failures == 1 else pause)
        if self._pending_failure is not None and not self._keeping:
            self._decide(self._pending_failure)
        else:
            self._polling.check("delivery")
            self._fetch_again_in(pause, heard)

    def _fetch_again_in(self, pause_s: float, heard: _Heard) -> None:
        """The other channel is asked first. Where it is gone, nobody tells an address a second time."""
        if self._fetching_again is not None:
            self._fetching_again.cancel()
        self._unkept, self._newest = self._newest or heard, None
        self._fetching_again = asyncio.get_running_loop().call_later(pause_s, self._fetch_again)

    def _fetch_again(self) -> None:
        if self._unkept is not None and not self._keeping:
            self._collect(self._unkept)

    def _snapshot(self, channel: Channel) -> RaceSnapshot:
        other = Channel.POLL if channel is Channel.PUSH else Channel.PUSH
        said, reported_at = self._said.get(other, ("", None))
        due_in_s = max(0.0, self._polling.due_at - monotonic())
        return RaceSnapshot(
            reported_at=self._callbacks.now(),
            attempts=self._polling.attempts,
            other_event=said,
            other_event_at=reported_at,
            other_due_at=self._callbacks.now() + due_in_s if other is Channel.POLL else None,
        )

    def _decide(self, verdict: Verdict) -> None:
        if not self._verdict.done():
            self._verdict.set_result(verdict)

    def _break(self, error: BaseException) -> None:
        if not self._verdict.done():
            self._verdict.set_exception(error)

    def _runner_ended(self, runner: asyncio.Task[None]) -> None:
        if runner.cancelled():  # by whom ever: with one channel less, or a result that is not brought home
            self._break(RuntimeError(f"{runner.get_name()} was cancelled before the end of the race"))
        elif (error := runner.exception()) is not None:
            self._break(error)


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
