"""Joins the parts that submit, watch and deliver generations, and the service in front of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from services.backends.base import Backend
from services.catalogue import Catalogue
from services.core.events import Bus
from services.core.runtime import Runtime
from services.core.settings import Settings
from services.generations.delivery import Delivery, MediaIngest
from services.generations.event_log import EventLog
from services.generations.job_search import JobSearch
from services.generations.job_watch import JobWatch
from services.generations.overdue import Overdue
from services.generations.poll_rhythm import PollRhythm
from services.generations.reconciler import Reconciler
from services.generations.service import Generations
from services.generations.submission import Submission
from services.generations.supervisor import Supervisor
from services.generations.transitions import Transitions
from services.media.sources import Sources
from services.store.jobs import JobRows
from services.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationParts:
    event_log: EventLog
    delivery: Delivery
    supervisor: Supervisor
    reconciler: Reconciler
    generations: Generations


def build_generations(
    settings: Settings,
    store: Store,
    bus: Bus,
    ingest: MediaIngest,
    sources: Sources,
    read_source: Callable[[str], Awaitable[bytes]],
    catalogue: Catalogue,
    backends: Mapping[str, Backend],
    runtime: Runtime,
) -> GenerationParts:
    """`read_source` returns the bytes of a source picture by its name in the media folder."""
    rhythm = PollRhythm(settings, catalogue, backends)
    event_log = EventLog(store, bus, runtime)
    transitions = Transitions(store, event_log, bus, runtime)
    delivery = Delivery(store, ingest, bus, event_log, transitions, runtime)
    rows = JobRows(store, now=runtime.now)
    job_search = JobSearch(rows, runtime)
    submission = Submission(store, event_log, transitions, job_search, runtime, read_source=read_source)
    job_watch = JobWatch(
        store,
        event_log,
        bus,
        transitions,
        delivery,
        runtime,
        policy_of=rhythm.policy_of,
        stream_silence_s=settings.stream_silence_s,
    )
    overdue = Overdue(store, event_log, bus, runtime)
    supervisor = Supervisor(store, event_log, transitions, submission, job_watch, overdue, backends, runtime)
    transitions.watch = supervisor.watch
    generations = Generations(
        store=store,
        event_log=event_log,
        bus=bus,
        supervisor=supervisor,
        catalogue=catalogue,
        rhythm=rhythm,
        sources=sources,
        runtime=runtime,
    )
    return GenerationParts(
        event_log=event_log,
        delivery=delivery,
        supervisor=supervisor,
        reconciler=Reconciler(rows, job_search, supervisor, backends, runtime),
        generations=generations,
    )
