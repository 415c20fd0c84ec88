"""What every generation service must be able to say; the engine knows nothing more about one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from services.backends.job_listing import JobPage
from services.core.model import Generation, JobUpdate, Kind, Model
from services.http.event_stream import StreamEvent
from services.http.host_limiter import HostLimiter


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a backend can do, as data."""

    push: bool = True
    keyed: bool = False
    """Takes an `Idempotency-Key`: the same bytes with the same key are taken once (R6)."""
    searchable: bool = False
    """Its jobs can be listed, so that a submit whose answer was lost can be found again."""
    cancel: bool = False
    poll_at_most_every_s: float = 0.0
    """The backend's own limit on polling one job."""


class Backend(Protocol):
    """One generation service. No loops, no sleeps, no retries in here: `channels` has them."""

    name: str
    capabilities: Capabilities
    host: HostLimiter

    async def submit(self, generation: Generation, *, source: bytes | None = None) -> str:
        """Send the paid request, keyed by the generation's id; the job's id is returned.

        Raises BackendUnavailable (`not_taken` as R6 asks), BackendRefused, BackendMisspoke.
        """

    async def poll(self, job_id: str) -> JobUpdate:
        """Ask once how the job is. Raises ChannelLost."""

    def stream(
        self, job_id: str, *, silence_s: float
    ) -> AbstractAsyncContextManager[AsyncIterator[StreamEvent]]:
        """Open the job's event stream; both opening and iterating raise ChannelLost."""

    def understand(self, event: StreamEvent, job_id: str) -> JobUpdate:
        """Put one stream event into our words. Raises ChannelLost(reason="malformed") on nonsense."""

    async def listed(self, kind: Kind, *, skip: int = 0) -> JobPage:
        """One page of its jobs, newest first, behind the first `skip`. Raises BackendError, ChannelLost."""

    async def cancel(self, job_id: str) -> None:
        """Ask the backend to stop; a no-op where it cannot. Raises BackendUnavailable."""

    async def models(self) -> list[Model]:
        """What the backend offers now. Raises BackendError."""

    def headers_for(self, url: str) -> dict[str, str]:
        """Credentials for fetching a result from the backend's own origin; empty for any other."""

    async def close(self) -> None: ...
