"""One supervised task per open generation: submit, watch, deliver. A task that dies is started again."""

import asyncio
import functools
import itertools
import logging
from collections.abc import Awaitable, Mapping, Sequence

from services.backends.base import Backend, can_cancel_jobs, can_list_jobs
from services.core.errors import BackendUnavailable, StoreFailed
from services.core.job_results import is_extra_result
from services.core.log_failures import log_failures
from services.core.model import Generation, Phase
from services.core.runtime import Runtime
from services.generations.event_log import EventLog
from services.generations.job_watch import JobWatch
from services.generations.overdue import Overdue
from services.generations.submission import Submission
from services.generations.task_registry import TaskRegistry
from services.generations.transitions import Transitions
from services.store.jobs import JobRows
from services.store.store import Store

log = logging.getLogger(__name__)

RENEWALS_IN_A_LEASE = 3
MIN_WATCH_S = 3600.0
RESTART_GAPS_S = (1.0, 5.0, 30.0, 60.0)


class Supervisor:
    def __init__(
        self,
        store: Store,
        event_log: EventLog,
        transitions: Transitions,
        submission: Submission,
        job_watch: JobWatch,
        overdue: Overdue,
        backends: Mapping[str, Backend],
        runtime: Runtime,
    ) -> None:
        self._store = store
        self._event_log = event_log
        self._transitions = transitions
        self._submission = submission
        self._job_watch = job_watch
        self._overdue = overdue
        self._backends = backends
        self._runtime = runtime
        self._rows = JobRows(store, now=runtime.now)
        self.tasks = TaskRegistry(event_log.forget)

    # -- all generations ---------------------------------------------------------------------

    async def resume(self) -> list[Generation]:
        """Claims every open row and watches it again (R9)."""
        rows = await self._store.claim()
        for generation in rows:
            self.watch(generation, resumed=True)
        return rows

    async def keep_leases(self) -> None:
        """Renews the leases until cancelled.

        When the machine slept, or its clock was set, deadlines and streams are void: all rows are reread.
        """
        every_s = self._store.lease_s / RENEWALS_IN_A_LEASE
        before = self._runtime.now()
        while True:
            await asyncio.sleep(every_s)
            last, before = before, self._runtime.now()
            overslept = not 0 <= before - last <= self._store.lease_s
            with log_failures("The leases could not be renewed"):  # others may claim an expired lease
                await self.renew_leases(overslept=overslept)

    async def renew_leases(self, *, overslept: bool = False) -> None:
        """Also stops watching rows that others claimed, and watches unwatched ones: expired rows of other
        processes, and own rows whose task ended early.
        """
        held = await self._store.renew()
        await self.tasks.end(held.held_elsewhere)
        for generation in held.claimed:
            self.watch(generation, resumed=True)
        if overslept:
            log.warning("The machine slept, or its clock was set: all that is watched is read again.")
            await self.tasks.end(self._job_watch.watched)
        for generation_id in self.tasks.missing(held.renewed):
            self.tasks.begin(generation_id, functools.partial(self._take_over, generation_id))

    async def close(self) -> None:
        """Lets submits under way end; everything else stops at once and is resumed at the next start."""
        await self._submission.close()
        await self.tasks.close()
        await self._overdue.close()

    # -- one generation ----------------------------------------------------------------------

    def watch(self, generation: Generation, *, resumed: bool = False) -> None:
        """Starts its task; a generation never has two."""
        self.tasks.begin(generation.id, functools.partial(self._guard, generation, resumed))

    def check(self, generation: Generation) -> None:
        """Asks the backend at once, whatever phase the generation is in."""
        if self._job_watch.check(generation.id):
            return
        backend = self._backends.get(generation.request.backend)
        ended = generation.phase in {Phase.ERROR, Phase.DROPPED}
        if ended and generation.job_id is not None and backend is not None:
            work = functools.partial(self._job_watch.poll_once, generation, backend)
            self.tasks.begin(generation.id, work)
        elif generation.phase is Phase.UNCONFIRMED or (
            ended and generation.possibly_accepted_since is not None
        ):
            self.watch(generation)

    def can_search(self, generation: Generation) -> bool:
        """Whether its backend has a job list."""
        backend = self._backends.get(generation.request.backend)
        return backend is not None and can_list_jobs(backend)

    async def cancel(self, generation: Generation) -> None:
        """Asks the backend to stop the job, where it can."""
        backend = self._backends.get(generation.request.backend)
        if backend is None or generation.job_id is None or not can_cancel_jobs(backend):
            return
        if is_extra_result(generation.job_id) or await self._rows.has_extra_results(
            backend.name, generation.job_id
        ):
            return  # the job's other results are still wanted
        try:
            await backend.cancel(generation.job_id)
        except BackendUnavailable:
            self._event_log.note(generation, "engine", "cancel_lost")

    async def submit_again(self, generation_id: str) -> Generation | None:
        """Sends an unconfirmed one again, as a person asked; None when it is not unconfirmed any more."""
        found: list[Generation] = []
        with self.tasks.changing(generation_id) as ours:
            known = await self._store.get(generation_id)
            if not ours or known.phase is not Phase.UNCONFIRMED:  # pressed twice
                return None
            await self.tasks.end([generation_id])
            moved = await self._transitions.advance(known, Phase.SUBMITTING, submitted_at=self._runtime.now())
            if moved is None:  # stopped, or its search found the job while it was being ended
                found = await self._store.claim(generation_id)
        if moved is not None:
            self.watch(moved)
        for each in found:
            self.watch(each, resumed=True)
        return moved

    async def adopt(self, generation: Generation, job_ids: Sequence[str]) -> Generation | None:
        """Watches jobs that were found in the backend's list, as long as a new one would be watched.

        None when the generation has a task (which searches for itself), or another one holds the job.
        """
        if generation.id in self.tasks:
            return None
        span_s = (generation.watch_until or generation.created_at) - generation.created_at
        with self.tasks.changing(generation.id):
            adopted = await self._submission.adopt(
                generation, job_ids, watch_until=self._runtime.now() + max(span_s, MIN_WATCH_S)
            )
        if adopted is not None:
            self.watch(adopted, resumed=True)
        return adopted

    # -- its task ----------------------------------------------------------------------------

    async def _guard(self, generation: Generation, resumed: bool) -> None:
        """Contains a bug: it is logged, and the task starts again (R10)."""
        if not await self._completed(generation.id, self._run(generation, resumed)):
            await asyncio.sleep(RESTART_GAPS_S[0])
            await self._take_over(generation.id, RESTART_GAPS_S[1:])

    async def _take_over(self, generation_id: str, gaps_s: Sequence[float] = RESTART_GAPS_S) -> None:
        """Claims the row, which fences off its former watcher, and watches it."""
        for gap_s in itertools.chain(gaps_s, itertools.repeat(gaps_s[-1])):
            if await self._completed(generation_id, self._claim_and_run(generation_id)):
                return
            await asyncio.sleep(gap_s)

    async def _completed(self, generation_id: str, run: Awaitable[None]) -> bool:
        try:
            await run
        except StoreFailed as failed:
            log.warning("The watcher of %s waits: %s", generation_id, failed)
        except Exception:
            log.exception("The watcher of %s failed; it begins again.", generation_id)
            await self._note_bug(generation_id)
        else:
            return True
        return False

    async def _note_bug(self, generation_id: str) -> None:
        with log_failures("The failure could not be traced"):
            self._event_log.note(await self._store.get(generation_id), "engine", "bug")

    async def _claim_and_run(self, generation_id: str) -> None:
        for generation in await self._store.claim(generation_id):
            if not generation.final or _may_still_arrive(generation):
                await self._run(generation, True)

    async def _run(self, generation: Generation, resumed: bool) -> None:
        backend = self._backends.get(generation.request.backend)
        if backend is None:
            self._event_log.note(generation, "engine", "no_backend")
            log.warning(
                "%s waits: its backend %s is not configured.", generation.id, generation.request.backend
            )
            return
        if resumed:
            self._event_log.note(generation, "engine", "resumed")
        self._runtime.checkpoint("watch_begun")
        with self._overdue.timer(generation):
            with_job = await self._submission.ensure_job(generation, backend, resumed)
            if with_job is not None:
                await self._job_watch.run(with_job, backend, resumed=resumed)


def _may_still_arrive(ended: Generation) -> bool:
    """A paid result of an ended generation may still come."""
    return ended.phase is Phase.DROPPED or (
        ended.phase is Phase.ERROR and ended.possibly_accepted_since is not None
    )
