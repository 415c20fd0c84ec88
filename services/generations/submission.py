"""Submits an intent and stores its job id; pays at most once (R1, R6)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from services.backends.base import Backend, can_list_jobs
from services.channels.backoff import Backoff
from services.core.errors import (
    BackendError,
    BackendRefused,
    BackendUnavailable,
    ChannelLost,
    InvalidResponse,
)
from services.core.job_results import SAME_JOB, jobs_of
from services.core.model import Generation, Phase
from services.core.runtime import Runtime
from services.generations.event_log import EventLog
from services.generations.job_search import JobSearch
from services.generations.transitions import Transitions, retry_until_written
from services.store.jobs import JobRows
from services.store.store import Store

log = logging.getLogger(__name__)

SEARCH_GAPS_S = (0.0, 3.0, 10.0, 30.0, 60.0, 120.0)
END_WITHIN_S = 1.0


class Submission:
    """`read_source` returns the bytes of a source picture by its name in the media folder."""

    def __init__(
        self,
        store: Store,
        event_log: EventLog,
        transitions: Transitions,
        job_search: JobSearch,
        runtime: Runtime,
        *,
        read_source: Callable[[str], Awaitable[bytes]],
    ) -> None:
        self._store = store
        self._event_log = event_log
        self._transitions = transitions
        self._job_search = job_search
        self._runtime = runtime
        self._read_source = read_source
        self._rows = JobRows(store, now=runtime.now)
        self._submits: set[asyncio.Task[tuple[str, ...]]] = set()

    async def close(self) -> None:
        """Lets submits under way end, so that the id of a paid job is stored."""
        if self._submits:
            await asyncio.wait(self._submits, timeout=END_WITHIN_S)
            await asyncio.sleep(0)

    async def ensure_job(self, generation: Generation, backend: Backend, resumed: bool) -> Generation | None:
        """Submits it, or searches for its job, as it stands; None when there is nothing to watch."""
        if generation.job_id is not None:
            return generation
        if generation.phase is Phase.SUBMITTING and resumed and not backend.capabilities.idempotent:
            # The process ended between request and answer: the request may have been accepted.
            unconfirmed = await self._transitions.advance(generation, Phase.UNCONFIRMED)
            if unconfirmed is None:
                return None
            generation = unconfirmed
        if not generation.final and generation.phase is not Phase.UNCONFIRMED:
            return await self._submit(generation, backend)
        if generation.final and generation.possibly_accepted_since is None:
            return None
        return await self._search(generation, backend)

    async def _submit(self, generation: Generation, backend: Backend) -> Generation | None:
        backoff = Backoff(self._runtime.rng)
        name = generation.request.source
        try:
            source = None if name is None else await self._read_source(name)
        except FileNotFoundError:
            await self._transitions.fail(generation, "source_gone", "")
            return None
        while True:
            await asyncio.sleep(backend.host.submits_held_s)
            sending = await self._sending(generation)
            if sending is None:
                return await self._stopped_meanwhile(generation, backend)
            accepted_since, generation = generation.possibly_accepted_since, sending
            self._runtime.checkpoint("before_submit")
            if not await self._still_ours(generation):
                return None
            try:
                job_ids = await self._send(generation, backend, source)
            except BackendRefused as refused:
                code, text = f"refused_{refused.code}", str(refused)
                failed = await self._transitions.fail(
                    generation, code, text, possibly_accepted_since=accepted_since
                )
                if failed is None:
                    await self._mark_not_accepted(generation, accepted_since)
                return None
            except InvalidResponse as invalid:
                log.warning("%s: %s", generation.id, invalid)
                return await self._mark_unconfirmed(generation, backend)
            except BackendUnavailable as unavailable:
                wait_s = self._wait_after(unavailable, backend, backoff)
                self._runtime.checkpoint("submit_lost")
                self._event_log.note(
                    generation, "engine", "submit_lost", sent=not unavailable.not_taken, retry_in_s=wait_s
                )
                if unavailable.not_taken:
                    back = await self._transitions.advance(
                        generation,
                        Phase.PENDING,
                        stage="waiting_backend",
                        possibly_accepted_since=accepted_since,
                    )
                    if back is None:
                        await self._mark_not_accepted(generation, accepted_since)
                        return None
                    self._runtime.checkpoint("back_to_pending")
                    generation = back
                elif not backend.capabilities.idempotent:
                    return await self._mark_unconfirmed(generation, backend)
                await asyncio.sleep(wait_s)
            else:
                self._runtime.checkpoint("after_submit")
                return await self._submitted_as(generation, backend, job_ids)

    async def _sending(self, generation: Generation) -> Generation | None:
        """Commits that a request may be accepted from now on; None when it must not be sent."""
        if generation.phase is Phase.SUBMITTING:  # again with the same key, unless it was stopped meanwhile
            known = await self._store.get(generation.id)
            ours = (known.phase, known.epoch) == (Phase.SUBMITTING, generation.epoch)
            return known if ours else None
        self._runtime.checkpoint("before_submitting")
        now, since = self._runtime.now(), generation.possibly_accepted_since
        return await self._transitions.advance(
            generation,
            Phase.SUBMITTING,
            submitted_at=now,
            possibly_accepted_since=now if since is None else since,
            stage="",
        )

    async def _still_ours(self, generation: Generation) -> bool:
        """False when another process claimed the row while this machine slept before the request: that
        process submits it.
        """
        if self._runtime.now() - (generation.submitted_at or 0.0) < self._store.lease_s:
            return True
        now = self._runtime.now()
        return (
            await self._store.update_open(generation.id, epoch=generation.epoch, submitted_at=now) is not None
        )

    async def _send(self, generation: Generation, backend: Backend, source: bytes | None) -> tuple[str, ...]:
        """Shielded, so that a shutdown can wait a moment for the id of a paid job."""
        submit = asyncio.create_task(
            self._submit_to(backend, generation, source), name=f"submit {generation.id}"
        )
        self._submits.add(submit)
        submit.add_done_callback(self._submits.discard)
        try:
            return await asyncio.shield(submit)
        except asyncio.CancelledError:
            submit.cancel()
            raise

    async def _submit_to(
        self, backend: Backend, generation: Generation, source: bytes | None
    ) -> tuple[str, ...]:
        answer = await backend.submit(generation, source=source)
        self._runtime.checkpoint("submit_answered")
        return jobs_of(answer)

    async def _submitted_as(
        self, generation: Generation, backend: Backend, job_ids: Sequence[str]
    ) -> Generation | None:
        moved = await self._store_job_retrying(generation, job_ids)
        self._runtime.checkpoint("after_id")
        if moved is not None:
            return moved
        # Claimed by another process during the request, or the answer to the commit was lost: store the job
        # all the same.
        recorded = await retry_until_written(
            lambda: self._rows.record_jobs(generation.id, job_ids), generation.id
        )
        if recorded:
            own, *extra = recorded
            self._transitions.announce_extra_results(own, extra)
            return own if own.epoch == generation.epoch else None
        await self._fail_as_same_job(generation, backend, job_ids)
        return None

    async def _fail_as_same_job(
        self, generation: Generation, backend: Backend, job_ids: Sequence[str]
    ) -> None:
        """The backend made nothing new: it recognised an equal request. The error's text is the id of the
        generation that has the job, as long as there is one.
        """
        log.warning("%s: %s answered with the job of another generation.", generation.id, backend.name)
        holder = await self._rows.holder(backend.name, job_ids)
        ours = holder is not None and holder.owner == generation.owner
        text = holder.id if holder is not None and ours else ""
        failed = await retry_until_written(
            lambda: self._transitions.fail(generation, SAME_JOB, text, possibly_accepted_since=None),
            generation.id,
        )
        if failed is None:
            await self._mark_not_accepted(generation, None)

    async def _store_job_retrying(self, generation: Generation, job_ids: Sequence[str]) -> Generation | None:
        """Stores the job, which only this process knows, also when the generation was stopped meanwhile: its
        paid result may still arrive.
        """
        return await retry_until_written(
            lambda: self._store_job(generation, job_ids, generation.watch_until), generation.id
        )

    async def _store_job(
        self, generation: Generation, job_ids: Sequence[str], watch_until: float | None
    ) -> Generation | None:
        assigned = await self._rows.assign_all(
            generation.id, epoch=generation.epoch, job_ids=job_ids, watch_until=watch_until
        )
        if not assigned:
            return None
        moved, *extra = assigned
        self._transitions.announce_job(moved)
        self._transitions.announce_extra_results(moved, extra)
        return moved

    async def adopt(
        self, generation: Generation, job_ids: Sequence[str], *, watch_until: float
    ) -> Generation | None:
        """Gives it the jobs that were found in the backend's list; None when others hold them by now."""
        adopted = await self._store_job(generation, job_ids, watch_until)
        if adopted is not None:
            self._event_log.note(adopted, "engine", "adopted")
        return adopted

    async def _mark_not_accepted(self, generation: Generation, accepted_since: float | None) -> None:
        """The request of a generation that was stopped meanwhile started no job."""
        await self._rows.set_possibly_accepted(generation.id, epoch=generation.epoch, since=accepted_since)

    async def _mark_unconfirmed(self, generation: Generation, backend: Backend) -> Generation | None:
        unconfirmed = await self._transitions.advance(generation, Phase.UNCONFIRMED)
        self._runtime.checkpoint("unconfirmed")
        if unconfirmed is None:
            return await self._stopped_meanwhile(generation, backend)
        return await self._search(unconfirmed, backend)

    async def _stopped_meanwhile(self, generation: Generation, backend: Backend) -> Generation | None:
        """Not submitted again; a job that may have been accepted is searched for, to be kept apart."""
        known = await self._store.get(generation.id)
        ours = (known.phase, known.epoch) == (Phase.DROPPED, generation.epoch)
        if not ours or known.possibly_accepted_since is None or known.job_id is not None:
            return None
        return await self._search(known, backend)

    async def _search(self, generation: Generation, backend: Backend) -> Generation | None:
        """Adopts a single exact match, else leaves the choice to the person."""
        if not can_list_jobs(backend):
            return None
        for gap_s in SEARCH_GAPS_S:
            await asyncio.sleep(gap_s)
            if (known := await self._store.get(generation.id)).job_id is not None:  # found meanwhile
                return await self._store_job_retrying(generation, (known.job_id,))
            self._event_log.note(generation, "engine", "looking")
            self._runtime.checkpoint("before_search")
            try:
                found = await self._job_search.found(backend, generation.request.kind)
            except (BackendError, ChannelLost) as error:
                log.info("%s could not be searched for: %s", generation.id, error)
                continue
            self._runtime.checkpoint("after_search")
            job_ids = found.get(generation.id)
            if job_ids is None:
                continue
            stored = await self._store_job_retrying(generation, job_ids)
            if stored is not None:
                self._event_log.note(generation, "engine", "adopted")
                return stored
        self._event_log.note(generation, "engine", "not_found")
        return None

    def _wait_after(self, unavailable: BackendUnavailable, backend: Backend, backoff: Backoff) -> float:
        if unavailable.retry_after_s is not None:
            backend.host.hold_submits(unavailable.retry_after_s)
        lost = ChannelLost("", reason="busy", retry_after_s=unavailable.retry_after_s)
        return backoff.after(lost, lived_s=0.0)
