"""/api/file and /api/files: lists, details and a person's actions."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field

from services.api import request_body
from services.api.openapi import NO_FILE, refusals
from services.api.request_context import BaseUrl, Owner
from services.api.response_models import Accepted, Done, FileAnswer, FilesAnswer, TraceAnswer
from services.core.model import STATES, UNWANTED_IN, GenerationQuery, Kind
from services.generations.service import Generations

CONFLICT = refusals({409: "Not in this phase."})
KEY_CONFLICT = refusals({409: "The Idempotency-Key was used for another request."})
Word = Annotated[str, Field(max_length=200)]
OrDefault = BeforeValidator(lambda value: 50 if value == "" else value)
ZonedTime = Annotated[AwareDatetime | None, BeforeValidator(lambda value: value or None)]
"""ISO 8601 with its time zone."""


class FilesQuery(BaseModel):
    """Filters of the list; empty values do not filter."""

    type: Literal["video", "image", ""] = ""
    q: str = Field(
        "", max_length=500, description="Words of the prompt; the last may be the beginning of one."
    )
    ranked: bool = False
    model: Word = ""
    backend: Word = ""
    state: Literal["ready", "working", "failed", "stopped", "unwanted", ""] = ""
    since: ZonedTime = None
    until: ZonedTime = None
    starred: bool = False
    tag: Word = ""
    trashed: bool = False
    cursor: str = Field("", max_length=500, description="`next` of the page before.")
    limit: Annotated[int, Field(ge=1, le=200, description="1-200"), OrDefault] = 50

    def filters(self) -> GenerationQuery:
        return GenerationQuery(
            kind=Kind(self.type) if self.type else None,
            words=self.q,
            ranked=self.ranked and bool(self.q),
            backend=self.backend or None,
            model=self.model or None,
            phases=STATES[self.state] if self.state else None,
            unwanted=UNWANTED_IN.get(self.state),
            since=self.since.timestamp() if self.since else None,
            until=self.until.timestamp() if self.until else None,
            starred=self.starred,
            tag=self.tag or None,
            trashed=self.trashed,
        )


def router(generations: Generations) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["files"], responses=NO_FILE)
    add_reading(routes, generations)
    add_actions(routes, generations)
    return routes


def add_reading(routes: APIRouter, generations: Generations) -> None:
    @routes.get("/files")
    async def list_files(
        owner: Owner, base_url: BaseUrl, query: Annotated[FilesQuery, Query()]
    ) -> FilesAnswer:
        """Newest first (with `q` and `ranked` the best first, one page); `next` is the cursor of the page
        behind. `since` is included, `until` is not.
        """
        page = await generations.listed(
            query.filters(), cursor=query.cursor or None, limit=query.limit, owner=owner
        )
        return FilesAnswer(items=[FileAnswer.of(each, base_url) for each in page.items], next=page.next)

    @routes.get("/file/{file_id}")
    async def read_file(owner: Owner, file_id: str, base_url: BaseUrl) -> FileAnswer:
        """The file object; `url` is null until the bytes are kept here."""
        return FileAnswer.of(await generations.get(file_id, owner=owner), base_url)

    @routes.get("/file/{file_id}/trace")
    async def read_trace(owner: Owner, file_id: str) -> TraceAnswer:
        """The timeline: what each channel heard, when, and why it broke."""
        return TraceAnswer.of(
            await generations.get(file_id, owner=owner), await generations.trace(file_id, owner=owner)
        )


def add_actions(routes: APIRouter, generations: Generations) -> None:
    @routes.post("/file/{file_id}/check")
    async def check(owner: Owner, file_id: str, base_url: BaseUrl) -> FileAnswer:
        """Ask the backend at once."""
        return FileAnswer.of(await generations.check(file_id, owner=owner), base_url)

    @routes.post("/file/{file_id}/stop")
    async def stop(owner: Owner, file_id: str, base_url: BaseUrl) -> FileAnswer:
        """Stop an open one; of a final one nothing changes."""
        return FileAnswer.of(await generations.stop(file_id, owner=owner), base_url)

    @routes.post("/file/{file_id}/keep", responses=CONFLICT)
    async def keep(owner: Owner, file_id: str, base_url: BaseUrl) -> FileAnswer:
        """A result that arrived after a stop is wanted after all; of an ordinary one nothing changes."""
        return FileAnswer.of(await generations.keep(file_id, owner=owner), base_url)

    @routes.post("/file/{file_id}/retry", status_code=202, responses=KEY_CONFLICT)
    async def retry(owner: Owner, file_id: str, request: Request, new_seed: bool = False) -> Accepted:
        """The same request as a new generation, or with a new seed; with an Idempotency-Key the same key
        answers the same.
        """
        key = request_body.idempotency_key(request)
        return Accepted.of([await generations.retry(file_id, owner=owner, key=key, new_seed=new_seed)])

    @routes.post("/file/{file_id}/submit-again", status_code=202, responses=CONFLICT)
    async def submit_again(owner: Owner, file_id: str) -> Accepted:
        """Send an unconfirmed one once more; it may be paid twice."""
        return Accepted.of([await generations.submit_again(file_id, owner=owner)])

    @routes.delete("/file/{file_id}")
    async def delete_file(owner: Owner, file_id: str) -> Done:
        """Into the trash; an open one is stopped too."""
        await generations.delete(file_id, owner=owner)
        return Done()
