"""/docs and /openapi.json, from this install alone."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from fastapi import FastAPI

from services.api import include
from tests.services.api.stand_in import StandIn, parts


@pytest.mark.asyncio
async def test_the_docs_load_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert set(loaded) == {"/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "data:,"}
    assert "http" not in page.replace("http_", "")
    for path in loaded[:-1]:
        assert path == "data:," or (await client.get(path)).status_code == 200


@pytest.mark.asyncio
async def test_the_script_has_a_scripts_type(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs/swagger-ui-bundle.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert len(answer.content) > 1_000_000


@pytest.mark.asyncio
async def test_all_routes_are_documented(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {(path, method) for path, methods in paths.items() for method in methods} == {
        ("/api/generate/video", "post"),
        ("/api/generate/image", "post"),
        ("/api/files", "get"),
        ("/api/file/{file_id}", "get"),
        ("/api/file/{file_id}", "delete"),
        ("/api/file/{file_id}/trace", "get"),
        ("/api/drill", "post"),
        ("/api/drill", "get"),
        ("/api/doctor", "get"),
        ("/api/doctor/stream", "get"),
        ("/api/doctor/bytes", "get"),
        ("/api/file/{file_id}/bundle", "get"),
        ("/api/file/{file_id}/check", "post"),
        ("/api/file/{file_id}/stop", "post"),
        ("/api/file/{file_id}/keep", "post"),
        ("/api/file/{file_id}/retry", "post"),
        ("/api/file/{file_id}/submit-again", "post"),
        ("/api/file/{file_id}/star", "put"),
        ("/api/file/{file_id}/star", "delete"),
        ("/api/file/{file_id}/tags/{tag}", "put"),
        ("/api/file/{file_id}/tags/{tag}", "delete"),
        ("/api/file/{file_id}/restore", "post"),
        ("/api/files/zip", "post"),
        ("/api/trash", "delete"),
        ("/api/settings-in-file", "post"),
        ("/api/events/file.{file_id}", "get"),
        ("/api/chats", "get"),
        ("/api/chat", "post"),
        ("/api/chat/{chat_id}", "get"),
        ("/api/chat/{chat_id}", "delete"),
        ("/api/chat/{chat_id}/messages", "post"),
        ("/api/source", "post"),
        ("/api/file/{file_id}/source", "post"),
        ("/media/source/{folder}/{name}", "get"),
        ("/media/{file_id}/file", "get"),
        ("/media/{file_id}/download", "get"),
        ("/media/{file_id}/poster", "get"),
        ("/media/{file_id}/preview", "get"),
        ("/alive", "get"),
        ("/health", "get"),
        ("/metrics", "get"),
    }


@pytest.mark.asyncio
async def test_the_body_is_described_though_it_is_read_by_hand(client: httpx.AsyncClient) -> None:
    image = (await client.get("/openapi.json")).json()["paths"]["/api/generate/image"]["post"]
    described = image["requestBody"]["content"]
    assert described["application/json"]["schema"]["required"] == ["prompt"]
    assert "count" in described["application/json"]["schema"]["properties"]
    assert described["multipart/form-data"]["schema"]["properties"]["file"]["format"] == "binary"
    assert [each["name"] for each in image["parameters"]] == ["Idempotency-Key"]


@pytest.mark.asyncio
async def test_limits_are_described_in_words_that_generators_know(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    parameters = document["paths"]["/api/files"]["get"]["parameters"]
    limit = next(each["schema"] for each in parameters if each["name"] == "limit")
    assert (limit["type"], limit["minimum"], limit["maximum"], limit["default"]) == ("integer", 1, 200, 50)
    assert not re.findall(r'"(?:ge|le|gt|lt)":', json.dumps(document))


def test_an_app_with_pages_from_a_cdn_is_refused(stand_in: StandIn) -> None:
    with pytest.raises(ValueError, match="docs_url=None"):
        include(FastAPI(), parts(), public_url=None)
