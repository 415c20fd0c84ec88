"""Matches listed jobs to intents. Pure functions; no I/O."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from statistics import median

from services.backends.job_listing import ListedJob, matches, same_answer
from services.core.job_results import MAX_RESULTS
from services.core.model import Generation

TAKEN_WITHIN_S = 600.0
"""A request that hung, in a proxy or a queue, may be accepted some minutes after it was sent."""
CLOCKS_DIFFER_S = 300.0
MEASURED_DIFFER_S = 60.0
ENOUGH_JOBS = 3
"""One job alone may have waited; the median of three shows the backend's clock."""

_Settings = tuple[str | None, float | None]
"""Prompt and seed: with these as the index, matching stays linear however long the list is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The backend's clock against ours."""

    ahead_s: float = 0.0
    give_s: float = CLOCKS_DIFFER_S
    """How far off `ahead_s` may be."""

    def ours(self, theirs: float) -> float:
        return theirs - self.ahead_s


def clock_of(
    jobs: Sequence[ListedJob],
    submitted: Mapping[str, float | None],
    *,
    backend_time: float | None,
    now: float,
) -> Clock:
    """Measured by the jobs whose `submitted` time we know, else by the backend's own time."""
    ahead = [
        job.created_at - at
        for job in jobs
        if job.created_at is not None and (at := submitted.get(job.job_id)) is not None
    ]
    if len(ahead) >= ENOUGH_JOBS:
        return Clock(ahead_s=median(ahead), give_s=MEASURED_DIFFER_S)
    if backend_time is not None:
        return Clock(ahead_s=backend_time - now)
    return Clock(ahead_s=median(ahead)) if ahead else Clock()


def own_jobs(
    intents: Sequence[Generation],
    jobs: Sequence[ListedJob],
    clock: Clock,
    *,
    now: float,
    idempotent: bool,
    known_since: float,
    held: Collection[str] = (),
) -> dict[str, str]:
    """By intent: the one job that fits it and no other intent; of several of one answer the first (R6).

    `intents` are all that may have been accepted, including those being sent right now. Jobs made before
    `known_since` may be missing from `jobs`, a second match among them: an intent sent before then gets none.
    """
    jobs_by: dict[_Settings, list[ListedJob]] = defaultdict(list)
    taken = {job.request_id for job in jobs if job.request_id and job.job_id in held}
    for job in {job.job_id: job for job in jobs if job.job_id not in held}.values():
        if job.request_id in taken:
            continue
        jobs_by[job.prompt, job.seed].append(job)
    rivals_by: dict[_Settings, list[Generation]] = defaultdict(list)
    for intent in intents:
        rivals_by[_settings(intent)].append(intent)
    fits = partial(_fits, clock=clock, now=now, idempotent=idempotent)
    own = {}
    for intent in intents:
        settings = _settings(intent)
        found = _one_answer(filter(partial(fits, intent), jobs_by[settings]))
        if not found or first_sent_at(intent) - clock.give_s < known_since:
            continue
        if not any(fits(rival, found[0]) for rival in rivals_by[settings] if rival is not intent):
            own[intent.id] = min(job.job_id for job in found)
    return own


def answer_with(job_id: str, jobs: Sequence[ListedJob]) -> tuple[str, ...]:
    """That job, then the others of the same answer."""
    own = next(job for job in jobs if job.job_id == job_id)
    others = {job.job_id for job in jobs if same_answer(own, job)} - {job_id}
    return (job_id, *sorted(others))


def _one_answer(jobs: Iterator[ListedJob]) -> list[ListedJob]:
    """The files of one answer, a single one mostly; empty where there are none, or those of several."""
    found = list(islice(jobs, 1))
    for job in islice(jobs, MAX_RESULTS):
        if not same_answer(found[0], job):
            return []
        found.append(job)
    return found


def _settings(intent: Generation) -> _Settings:
    return intent.request.prompt, intent.request.seed


def first_sent_at(intent: Generation) -> float:
    """No request of it was accepted earlier."""
    return intent.created_at if intent.possibly_accepted_since is None else intent.possibly_accepted_since


def _last_taken_at(intent: Generation, *, now: float, idempotent: bool) -> float:
    """With a key it was sent again and again until it ended."""
    first = first_sent_at(intent)
    last = (intent.finished_at or now) if idempotent else (intent.submitted_at or first)
    return max(first, last) + TAKEN_WITHIN_S


def _fits(intent: Generation, job: ListedJob, clock: Clock, *, now: float, idempotent: bool) -> bool:
    if not matches(intent.request, job):
        return False
    if job.created_at is None:
        return True
    first, last = first_sent_at(intent), _last_taken_at(intent, now=now, idempotent=idempotent)
    return first - clock.give_s <= clock.ours(job.created_at) <= last + clock.give_s
