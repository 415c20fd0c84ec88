"""The list of files: pages, filters, refusals."""

from __future__ import annotations

import httpx
import pytest

from services.core.model import Draft, Kind
from tests.services.api.stand_in import StandIn, generation


@pytest.mark.asyncio
async def test_the_list_is_newest_first_and_turns_pages(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    for number in range(5):
        stand_in.commit(generation(f"gen-{number}"))
    first = (await client.get("/api/files?limit=3")).json()
    second = (await client.get("/api/files", params={"limit": 3, "cursor": first["next"]})).json()
    assert [each["id"] for each in first["items"]] == ["gen-4", "gen-3", "gen-2"]
    assert [each["id"] for each in second["items"]] == ["gen-1", "gen-0"]
    assert second["next"] is None


@pytest.mark.asyncio
async def test_the_list_can_be_narrowed(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.commit(generation("gen-1", Draft(kind=Kind.IMAGE, prompt="a boat")))
    stand_in.commit(generation("gen-2", Draft(kind=Kind.VIDEO, prompt="a boat")))
    stand_in.commit(generation("gen-3", Draft(kind=Kind.IMAGE, prompt="a kite")))
    images = (await client.get("/api/files?type=image&q=&cursor=&limit=")).json()
    boats = (await client.get("/api/files?type=&q=boat")).json()
    assert [each["id"] for each in images["items"]] == ["gen-3", "gen-1"]
    assert [each["id"] for each in boats["items"]] == ["gen-2", "gen-1"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("limit=0", "limit", "limit must be at least 1."),
        ("limit=201", "limit", "limit must be at most 200."),
        ("limit=many", "limit", "limit must be a whole number."),
        ("limit=NaN", "limit", "limit must be a whole number."),
        ("limit=" + "9" * 5000, "limit", "limit is too large a number."),
        ("type=audio", "type", "type must be one of 'video', 'image' or ''."),
        ("q=" + "x" * 501, "q", "q may have at most 500 characters."),
        ("cursor=nonsense", "cursor", "The cursor is not valid."),
    ],
)
async def test_a_query_that_is_not_possible_is_a_422(
    client: httpx.AsyncClient, query: str, field: str, sentence: str
) -> None:
    answer = await client.get(f"/api/files?{query}")
    assert answer.status_code == 422
    assert answer.json() == {"success": False, "error": sentence, "field": field}
