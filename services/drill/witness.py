"""The scripted backend as the drill uses it: a script for each order, and a look at its row."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable

from services.backends.base import Capabilities
from services.backends.scripted import Script, Scripted
from services.channels.eventstream import StreamEvent
from services.model import Generation, Kind, Model, Phase, Report

NAME = "drill"
STILL = f"{NAME}/still"
SOON_LATE = f"{NAME}/soon-late"
SOON_GIVEN_UP = f"{NAME}/soon-given-up"


class Witness(Scripted):
    """Each order is told from the others by its prompt."""

    def __init__(self) -> None:
        super().__init__(
            self._script_by_prompt, name=NAME, capabilities=Capabilities(keyed=False, searchable=False)
        )
        self.scripts: dict[str, Script] = {}
        self.read_row: Callable[[str], Awaitable[Generation]] | None = None
        self.phase_when_sent: dict[str, Phase] = {}
        self.held_when_asked: dict[str, bool] = {}
        """Whether the row held the job's id when its state was asked for the first time."""
        self.bugs: set[str] = set()
        """Prompts whose next event meets a bug."""

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
        return await super().submit(generation, source=source)

    async def poll(self, job_id: str) -> Report:
        asked = self.jobs[job_id].generation.id
        if self.read_row is not None and asked not in self.held_when_asked:
            self.held_when_asked[asked] = (await self.read_row(asked)).job_id == job_id
        return await super().poll(job_id)

    def understand(self, event: StreamEvent, job_id: str) -> Report:
        prompt = self.jobs[job_id].generation.request.prompt
        if prompt in self.bugs:
            self.bugs.discard(prompt)
            raise RuntimeError("The drill's own bug.")
        return super().understand(event, job_id)

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
        ]
