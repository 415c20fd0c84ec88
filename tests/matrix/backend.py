"""The backend behind a line that breaks, set up for each combination, and the real adapter in front of it."""

from __future__ import annotations

import contextvars
from collections import Counter
from dataclasses import replace
from typing import Any

from services.backends.base import Capabilities
from services.backends.superduperai import SuperDuperAI
from services.core.model import Generation
from services.http.address import Address
from tests.matrix.plan import BLIND, Combination, Plan
from tests.services.backends.conftest import PLAIN
from tests.support.fault_job import Job
from tests.support.fault_proxy import Asked, Chaos, DeadEnds, what_is
from tests.support.fault_server import WireServer

TOKEN = "wire-token-that-nobody-may-read"
BEFORE_THE_END = ("stream", "push", "poll")
SENDING: contextvars.ContextVar[str] = contextvars.ContextVar("prompt")


class Backdrop:
    def __init__(self, backend: str) -> None:
        self.name = backend
        self.knocked: Counter[tuple[str, str]] = Counter()
        """How often somebody came to a dead end."""
        self._ports: dict[tuple[str, str], tuple[str, int | None]] = {}
        self._plans: dict[str, Plan] = {}
        self.wire = WireServer(token=TOKEN, idempotent=backend == "keyed")
        self.wire.may_end = self._may_end

    def line(self) -> Chaos:
        """When the wire server is there."""
        self.dead = DeadEnds()
        self.chaos = Chaos(self.wire.url, prompt_of=self.prompt_of, asked=self.look)
        return self.chaos

    def look(self, asked: Asked) -> None:
        """Before anybody has read the request."""

    def adapter(self, name: str) -> SuperDuperAI:
        """When the line is there."""
        able = Capabilities(idempotent=self.name == "keyed", searchable=self.name != BLIND)
        address = Address(self.chaos.url, TOKEN)
        return Rerouted(self, name=name, address=address, capabilities=able, ssl_context=PLAIN)

    def set_up(self, one: Combination, prompt: str) -> None:
        plan, shape = one.plan, {}
        self._plans[prompt] = plan
        if one.shape == "push only":
            told_once = one.point in ("download", "rename", "commit") and plan.database != "taken over"
            shape = {"poll": "500", "replay": not told_once, "waits": told_once}
        if one.shape == "pull only":
            shape = {"push": "404"}
        if one.shape == "both" and one.point == "terminal event":
            shape = {"waits": True}
        if plan.database == "both at once":
            shape |= {"addresses": (self.chaos.url, f"{self.chaos.url}/again")}
        script = shape | dict(plan.wire)
        if "download" in plan.ports:
            dead = getattr(self.dead, plan.ports["download"])
            script |= {"addresses": (dead,) * (plan.port_times or 1) + (self.chaos.url,), "replay": True}
        for name in ("push_times", "poll_times", "final_times") if one.for_good else ():
            script[name] = None
        self.wire.script(prompt=prompt, **script)
        for what, fault in plan.lines.items():
            self.chaos.faults[prompt, what] = replace(fault, times=None) if one.for_good else fault
        for what, which in plan.ports.items():
            address = getattr(self.dead, which)
            self._ports[prompt, what] = (address, None if one.for_good else plan.port_times)

    def prompt_of(self, job_id: str) -> str:
        job = self.wire.jobs.get(job_id)
        return str(job.config.get("prompt", "")) if job is not None else ""

    def port_for(self, prompt: str, what: str) -> str:
        address, times = self._ports.get((prompt, what), ("", 0))
        if times is not None and self.knocked[prompt, what] >= times:
            return ""
        self.knocked[prompt, what] += 1
        return address

    def strikes(self, plan: Plan, prompt: str) -> dict[str, int]:
        """How often each fault of the backend and its line has struck."""
        struck = {what: self.chaos.broken[prompt, what] for what in plan.lines}
        struck |= {what: self.knocked[prompt, what] for what in plan.ports if what != "download"}
        for job in self.wire.jobs_of(prompt):
            struck |= {what: job.faults[what] for what in ("push", "poll", "download") if what in plan.wire}
        return struck

    def _may_end(self, job: Job) -> bool:
        """A fault of one channel strikes before the other channel can win."""
        prompt = str(job.config.get("prompt", ""))
        struck = self.strikes(self._plans.get(prompt, Plan()), prompt)
        return all(times for what, times in struck.items() if what in BEFORE_THE_END)


class Rerouted(SuperDuperAI):
    """The real adapter; only that some of its calls go to where nobody is."""

    def __init__(self, behind: Backdrop, **named: Any) -> None:
        super().__init__(**named)
        self._behind = behind

    async def submit(self, generation: Generation, *, source: bytes | None = None) -> str:
        SENDING.set(generation.request.prompt)
        return await super().submit(generation, source=source)

    def _url(self, path: str) -> str:
        usual = super()._url(path)
        what, job_id = what_is(
            "POST" if path.startswith("/file/generate") else "GET", ["api", "v1", *path.split("/")[1:]]
        )
        prompt = self._behind.prompt_of(job_id) if job_id else SENDING.get("")
        return usual.replace(self._address.url, self._behind.port_for(prompt, what) or self._address.url)
