"""A generation service in the process that follows a script, faults included, for tests and drills.

It keeps the loop's time and counts the jobs it accepted (and would be paid for).
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

from services.backends.base import Capabilities
from services.backends.job_listing import JobPage, ListedJob
from services.core.errors import BackendRefused, BackendUnavailable, ChannelLost, InvalidResponse
from services.core.model import Failure, Generation, JobUpdate, Kind, Model, Result
from services.core.runtime import monotonic
from services.http.host_limiter import HostLimiter

PAGE_SIZE = 50
STREAMS = frozenset({"ok", "silent", "dead", "ended", "drops", "garbage", "foreign"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The course of one job. Each call takes the next step of its row; the last step repeats.

    `submits`: ok, refused, not_taken (429), lost_before (broken, not taken), lost_after (taken, answer
    lost), misspoke (taken, unreadable answer). `streams`: ok, silent (comments only), dead (no byte),
    ended (clean end at once), drops (breaks after the first event), garbage, foreign, or a reason of
    ChannelLost. `polls`: ok, hang, or a reason of ChannelLost. `urls`: the results' addresses.
    """

    length_s: float = 5.0
    queued_s: float = 0.0
    """The part of the length that it waits in the queue, in a place that counts the seconds left."""
    fails: str | None = None
    fails_on: frozenset[str] = frozenset({"push", "poll"})
    wrongly: bool = False
    """The channel that does not fail brings the result; else it reports a running job."""
    submits: tuple[str, ...] = ("ok",)
    streams: tuple[str, ...] = ("ok",)
    polls: tuple[str, ...] = ("ok",)
    urls: tuple[str, ...] = ("https://scripted.example/result",)
    event_every_s: float = 1.0
    repeats: int = 1
    """How often the final event is sent."""
    poll_knows_after_s: float = 0.0
    retry_after_s: float | None = None


@dataclass(slots=True)
class Job:
    id: str
    generation: Generation
    script: Script
    begun: float
    created_at: float = 0.0
    """By the backend's own clock."""
    used: Counter[str] = field(default_factory=Counter)
    cancelled: bool = False

    def next(self, row: str) -> str:
        self.used[row] += 1
        return step_at(getattr(self.script, row), self.used[row] - 1)


def step_at(steps: tuple[str, ...], index: int) -> str:
    return steps[min(index, len(steps) - 1)]


