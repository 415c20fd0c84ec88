"""The ghost finder: what was paid for at a backend and is watched by nobody is found, once, and watched."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from services.backends.base import Backend
from services.core.errors import BackendError, ChannelLost
from services.core.log_failures import log_failures
from services.core.model import Generation, Kind
from services.generations.job_search import LOOK_BACK_S, JobSearch
from services.generations.supervisor import Supervisor
from services.store.jobs import JobRows

log = logging.getLogger(__name__)

EVERY_S = 3600.0
MOST_ASKED = 200
"""Of those whose watch has ended, in one round."""


class Reconciler:
    """A round compares what was perhaps taken with what each backend lists, and asks once more about what
    was stopped or given up in silence. Both for seven days.
    """

    def __init__(
        self,
        rows: JobRows,
        supervisor: Supervisor,
        backends: Mapping[str, Backend],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._rows = rows
        self._supervisor = supervisor
        self._backends = backends
        self._now = now
        self._looking = JobSearch(rows, now=now)

    async def run(self) -> None:
        """Now and every hour, for ever; the engine owns the task."""
        while True:
            with log_failures("The round for what was paid and not heard of failed"):
                await self.go_round()
            await asyncio.sleep(EVERY_S)

    async def go_round(self) -> list[Generation]:
        """Those whose job was found, watched by now."""
        adopted: list[Generation] = []
        for backend in self._backends.values():
            for kind in Kind:
                adopted += await self._look(backend, kind)
        for generation in await self._rows.given_up(since=self._now() - LOOK_BACK_S, limit=MOST_ASKED):
            if generation.request.backend in self._backends:
                self._supervisor.check(generation)
        return adopted

    async def _look(self, backend: Backend, kind: Kind) -> list[Generation]:
        if not backend.capabilities.searchable:
            return []
        alone = await self._alone(backend, kind)
        if not alone:
            return []
        try:
            found = await self._looking.found(backend, kind)
        except (BackendError, ChannelLost) as error:
            log.warning(
                "%d may have been taken unheard; the next round looks for them: %s", len(alone), error
            )
            return []
        adopted = []
        for generation in await self._alone(backend, kind):
            job_id = found.get(generation.id)
            if job_id is not None and (moved := await self._supervisor.adopt(generation, job_id)) is not None:
                log.info("%s was taken unheard: found at %s and watched.", moved.id, backend.name)
                adopted.append(moved)
        return adopted

    async def _alone(self, backend: Backend, kind: Kind) -> list[Generation]:
        """Those that may have a job and that nobody sends or looks for at this moment."""
        rows = await self._rows.unsure(backend.name, kind, since=self._now() - LOOK_BACK_S)
        return [each for each in rows if not self._supervisor.watches(each.id)]
