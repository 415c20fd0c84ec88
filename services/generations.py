"""What a person does: the only door for the pages and the API."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.bus import Bus
from services.catalogue import Catalogue
from services.model import LOCAL_OWNER, Draft, Generation, Kind, TraceEntry
from services.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Newest first; `next` is the cursor of the page behind, None at the end."""

    items: list[Generation]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Typical:
    """How long this install's own finished runs of one model took."""

    p50_s: float
    p90_s: float
    runs: int


class Generations:
    bus: Bus
    catalogue: Catalogue
    settings: Settings

    async def start(
        self,
        draft: Draft,
        *,
        owner: str = LOCAL_OWNER,
        count: int = 1,
        key: str | None = None,
        fingerprint: str | None = None,
    ) -> list[Generation]:
        """Commit `count` generations (1-4, images only above 1) and begin; the submit follows by itself.

        With a `key` (the client's Idempotency-Key): the same key and fingerprint give the same generations
        again, another fingerprint raises Conflict. Raises InvalidRequest.
        """

    async def get(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        """Raises NotFound (also for what is somebody else's, or deleted)."""

    async def recent(
        self,
        *,
        owner: str = LOCAL_OWNER,
        kind: Kind | None = None,
        query: str = "",
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Raises InvalidRequest for a cursor that is none of ours."""

    async def trace(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> list[TraceEntry]:
        """The timeline, oldest first. Raises NotFound."""

    async def check(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        """Ask the backend at once ("Check now"); an unconfirmed one is searched for. Raises NotFound."""

    async def stop(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        """Stop an open one (a no-op on a final one); what still arrives is kept apart. Raises NotFound."""

    async def retry(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        """The same request as a new generation. Raises NotFound."""

    async def submit_again(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        """Send an unconfirmed one once more, knowing that it may be paid twice. Raises NotFound, Conflict."""

    async def delete(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> None:
        """Hide it; an open one is stopped too. Raises NotFound."""

    async def clear(self, *, owner: str = LOCAL_OWNER, kind: Kind | None = None) -> int:
        """Hide all final ones; how many there were."""

    async def shown(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> None:
        """A page has the first frame on its screen: noted in the receipt, once."""

    async def typical(self, backend: str, model: str) -> Typical | None:
        """None without history."""

    async def add_source(self, data: bytes) -> str:
        """Keep a source picture (png, jpeg, webp; 50 MB, 40 megapixels at most); its name for a Draft.

        Raises InvalidRequest.
        """

    def media(self, name: str) -> Path:
        """Where a kept file lies on the disk."""
