"""The scripted backend as the drill uses it: a script for each order, and a look at its row."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from services.backends.base import Capabilities
from services.backends.job_listing import JobPage, ListedJob
from services.backends.scripted import Script, Scripted
from services.core.model import Generation, JobUpdate, Kind, Model, Phase

NAME = "drill"
STILL = f"{NAME}/still"
SOON_LATE = f"{NAME}/soon-late"
SOON_GIVEN_UP = f"{NAME}/soon-given-up"
CALM = f"{NAME}/calm"
"""Polled once a minute where the stream is trusted."""
CALM_S = 60.0
FILM = f"{NAME}/film"
SLOW_S = 0.6
CLOSES_IN_S = 0.05
"""A stream's connection is not closed in an instant."""


class RecordingBackend(Scripted):
    """Each order is told from the others by its prompt."""

    def __init__(self) -> None:
        super().__init__(
            self._script_by_prompt, name=NAME, capabilities=Capabilities(idempotent=False, searchable=True)
        )
        self.scripts: dict[str, Script] = {}
        self.read_row: Callable[[str], Awaitable[Generation]] | None = None
        self.phase_when_sent: dict[str, Phase] = {}
        self.held_when_asked: dict[str, bool] = {}
        """Whether the row held the job's id when its state was asked for the first time."""
        self.bugs: set[str] = set()
        """Prompts whose next event meets a bug."""
        self.unlisted: set[str] = set()
        """Prompts whose jobs the list does not show (yet)."""
        self.strangers: list[ListedJob] = []
        """Jobs in the list that nobody here has asked for."""
        self.holds: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        """Prompts whose requests are answered only when it is set."""
        self.held: set[str] = set()
        self.slow: set[str] = set()
        """Prompts whose polls are answered after SLOW_S."""
        self.knows: dict[str, Callable[[], bool]] = {}
        """Prompts whose polls know nothing before that."""
        self.cut_off: set[str] = set()
        """Generations whose stream was cut off while it was being closed."""

    def _script_by_prompt(self, generation: Generation) -> Script:
        return self.scripts[generation.request.prompt]

    def finish(self, prompt: str) -> None:
        """The job is done from now on."""
        for job in self.jobs.values():
            if job.generation.request.prompt == prompt:
                job.script = dataclasses.replace(job.script, length_s=0.0)

    async def submit(self, generation: Generation, *, source: bytes | None = None) -> str:
        if self.read_row is not None:
            self.phase_when_sent[generation.id] = (await self.read_row(generation.id)).phase
        if (prompt := generation.request.prompt) in self.holds:
            self.held.add(prompt)
            await self.holds[prompt].wait()
        return await super().submit(generation, source=source)

    async def poll(self, job_id: str) -> JobUpdate:
        generation = self.jobs[job_id].generation
        asked, prompt = generation.id, generation.request.prompt
        if prompt in self.slow:
            await asyncio.sleep(SLOW_S)
        if prompt in self.knows and not self.knows[prompt]():
            return JobUpdate(code="running")
        if self.read_row is not None and asked not in self.held_when_asked:
            self.held_when_asked[asked] = (await self.read_row(asked)).job_id == job_id
        return await super().poll(job_id)

    @asynccontextmanager
    async def updates(self, job_id: str, *, silence_s: float) -> AsyncIterator[AsyncIterator[JobUpdate]]:
        async with super().updates(job_id, silence_s=silence_s) as updates:
            try:
                yield self._with_bugs(job_id, updates)
            except asyncio.CancelledError:
                try:
                    await asyncio.sleep(CLOSES_IN_S)
                except asyncio.CancelledError:
                    self.cut_off.add(self.jobs[job_id].generation.id)
                raise

    async def listed(self, kind: Kind, *, skip: int = 0) -> JobPage:
        page = await super().listed(kind, skip=skip)
        shown = [job for job in page.jobs if job.prompt not in self.unlisted]
        return dataclasses.replace(page, jobs=[*shown, *(self.strangers if skip == 0 else ())])

    async def _with_bugs(self, job_id: str, updates: AsyncIterator[JobUpdate]) -> AsyncGenerator[JobUpdate]:
        prompt = self.jobs[job_id].generation.request.prompt
        async for update in updates:
            if prompt in self.bugs:
                self.bugs.discard(prompt)
                raise RuntimeError("The drill's own bug.")
            yield update

    async def models(self) -> list[Model]:
        return [
            Model(backend=NAME, name=STILL, label="Drill", kind=Kind.IMAGE),
            Model(backend=NAME, name=SOON_LATE, label="Drill, soon late", kind=Kind.IMAGE, poll_attempts=2),
            Model(
                backend=NAME,
                name=SOON_GIVEN_UP,
                label="Drill, soon given up",
                kind=Kind.IMAGE,
                watch_for_s=1.0,
            ),
            Model(backend=NAME, name=CALM, label="Drill, calm", kind=Kind.IMAGE, poll_every_s=CALM_S),
            Model(backend=NAME, name=FILM, label="Drill, film", kind=Kind.VIDEO),
        ]
