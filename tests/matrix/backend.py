"""The wire server behind a fault proxy, set up for each combination, and the real adapter in front of it."""

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
from tests.support.fault_proxy import DeadAddresses, FaultProxy, ProxiedRequest, classify
from tests.support.fault_server import WireServer

TOKEN = "wire-token-that-nobody-may-read"
CHANNEL_FAULTS = ("stream", "push", "poll")
SUBMITTED_PROMPT: contextvars.ContextVar[str] = contextvars.ContextVar("prompt")


class FaultyBackend:
    def __init__(self, backend: str) -> None:
        self.name = backend
        self.dead_calls: Counter[tuple[str, str]] = Counter()
        """Calls that were sent to a dead address."""
        self._ports: dict[tuple[str, str], tuple[str, int | None]] = {}
        self._plans: dict[str, Plan] = {}
        self.wire = WireServer(token=TOKEN, idempotent=backend == "keyed")
        self.wire.may_end = self._may_end

    def start_proxy(self) -> FaultProxy:
        """Once the wire server is running."""
        self.dead = DeadAddresses()
        self.proxy = FaultProxy(self.wire.url, prompt_of=self.prompt_of, on_request=self.on_request)
        return self.proxy

    def on_request(self, request: ProxiedRequest) -> None:
        """Before the request is forwarded."""

    def adapter(self, name: str) -> SuperDuperAI:
        """Once the proxy is running."""
        capabilities = Capabilities(idempotent=self.name == "keyed", searchable=self.name != BLIND)
        address = Address(self.proxy.url, TOKEN)
        return Rerouted(self, name=name, address=address, capabilities=capabilities, ssl_context=PLAIN)

    def set_up(self, one: Combination, prompt: str) -> None:
        plan, shape = one.plan, {}
        self._plans[prompt] = plan
        if one.shape == "push only":
            only_once = one.point in ("download", "rename", "commit") and plan.database != "taken over"
            shape = {"poll": "500", "replay": not only_once, "waits_for_stream": only_once}
        if one.shape == "pull only":
            shape = {"push": "404"}
        if one.shape == "both" and one.point == "terminal event":
            shape = {"waits_for_stream": True}
        if plan.database == "both at once":
            shape |= {"addresses": (self.proxy.url, f"{self.proxy.url}/again")}
        script = shape | dict(plan.wire)
        if "download" in plan.ports:
            dead = getattr(self.dead, plan.ports["download"])
            script |= {"addresses": (dead,) * (plan.port_times or 1) + (self.proxy.url,), "replay": True}
        for name in ("push_times", "poll_times", "final_times") if one.is_permanent else ():
            script[name] = None
        self.wire.script(prompt=prompt, **script)
        for what, fault in plan.lines.items():
            self.proxy.faults[prompt, what] = replace(fault, times=None) if one.is_permanent else fault
        for what, which in plan.ports.items():
            address = getattr(self.dead, which)
            self._ports[prompt, what] = (address, None if one.is_permanent else plan.port_times)

    def prompt_of(self, job_id: str) -> str:
        job = self.wire.jobs.get(job_id)
        return str(job.config.get("prompt", "")) if job is not None else ""

    def dead_address(self, prompt: str, what: str) -> str:
        address, times = self._ports.get((prompt, what), ("", 0))
        if times is not None and self.dead_calls[prompt, what] >= times:
            return ""
        self.dead_calls[prompt, what] += 1
        return address

    def strikes(self, plan: Plan, prompt: str) -> dict[str, int]:
        """How often each fault of the backend and its connections occurred."""
        struck = {what: self.proxy.strikes[prompt, what] for what in plan.lines}
        struck |= {what: self.dead_calls[prompt, what] for what in plan.ports if what != "download"}
        for job in self.wire.jobs_of(prompt):
            struck |= {what: job.faults[what] for what in ("push", "poll", "download") if what in plan.wire}
        return struck

    def _may_end(self, job: Job) -> bool:
        """A fault of one channel occurs before the other channel can win."""
        prompt = str(job.config.get("prompt", ""))
        struck = self.strikes(self._plans.get(prompt, Plan()), prompt)
        return all(times for what, times in struck.items() if what in CHANNEL_FAULTS)


class Rerouted(SuperDuperAI):
    """The real adapter, with some of its calls sent to a dead address."""

    def __init__(self, backend: FaultyBackend, **named: Any) -> None:
        super().__init__(**named)
        self._backend = backend

    async def submit(self, generation: Generation, *, source: bytes | None = None) -> str:
        SUBMITTED_PROMPT.set(generation.request.prompt)
        return await super().submit(generation, source=source)

    def _url(self, path: str) -> str:
        url = super()._url(path)
        what, job_id = classify(
            "POST" if path.startswith("/file/generate") else "GET", ["api", "v1", *path.split("/")[1:]]
        )
        prompt = self._backend.prompt_of(job_id) if job_id else SUBMITTED_PROMPT.get("")
        return url.replace(self._address.url, self._backend.dead_address(prompt, what) or self._address.url)
