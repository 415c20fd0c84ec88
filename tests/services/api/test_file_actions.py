"""Checking, stopping, retrying and deleting one file."""

from __future__ import annotations

import httpx
import pytest

from services.core.model import Phase
from tests.services.api.stand_in import StandIn, generation


@pytest.mark.asyncio
async def test_checking_and_stopping_answer_the_file(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING))
    checked = await client.post("/api/file/gen-0/check")
    stopped = await client.post("/api/file/gen-0/stop")
    assert (checked.status_code, checked.json()["phase"]) == (200, "processing")
    assert (stopped.status_code, stopped.json()["phase"]) == (200, "dropped")
    assert stand_in.acts == ["check gen-0"]


@pytest.mark.asyncio
async def test_what_arrived_after_a_stop_says_so_and_is_kept(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stand_in.commit(generation(phase=Phase.DROPPED, stop_requested_at=1.0))
    assert (await client.post("/api/file/gen-0/keep")).status_code == 409
    stand_in.change("gen-0", phase=Phase.COMPLETED)
    file = (await client.get("/api/file/gen-0")).json()
    assert (file["status"], file["unwanted"]) == ("completed", True)
    assert file["message"] == "The video arrived after it had been stopped: keep it, or delete it."
    kept = (await client.post("/api/file/gen-0/keep")).json()
    assert (kept["unwanted"], kept["message"]) == (False, "The video is ready.")


@pytest.mark.asyncio
async def test_a_retry_is_a_new_generation(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.commit(generation(phase=Phase.ERROR))
    answer = await client.post("/api/file/gen-0/retry")
    assert answer.status_code == 202
    assert answer.json()["fileId"] not in ("gen-0", None)
    assert answer.json()["fileId"] in stand_in.rows


@pytest.mark.asyncio
async def test_a_retry_passes_its_idempotency_key_on(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.commit(generation(phase=Phase.ERROR))
    await client.post("/api/file/gen-0/retry", headers={"Idempotency-Key": "once"})
    odd = await client.post("/api/file/gen-0/retry", headers={"Idempotency-Key": "x" * 300})
    assert (stand_in.retry_keys, odd.status_code) == (["once"], 400)


@pytest.mark.asyncio
async def test_only_an_unconfirmed_one_is_submitted_again(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stand_in.commit(generation(phase=Phase.UNCONFIRMED))
    first = await client.post("/api/file/gen-0/submit-again")
    second = await client.post("/api/file/gen-0/submit-again")
    assert (first.status_code, first.json()["fileId"]) == (202, "gen-0")
    assert (second.status_code, second.json()["success"]) == (409, False)


@pytest.mark.asyncio
async def test_a_deleted_one_is_gone(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING))
    assert (await client.delete("/api/file/gen-0")).json() == {"success": True}
    assert (await client.get("/api/file/gen-0")).status_code == 404
    assert (await client.delete("/api/file/gen-0")).status_code == 404
