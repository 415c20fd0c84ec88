"""Finds paid jobs that nobody watches, and watches them."""

import asyncio
import logging
from collections.abc import Mapping

from services.backends.base import Backend, can_list_jobs
from services.core.errors import BackendError, ChannelLost
from services.core.log_failures import log_failures
from services.core.model import Generation, Kind
from services.core.runtime import Runtime
from services.generations.job_search import LOOK_BACK_S, JobSearch
from services.generations.supervisor import Supervisor
from services.store.jobs import JobRows

log = logging.getLogger(__name__)

EVERY_S = 3600.0
CHECKS_PER_ROUND = 200
"""Ended generations that one round asks about."""


class Reconciler:
    """Compares submits whose answer was lost with each backend's job list, and asks once more about jobs that
    were stopped or given up. Both for seven days.
    """

    def __init__(
        self,
        rows: JobRows,
        job_search: JobSearch,
        supervisor: Supervisor,
        backends: Mapping[str, Backend],
        runtime: Runtime,
    ) -> None:
        self._rows = rows
        self._job_search = job_search
        self._supervisor = supervisor
        self._backends = backends
        self._now = runtime.now

    async def run(self) -> None:
        """Runs a round now and every hour, until cancelled."""
        while True:
            with log_failures("The search for unwatched jobs failed"):
                await self.run_once()
            await asyncio.sleep(EVERY_S)

    async def run_once(self) -> list[Generation]:
        """Returns the generations whose job was found; they are being watched."""
        adopted: list[Generation] = []
        for backend in self._backends.values():
            for kind in Kind:
                adopted += await self._search(backend, kind)
        for generation in await self._rows.given_up(since=self._now() - LOOK_BACK_S, limit=CHECKS_PER_ROUND):
            if generation.request.backend in self._backends:
                self._supervisor.check(generation)
        return adopted

    async def _search(self, backend: Backend, kind: Kind) -> list[Generation]:
        if not can_list_jobs(backend):
            return []
        unwatched = await self._unwatched(backend, kind)
        if not unwatched:
            return []
        try:
            found = await self._job_search.found(backend, kind)
        except (BackendError, ChannelLost) as error:
            log.warning(
                "%d submits may have been accepted; the next round searches for them: %s",
                len(unwatched),
                error,
            )
            return []
        adopted = []
        for generation in await self._unwatched(backend, kind):
            job_ids = found.get(generation.id)
            if job_ids and (moved := await self._supervisor.adopt(generation, job_ids)) is not None:
                log.info(
                    "%s was accepted although its answer was lost: found at %s and watched.",
                    moved.id,
                    backend.name,
                )
                adopted.append(moved)
        return adopted

    async def _unwatched(self, backend: Backend, kind: Kind) -> list[Generation]:
        """Those that may have a job and that no task is submitting or searching for."""
        rows = await self._rows.possibly_accepted(backend.name, kind, since=self._now() - LOOK_BACK_S)
        return [each for each in rows if each.id not in self._supervisor.tasks]