class Scripted:
    """Implements `Backend`. `jobs` are those that were taken: more than one for an intent is paid twice."""

    def __init__(
        self,
        script: Script | Callable[[Generation], Script] | None = None,
        *,
        name: str = "scripted",
        capabilities: Capabilities | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.capabilities = capabilities or Capabilities()
        self.host = HostLimiter()
        self.jobs: dict[str, Job] = {}
        self.submits: Counter[str] = Counter()
        self.now = now
        self.clock_ahead_s = 0.0
        self.tells_its_clock = True
        self.lists: tuple[str, ...] = ("ok",)
        """The steps of `listed`: ok, unavailable; the last one repeats."""
        self.listed_times = 0
        self._script = script or Script()

    def paid(self, generation_id: str) -> int:
        return sum(1 for job in self.jobs.values() if job.generation.id == generation_id)

    async def submit(self, generation: Generation, *, source: bytes | None = None) -> str:
        script = self._script(generation) if callable(self._script) else self._script
        step = step_at(script.submits, self.submits[generation.id])
        self.submits[generation.id] += 1
        await asyncio.sleep(0.01)
        if step == "refused":
            raise BackendRefused("The scripted backend refused it.", backend=self.name)
        if step in {"not_taken", "lost_before"}:
            raise BackendUnavailable(
                "The scripted backend is busy.",
                backend=self.name,
                retry_after_s=script.retry_after_s,
                not_taken=step == "not_taken",
            )
        job = self._take(generation, script)
        if step == "lost_after":
            raise BackendUnavailable("The answer was lost.", backend=self.name)
        if step == "misspoke":
            raise InvalidResponse("The answer could not be read.", backend=self.name)
        return job.id

    async def poll(self, job_id: str) -> JobUpdate:
        job = self.jobs[job_id]
        step = job.next("polls")
        if step == "hang":
            await asyncio.sleep(10.0)
            raise ChannelLost("No answer within 10 s.", reason="timeout")
        if step != "ok":
            raise ChannelLost("Scripted.", reason=step, retry_after_s=job.script.retry_after_s)
        await asyncio.sleep(0.01)
        if job.cancelled:
            raise ChannelLost("The job is gone.", reason="gone")
        return self._state(job, "poll", lag_s=job.script.poll_knows_after_s)

    @asynccontextmanager
    async def updates(self, job_id: str, *, silence_s: float) -> AsyncIterator[AsyncIterator[JobUpdate]]:
        job = self.jobs[job_id]
        step = job.next("streams")
        await asyncio.sleep(0.01)
        if step not in STREAMS:
            raise ChannelLost("Scripted.", reason=step, retry_after_s=job.script.retry_after_s)
        async with aclosing(self._updates(job, step, silence_s)) as updates:
            yield updates

    async def listed(self, kind: Kind, *, skip: int = 0) -> JobPage:
        step = step_at(self.lists, self.listed_times)
        self.listed_times += 1
        await asyncio.sleep(0.01)
        if step != "ok":
            raise BackendUnavailable("The scripted backend has no list now.", backend=self.name)
        jobs = [job for job in reversed(self.jobs.values()) if job.generation.request.kind is kind]
        page = jobs[skip : skip + PAGE_SIZE]
        return JobPage(
            jobs=[_listed(job) for job in page],
            item_ids=tuple(job.id for job in page),
            more=len(page) == PAGE_SIZE,
            backend_time=self.now() + self.clock_ahead_s if self.tells_its_clock else None,
        )

    async def cancel(self, job_id: str) -> None:
        self.jobs[job_id].cancelled = True

    async def models(self) -> list[Model]:
        return [
            Model(backend=self.name, name=f"{self.name}/{kind}", label=f"Scripted {kind}", kind=kind)
            for kind in Kind
        ]

    def headers_for(self, url: str) -> dict[str, str]:
        return {}

    async def close(self) -> None:
        return None

    def _take(self, generation: Generation, script: Script) -> Job:
        if self.capabilities.idempotent:
            for job in self.jobs.values():
                if job.generation.id == generation.id:
                    return job
        job = Job(
            id=f"job-{len(self.jobs) + 1}",
            generation=generation,
            script=script,
            begun=monotonic(),
            created_at=self.now() + self.clock_ahead_s,
        )
        self.jobs[job.id] = job
        return job

    def _state(self, job: Job, channel: str, *, lag_s: float = 0.0) -> JobUpdate:
        age = monotonic() - job.begun - lag_s
        if age < job.script.length_s:
            return self._unfinished(job.script, age)
        if job.script.fails is not None and channel in job.script.fails_on:
            return JobUpdate(code="failed", outcome=Failure(text=job.script.fails))
        if job.script.fails is not None and not job.script.wrongly:
            return JobUpdate(code="running")
        return JobUpdate(code="result", outcome=Result(url=job.next("urls")))

    def _unfinished(self, script: Script, age: float) -> JobUpdate:
        if age < script.queued_s:
            place = math.ceil(script.queued_s - age)
            return JobUpdate(code="queued", queued=True, queue_place=place)
        done = max(0.0, (age - script.queued_s) / (script.length_s - script.queued_s))
        return JobUpdate(code="running", progress=done, queued=False if script.queued_s else None)

    async def _updates(self, job: Job, step: str, silence_s: float) -> AsyncGenerator[JobUpdate]:
        if step == "ended":
            return
        if step == "dead":
            await asyncio.sleep(silence_s)
            raise ChannelLost("No byte came.", reason="silent")
        if step == "garbage":
            raise ChannelLost("This is no event.", reason="malformed")
        if step == "foreign":
            yield JobUpdate(code="foreign", foreign=True)
        while True:
            interval_s, left_s = job.script.event_every_s, job.begun + job.script.length_s - monotonic()
            await asyncio.sleep(min(interval_s, left_s) if left_s > 0 else interval_s)
            if step in {"silent", "foreign"}:
                continue
            update = self._state(job, "push")
            if update.outcome is None and not update.queued:
                update = replace(update, code="progress", progress=update.progress or 0.0)
            for _ in range(job.script.repeats if update.outcome is not None else 1):
                yield update
            if step == "drops":
                raise ChannelLost("The connection broke.", reason="reset")
            if update.outcome is not None:
                await asyncio.sleep(silence_s)
                raise ChannelLost("No byte came.", reason="silent")


def _listed(job: Job) -> ListedJob:
    request = job.generation.request
    return ListedJob(
        job_id=job.id,
        prompt=request.prompt,
        seed=request.seed,
        model=request.model,
        duration_s=request.settings.duration_s,
        created_at=job.created_at,
    )
