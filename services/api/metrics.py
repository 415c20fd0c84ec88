"""GET /metrics: counts events of the bus; each generation's end once."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from services.core.events import Bus, GenerationEvent
from services.core.model import Generation, Phase, TraceEntry

REMEMBERED = 50_000
LAG_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 300, 3600)
REASONS = frozenset(
    {"refused", "unauthorized", "silent", "ended", "reset", "timeout", "malformed", "oversize", "busy"}
    | {"server_error", "gone", "no_content", "worn_out"}
)
CODES = frozenset(
    {"failed", "moderation", "gave_up", "misspoke", "refused_key", "refused_quota", "refused_input"}
    | {"refused_moderation"}
)
OTHER = "other"


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
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second line each, that nobody reads
        registry = self.registry = CollectorRegistry()
        self._wins = Counter(
            "rushes_wins", "Results kept.", ("channel", "backend", "kind"), registry=registry
        )
        self._lag = Histogram(
            "rushes_delivery_lag_seconds",
            "From the backend's end, or its news, to the bytes on our disk.",
            buckets=LAG_BUCKETS_S,
            registry=registry,
        )
        self._late = Counter("rushes_late", "Generations that took longer than announced.", registry=registry)
        self._failures = Counter("rushes_failures", "Generations that failed.", ("code",), registry=registry)
        self._lost = Counter("rushes_lost", "Kept results that are gone: must stay 0.", registry=registry)
        self._damaged = Counter("rushes_damaged", "Kept files that rotted: must stay 0.", registry=registry)
        self._polls = Counter("rushes_poll_attempts", "Poll attempts.", registry=registry)
        self._breaks = Counter("rushes_stream_breaks", "Streams lost.", ("reason",), registry=registry)
        open_now = Gauge("rushes_open_generations", "Generations that are not final.", registry=registry)
        open_now.set_function(lambda: len(self._open))
        unconfirmed = Gauge("rushes_unconfirmed", "Sent; nobody knows whether taken.", registry=registry)
        unconfirmed.set_function(lambda: sum(each is Phase.UNCONFIRMED for each in self._open.values()))

    def resume(self, generations: Iterable[Generation]) -> None:
        """What was open already when the process started."""
        for generation in generations:
            self._note_open(generation)

    def lost(self, generation_id: str) -> None:
        """A completed generation's file is missing, or an accepted one has vanished."""
        if self._first_time(generation_id, "lost"):
            self._lost.inc()

    def damaged(self, generation_id: str) -> None:
        """A kept file is not what was kept any more."""
        if self._first_time(generation_id, "damaged"):
            self._damaged.inc()

    def close(self) -> None:
        self._unsubscribe()

    def text(self) -> bytes:
        return generate_latest(self.registry)

    def _on_event(self, news: GenerationEvent) -> None:
        if isinstance(news, TraceEntry):
            self._count_trace_entry(news)
        else:
            self._note_open(news)
            self._count_generation(news)

    def _count_trace_entry(self, entry: TraceEntry) -> None:
        if (entry.lane, entry.event) == ("poll", "attempt"):
            self._polls.inc()
        elif (entry.lane, entry.event) == ("push", "lost"):
            self._breaks.labels(_known(str(entry.data.get("reason", "")), REASONS)).inc()

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

    def _note_open(self, generation: Generation) -> None:
        if generation.final:
            self._open.pop(generation.id, None)
        else:
            self._open[generation.id] = generation.phase

    def _is_new(self, generation: Generation, what: str, at: float | None) -> bool:
        """A row is published again for its poster, its first showing, its hiding, in later processes too."""
        return at is not None and at >= self._started_at and self._first_time(generation.id, what)

    def _first_time(self, generation_id: str, what: str) -> bool:
        key = (generation_id, what)
        if key in self._counted:
            self._counted.move_to_end(key)
            return False
        self._counted[key] = None
        if len(self._counted) > REMEMBERED:
            self._counted.popitem(last=False)
        return True


def _known(label: str, labels: frozenset[str]) -> str:
    return label if label in labels else OTHER


def router(metrics: Metrics) -> APIRouter:
    routes = APIRouter(tags=["running it"])

    @routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def exposition() -> Response:
        """Prometheus text."""
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return routes
