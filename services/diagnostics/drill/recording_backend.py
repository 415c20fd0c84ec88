"""The scripted backend with a script for each prompt; it records the rows' state at each call."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

from services.backends.scripted import Script, Scripted
from services.core.model import Generation, JobUpdate, Kind, Model, Phase

NAME = "drill"
STILL = f"{NAME}/still"
SOON_LATE = f"{NAME}/soon-late"


class RecordingBackend(Scripted):
    def __init__(self) -> None:
        super().__init__(lambda generation: self.scripts[generation.request.prompt], name=NAME)
        self.scripts: dict[str, Script] = {}
        """By prompt."""
        self.read_row: Callable[[str], Awaitable[Generation]]
        self.phase_at_submit: dict[str, Phase] = {}
        self.id_stored_at_poll: dict[str, bool] = {}
        """Whether the row held the job's id at the first poll."""
        self.bugs: set[str] = set()
        """Prompts whose next poll raises an unexpected error."""
        self.holds: dict[str, asyncio.Event] = {}
        """By prompt: the submit waits for the event."""

    def finish(self, prompt: str) -> None:
        """Ends the job now."""
        for job in self.jobs.values():
            if job.generation.request.prompt == prompt:
                job.script = dataclasses.replace(job.script, length_s=0.0)

    async def submit(self, generation: Generation, *, source: bytes | None = None) -> str:
        self.phase_at_submit[generation.id] = (await self.read_row(generation.id)).phase
        if hold := self.holds.get(generation.request.prompt):
            await hold.wait()
        return await super().submit(generation, source=source)

    async def poll(self, job_id: str) -> JobUpdate:
        generation = self.jobs[job_id].generation
        if generation.request.prompt in self.bugs:
            self.bugs.discard(generation.request.prompt)
            raise RuntimeError("A bug made by the drill.")
        if generation.id not in self.id_stored_at_poll:
            row = await self.read_row(generation.id)
            self.id_stored_at_poll[generation.id] = row.job_id == job_id
        return await super().poll(job_id)

    async def models(self) -> list[Model]:
        return [
            Model(backend=NAME, name=STILL, label="Drill", kind=Kind.IMAGE),
            Model(backend=NAME, name=SOON_LATE, label="Drill, soon late", kind=Kind.IMAGE, poll_attempts=2),
        ]
