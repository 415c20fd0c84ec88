"""One scripted job raced in virtual time, with callbacks that record."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.backends.scripted import Script, Scripted
from services.channels.poll_policy import PollPolicy, tool_policy
from services.channels.race import Race, ReportedResult, Verdict
from services.core.errors import DeliveryFailed
from services.core.model import Channel, Generation, JobUpdate, Phase
from services.core.runtime import Runtime
from tests.support import rows

EPOCH = 1_800_000_000.0
REQUEST = rows.a_request(backend="scripted", model="scripted/video")


def now() -> float:
    return EPOCH + asyncio.get_running_loop().time()


def a_generation(number: int = 1, **changes: Any) -> Generation:
    return rows.a_generation(
        id=f"generation-{number:04}", at=now(), request=REQUEST, phase=Phase.PROCESSING, **changes
    )


@dataclass
class Note:
    at: float
    lane: str
    event: str
    data: dict[str, Any]


@dataclass
class ScriptedRace:
    """`bytes_ok(url, attempt)` decides whether the bytes can be downloaded."""

    script: Script
    policy: PollPolicy = field(default_factory=lambda: tool_policy(10.0))
    late_in_s: float = 180.0
    bytes_ok: Callable[[str, int], bool] = lambda _url, _number: True
    download_s: float = 0.02
    resumed: bool = False
    held: bool = False
    notes: list[Note] = field(default_factory=list)
    progresses: list[float] = field(default_factory=list)
    kept: list[tuple[float, ReportedResult]] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    started_at: float | None = None
    settled: list[tuple[float, ReportedResult]] = field(default_factory=list)
    tries: int = 0

    async def run(self, *, within_s: float = 90_000.0) -> Verdict:
        self.backend = Scripted(self.script)
        generation = a_generation()
        self.begun = asyncio.get_running_loop().time()
        self.job_id = await self.backend.submit(generation) if self.script.submits == ("ok",) else ""
        self.race = Race(
            self,
            streams={Channel.PUSH: lambda: self.backend.updates(self.job_id, silence_s=45.0)},
            policy=self.policy,
            host=self.backend.host,
            late_in_s=self.late_in_s,
            runtime=Runtime(now=now, rng=random.Random(1)),
        )
        async with asyncio.timeout(within_s):
            return await self.race.run("job", resumed=self.resumed, held=self.held)

    @property
    def took_s(self) -> float:
        return self.kept[-1][0] - self.begun

    def times(self, lane: str, event: str, **data: Any) -> list[float]:
        return [
            round(note.at - self.begun, 2)
            for note in self.notes
            if (note.lane, note.event) == (lane, event) and data.items() <= note.data.items()
        ]

    def polls(self) -> int:
        return len(self.times("poll", "attempt")) + len(self.times("poll", "check"))

    # -- the race's Job ----------------------------------------------------------------------------

    async def poll(self) -> JobUpdate:
        return await self.backend.poll(self.job_id)

    async def deliver(self, reported: ReportedResult) -> None:
        self.tries += 1
        number = self.tries
        await asyncio.sleep(self.download_s)
        if not self.bytes_ok(reported.result.url, number):
            raise DeliveryFailed("The address answered 403.", reason="refused")
        if self.kept:
            return  # like the compare-and-set: the other channel was first
        self.kept.append((asyncio.get_running_loop().time(), reported))

    async def settle(self, reported: ReportedResult) -> None:
        self.settled.append((asyncio.get_running_loop().time(), reported))

    def note(self, lane: str, event: str, **data: Any) -> None:
        self.notes.append(Note(asyncio.get_running_loop().time(), lane, event, data))

    def progressed(self, progress: float | None, stage: str, *, started_at: float | None = None) -> None:
        self.stages.append(stage)
        self.started_at = started_at
        if progress is not None:
            self.progresses.append(progress)
