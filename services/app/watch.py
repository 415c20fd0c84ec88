"""Joins the parts that submit, watch and deliver generations."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from services.backends.base import Backend
from services.core.events import Bus
from services.core.runtime import Runtime
from services.generations.delivery import Delivery, MediaIngest
from services.generations.event_log import EventLog
from services.generations.job_search import JobSearch
from services.generations.job_watch import JobWatch
from services.generations.overdue import Overdue
from services.generations.poll_rhythm import PollRhythm
from services.generations.reconciler import Reconciler
from services.generations.submission import Submission
from services.generations.supervisor import Supervisor
from services.generations.transitions import Transitions
from services.store.jobs import JobRows
from services.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    event_log: EventLog
    delivery: Delivery
    supervisor: Supervisor
    reconciler: Reconciler


def build_watch(
    store: Store,
    bus: Bus,
    ingest: MediaIngest,
    backends: Mapping[str, Backend],
    rhythm: PollRhythm,
    runtime: Runtime,
    *,
    stream_silence_s: float,
    read_source: Callable[[str], Awaitable[bytes]],
) -> Watch:
    """`read_source` returns the bytes of a source picture by its name in the media folder."""
    event_log = EventLog(store, bus, runtime)
    transitions = Transitions(store, event_log, bus, runtime)
    delivery = Delivery(store, ingest, bus, event_log, transitions, runtime)
    rows = JobRows(store, now=runtime.now)
    job_search = JobSearch(rows, runtime)
    supervisor = Supervisor(
        store,
        event_log,
        transitions,
        Submission(store, event_log, transitions, job_search, runtime, read_source=read_source),
        JobWatch(
            store,
            event_log,
            bus,
            transitions,
            delivery.keep,
            runtime,
            policy_of=rhythm.policy_of,
            stream_silence_s=stream_silence_s,
        ),
        Overdue(store, event_log, bus, runtime),
        backends,
        runtime,
    )
    reconciler = Reconciler(rows, job_search, supervisor, backends, runtime)
    return Watch(event_log=event_log, delivery=delivery, supervisor=supervisor, reconciler=reconciler)
