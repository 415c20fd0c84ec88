"""Conversations over HTTP, with the real engine behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from uuid6 import uuid7

from services.api import Metrics, include
from services.backends.scripted import Script, Scripted
from tests.services.api.stand_in import client_of, health, parts
from tests.support.engine_harness import EngineHarness

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    harness = EngineHarness(tmp_path, Scripted(Script(length_s=2.0)))
    await harness.open()
    app = FastAPI(docs_url=None, redoc_url=None)
    metrics = Metrics(harness.bus, backends=["scripted"])
    services = parts(
        generations=harness.generations, chats=harness.chats, health=health(tmp_path), metrics=metrics
    )
    include(app, services, public_url=None)
    async with client_of(app) as client:
        yield client
    await harness.close()


async def begun(client: httpx.AsyncClient, text: str = "/video a kite") -> str:
    answer = await client.post("/api/chat", json={"text": text})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["chatId"])


async def thread(client: httpx.AsyncClient, chat_id: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/chat/{chat_id}", params=query)
    assert answer.status_code == 200, answer.text
    messages: list[dict[str, Any]] = answer.json()["messages"]
    return messages


async def test_what_is_asked_for_is_made_and_told(client: httpx.AsyncClient) -> None:
    chat_id = await begun(client, "make a 10 second video of a kite")
    await asyncio.sleep(4)
    asked, reply, artifact, result = await thread(client, chat_id)
    assert (asked["role"], asked["text"], asked["said"]) == (
        "person",
        "make a 10 second video of a kite",
        None,
    )
    assert (reply["replyTo"], reply["said"]["code"]) == (asked["id"], "making")
    assert reply["said"]["works"][0]["length"] == 10.0
    assert (artifact["type"], result["type"]) == ("artifact", "result")
    file = (await client.get(f"/api/file/{artifact['fileId']}")).json()
    assert (file["status"], result["fileId"]) == ("completed", artifact["fileId"])


async def test_the_same_id_is_the_same_message(client: httpx.AsyncClient) -> None:
    chat_id = await begun(client, "hello")
    body = {"text": "/image a fox", "id": str(uuid7())}
    first, second = [await client.post(f"/api/chat/{chat_id}/messages", json=body) for _ in range(2)]
    assert first.json() == second.json()
    other = await client.post(f"/api/chat/{chat_id}/messages", json=body | {"text": "another"})
    assert other.status_code == 409
    await asyncio.sleep(3)
    assert [one["type"] for one in await thread(client, chat_id)].count("artifact") == 1


async def test_conversations_are_listed_paged_and_deleted(client: httpx.AsyncClient) -> None:
    first, second = await begun(client, "hello"), await begun(client, "hi")
    await asyncio.sleep(0.1)
    listed = (await client.get("/api/chats")).json()["items"]
    assert [one["id"] for one in listed] == [second, first]
    (last,) = await thread(client, first, limit=1)
    (before,) = await thread(client, first, limit=1, before=last["seq"])
    assert (before["role"], last["role"]) == ("person", "studio")
    assert (await client.delete(f"/api/chat/{first}")).json() == {"success": True}
    assert (await client.get(f"/api/chat/{first}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"text": ""}, 422, "text"),
        ({"text": "x" * 50_000}, 422, "text"),
        ({"text": "a\u0000b"}, 422, "text"),
        ({}, 422, "text"),
        ({"text": 5}, 422, "text"),
        ({"text": "hello", "id": "no uuid"}, 422, "id"),
        ({"text": "hello", "colour": "red"}, 422, "colour"),
        (["hello"], 400, None),
    ],
)
async def test_what_cannot_be_taken_is_refused(
    client: httpx.AsyncClient, body: Any, status: int, field: str | None
) -> None:
    answer = await client.post("/api/chat", json=body)
    assert (answer.status_code, answer.json()["field"]) == (status, field), answer.text
    assert answer.json()["error"].endswith(".")


async def test_an_unknown_conversation_is_a_404(client: httpx.AsyncClient) -> None:
    for chat_id in (str(uuid7()), "nonsense"):
        for answer in (
            await client.get(f"/api/chat/{chat_id}"),
            await client.delete(f"/api/chat/{chat_id}"),
            await client.post(f"/api/chat/{chat_id}/messages", json={"text": "hello"}),
        ):
            assert answer.status_code == 404
            assert answer.json()["error"] == "Conversation not found."
