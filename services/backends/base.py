"""The contract of a generation service; the engine knows nothing more about one."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeGuard, runtime_checkable

from services.backends.job_listing import JobPage
from services.core.model import Generation, JobUpdate, Kind, Model
from services.http.host_limiter import HostLimiter


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Abilities of a backend, as data."""

    push: bool = True
    idempotent: bool = False
    """Takes an `Idempotency-Key`: the same bytes with the same key are accepted once (R6)."""
    searchable: bool = False
    """Lists its jobs, so that a submit whose answer was lost can be found again."""
    cancel: bool = False
    poll_at_most_every_s: float = 0.0
    """The backend's own limit on polling one job."""


@runtime_checkable
class Backend(Protocol):
    """One generation service. No loops, sleeps or retries: `channels` has them."""

    name: str
    capabilities: Capabilities
    host: HostLimiter

    async def submit(self, generation: Generation, *, source: bytes | None = None) -> str:
        """Sends the paid request, keyed by the generation's id, and returns the job's id; a JobId where the
        request began several.

        Raises BackendUnavailable (`not_taken` as R6 asks), BackendRefused, InvalidResponse.
        """

    async def poll(self, job_id: str) -> JobUpdate:
        """Asks once for the job's state. Raises ChannelLost."""

    def updates(
        self, job_id: str, *, silence_s: float
    ) -> AbstractAsyncContextManager[AsyncIterator[JobUpdate]]:
        """Opens the job's updates; opening and iterating raise ChannelLost, also after `silence_s` without
        a byte. Signs of life that say nothing about a job are not yielded.
        """

    async def models(self) -> list[Model]:
        """Lists the models on offer. Raises BackendError."""

    def headers_for(self, url: str) -> dict[str, str]:
        """Credentials for fetching a result from the backend's own origin; empty for any other."""

    async def close(self) -> None: ...


@runtime_checkable
class ListsJobs(Backend, Protocol):
    async def listed(self, kind: Kind, *, skip: int = 0) -> JobPage:
        """One page of its jobs, newest first, after the first `skip`. Raises BackendError, ChannelLost."""


@runtime_checkable
class CancelsJobs(Backend, Protocol):
    async def cancel(self, job_id: str) -> None:
        """Asks the backend to stop the job. Raises BackendUnavailable."""


def can_list_jobs(backend: Backend) -> TypeGuard[ListsJobs]:
    return backend.capabilities.searchable and isinstance(backend, ListsJobs)


def can_cancel_jobs(backend: Backend) -> TypeGuard[CancelsJobs]:
    return backend.capabilities.cancel and isinstance(backend, CancelsJobs)
