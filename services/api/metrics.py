"""GET /metrics: counts the bus's events, each generation's end once."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from functools import partial

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from services.core.events import Bus, GenerationEvent
from services.core.model import Generation, Phase, TraceEntry

MAX_COUNTED = 50_000
LAG_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 300, 3600)
REASONS = frozenset(
    {"refused", "unauthorized", "silent", "ended", "reset", "timeout", "malformed", "oversize", "busy"}
    | {"server_error", "gone", "no_content", "worn_out"}
)
CODES = frozenset(
    {"failed", "moderation", "gave_up", "misspoke", "refused_key", "refused_quota", "refused_input"}
    | {"refused_moderation"}
)


class Metrics:
    """`backends` are the names that may become labels."""

    def __init__(
        self, bus: Bus, *, backends: Collection[str], clock: Callable[[], float] = time.time
    ) -> None:
        self._backends = frozenset(backends)
        self._started_at = clock()
        self._open: dict[str, Phase] = {}
        self._counted: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._make_instruments()
        self._unsubscribe = bus.subscribe(self._on_event)

    def _make_instruments(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # one more line for each counter
        registry = self.registry = CollectorRegistry()
        counter = partial(Counter, registry=registry)
        self._wins = counter("rushes_wins", "Results kept.", ("channel", "backend", "kind"))
        self._lag = Histogram(
            "rushes_delivery_lag_seconds",
            "From the backend's end, or its news, to the bytes on our disk.",
            buckets=LAG_BUCKETS_S,
            registry=registry,
        )
        self._late = counter("rushes_late", "Generations that took longer than announced.")
        self._failures = counter("rushes_failures", "Generations that failed.", ("code",))
        self._lost = counter("rushes_lost", "Kept results that are gone: must stay 0.")
        self._damaged = counter("rushes_damaged", "Kept files that rotted: must stay 0.")
        self._polls = counter("rushes_poll_attempts", "Poll attempts.")
        self._breaks = counter("rushes_stream_breaks", "Streams lost.", ("reason",))
        open_now = Gauge("rushes_open_generations", "Generations that are not final.", registry=registry)
        open_now.set_function(lambda: len(self._open))
        unconfirmed = Gauge("rushes_unconfirmed", "Sent; nobody knows whether taken.", registry=registry)
        unconfirmed.set_function(lambda: sum(each is Phase.UNCONFIRMED for each in self._open.values()))

    def resume(self, generations: Iterable[Generation]) -> None:
        """Takes the generations that were open when the process started."""
        for generation in generations:
            self._update_open(generation)

    def lost(self, generation_id: str) -> None:
        """A completed generation's file is missing, or an accepted one has vanished."""
        if self._first_time(generation_id, "lost"):
            self._lost.inc()

    def damaged(self, generation_id: str) -> None:
        """A kept file has changed on the disk."""
        if self._first_time(generation_id, "damaged"):
            self._damaged.inc()

    def close(self) -> None:
        self._unsubscribe()

    def _on_event(self, event: GenerationEvent) -> None:
        match event:
            case Generation():
                self._update_open(event)
                self._count_generation(event)
            case TraceEntry(lane="poll", event="attempt"):
                self._polls.inc()
            case TraceEntry(lane="push", event="lost", data=data):
                self._breaks.labels(_known(str(data.get("reason", "")), REASONS)).inc()

    def _count_generation(self, generation: Generation) -> None:
        if self._is_new(generation, "late", generation.late_since):
            self._late.inc()
        receipt = generation.receipt
        if generation.phase is Phase.COMPLETED and receipt is not None:
            if self._is_new(generation, "completed", receipt.kept_at):
                backend = _known(generation.request.backend, self._backends)
                self._wins.labels(receipt.won_by, backend, generation.request.kind).inc()
                self._lag.observe(receipt.delivery_s)
        elif generation.phase is Phase.ERROR and self._is_new(generation, "error", generation.finished_at):
            self._failures.labels(_known(generation.error_code, CODES)).inc()

    def _update_open(self, generation: Generation) -> None:
        if generation.final:
            self._open.pop(generation.id, None)
        else:
            self._open[generation.id] = generation.phase

    def _is_new(self, generation: Generation, what: str, at: float | None) -> bool:
        """A row is published again for its poster, first showing or trashing, in later processes too."""
        return at is not None and at >= self._started_at and self._first_time(generation.id, what)

    def _first_time(self, generation_id: str, what: str) -> bool:
        key = (generation_id, what)
        is_first = key not in self._counted
        self._counted[key] = None
        self._counted.move_to_end(key)
        if len(self._counted) > MAX_COUNTED:
            self._counted.popitem(last=False)
        return is_first


def _known(label: str, labels: frozenset[str]) -> str:
    return label if label in labels else "other"


def router(metrics: Metrics) -> APIRouter:
    routes = APIRouter(tags=["running it"])

    @routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def prometheus_metrics() -> Response:
        """Prometheus text."""
        return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return routes
