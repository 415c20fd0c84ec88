"""GET /health: 200 while work can be accepted, else 503, with the reasons inside. GET /alive: always 200."""

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.diagnostics.doctor.disk import MIN_FREE_BYTES, can_write

log = logging.getLogger(__name__)

ALIVE = "/alive"
"""Open to any Host: health checks ask by address, or without a Host at all."""
CHECK_TIMEOUT_S = 2.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The checks behind /health. `open_generations` reads the database, so it also proves that it answers."""

    version: str
    data_dir: Path
    open_generations: Callable[[], Awaitable[int]]
    problems: Callable[[], Mapping[str, str]]
    """Backend -> a sentence, for each that cannot be reached."""
    models_known: Callable[[], bool]
    damaged: Callable[[], bool] = lambda: False
    """Whether the database file is known to be damaged."""
    free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
    started_at_s: float = field(default_factory=time.monotonic)

    async def report(self) -> tuple[bool, dict[str, Any]]:
        writable, free_bytes, open_now = await asyncio.gather(
            _result_or_none("data folder", asyncio.to_thread(can_write, self.data_dir)),
            _result_or_none("disk", asyncio.to_thread(self.free_bytes, self.data_dir)),
            _result_or_none("database", self.open_generations()),
        )
        models, problems = self.models_known(), dict(self.problems())
        faults = {
            "The data folder cannot be written.": not writable,
            "Less than 200 MB are free on the data folder's disk.": (free_bytes or 0) < MIN_FREE_BYTES,
            "The database does not answer.": open_now is None,
            "The database file is damaged: see the log.": self.damaged(),
            "No backend has told its models yet.": not models,
        }
        reasons = [sentence for sentence, is_so in faults.items() if is_so]
        return not reasons, {
            "status": "error" if reasons else "ok",
            "reasons": [*reasons, *(f"{backend}: {sentence}" for backend, sentence in problems.items())],
            "data_writable": bool(writable),
            "free_bytes": free_bytes,
            "database": open_now is not None,
            "models_known": models,
            "backends": problems,
            "open_generations": open_now,
            "version": self.version,
            "uptime_s": round(time.monotonic() - self.started_at_s, 1),
        }


async def _result_or_none(what: str, check: Awaitable[T]) -> T | None:
    """None when the check fails or takes too long: it never breaks the report."""
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check
    except Exception as error:  # any failure is a finding of the check
        log.warning("Health check of the %s failed: %s", what, type(error).__name__)
        return None


def router(health: Health) -> APIRouter:
    routes = APIRouter(tags=["running it"])

    @routes.get("/health", responses={503: {"description": "Work cannot be accepted; `reasons` say why."}})
    async def health_report() -> JSONResponse:
        """Whether work can be accepted. An unreachable backend is a reason, not a 503."""
        ok, body = await health.report()
        return JSONResponse(body, 200 if ok else 503, {"Cache-Control": "no-store"})

    @routes.get(ALIVE)
    @routes.head(ALIVE, include_in_schema=False)
    async def alive() -> JSONResponse:
        """200 while the process serves, whatever its disk and its backends do: for health checks."""
        return JSONResponse({"status": "alive"}, headers={"Cache-Control": "no-store"})

    return routes
