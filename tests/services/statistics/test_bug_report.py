"""The bundle for a bug report: planted keys, tokens and links are looked for in every byte of it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.api import Metrics, include
from services.core.model import LOCAL_OWNER, Phase, TraceEntry
from services.core.settings import Settings
from services.statistics.bug_report import SHOWN_SETTINGS
from services.statistics.redaction import Redaction
from tests.services.api.stand_in import client_of, health, parts
from tests.support.library_harness import LibraryHarness

KEY = "p4ssw0rd/äöü&x=1"
PLANTED = (
    "https://cdn.provider.example/result.mp4?X-Amz-Signature=deadbeefcafe",
    "HTTPS://CDN.PROVIDER.EXAMPLE/A.MP4",
    "https:\\/\\/cdn.provider.example\\/escaped.mp4",
    "https%3A%2F%2Fcdn.provider.example%2Fencoded.mp4",
    "wss://user:hunter2@events.provider.example/file.1",
    "s3://bucket-of-provider/key/of/result",
    "cdn.provider.example/no/scheme.mp4?sig=1",
    "//cdn.provider.example/half.mp4",
    "data:video/mp4;base64,AAAAIGZ0eXBpc29t",
    "10.0.0.7:9000/internal",
    "http://[fd00::17]:9000/internal",
    "Authorization: Bearer abcdef.123456",
    '{"api_key": "plain-words-key", "x-api-token": "tok"}',
    "password=hunter2",
    "sk-proj-Zz19aaaa",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_def",
    "AKIAIOSFODNN7EXAMPLE",
    "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
)
NEVER = (
    "provider", "PROVIDER", "deadbeef", "hunter2", "bucket-of", "AAAAIGZ0", "10.0.0.7", "fd00::17",
    "abcdef.123456", "plain-words-key", "Zz19aaaa", "eyJhbGci", "AKIAIOSF", "0f1e2d3c",
)  # fmt: skip


@pytest.fixture
def harness(library_harness: LibraryHarness) -> LibraryHarness:
    library_harness.secrets.append(KEY)
    return library_harness


@pytest_asyncio.fixture
async def client(harness: LibraryHarness, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(docs_url=None, redoc_url=None)
    metrics = Metrics(harness.bus, backends=["animatic"])
    services = parts(
        generations=harness.generations,
        library=harness.library,
        statistics=harness.statistics,
        chats=harness.chats,
        health=health(tmp_path),
        metrics=metrics,
    )
    include(app, services, public_url=None)
    async with client_of(app) as client:
        yield client


@pytest.mark.asyncio
async def test_no_key_token_or_link_is_in_it_wherever_they_were_planted(
    harness: LibraryHarness, client: httpx.AsyncClient
) -> None:
    planted = f"It failed: {' and '.join(PLANTED)}; the key was {KEY}."
    row = await harness.put(prompt=planted, phase=Phase.ERROR, error_text=planted, error_code="failed", job_id="job-77", tags=(KEY,))  # fmt: skip
    entry = TraceEntry(owner="local", generation_id=row.id, seq=1, at=1.0, lane="push", event="lost", data={"reason": planted, KEY: 1})  # fmt: skip
    await harness.store.append_log([entry], [])
    answer = await client.get(f"/api/file/{row.id}/bundle")
    assert answer.status_code == 200
    for trace in (*NEVER, KEY, "p4ssw0rd"):
        assert trace not in answer.text, trace
    report = answer.json()
    assert report["generation"]["job_id"] == "job-77"
    assert "It failed: [link] and [link]" in report["generation"]["error_text"]


@pytest.mark.asyncio
async def test_it_tells_what_a_bug_report_needs(
    harness: LibraryHarness, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    row = await harness.put(
        prompt="a kite over the sea, 16:9, 24 fps", job_id="0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    )
    entry = TraceEntry(
        owner="local", generation_id=row.id, seq=1, at=1.0, lane="poll", event="attempt", data={"n": 1}
    )
    await harness.store.append_log([entry], [])
    answer = await client.get(f"/api/file/{row.id}/bundle")
    assert f"rushes-{row.id}.json" in answer.headers["content-disposition"]
    report = json.loads(answer.text)
    assert report["version"] == "1.2.3"
    assert report["request"]["prompt"] == "a kite over the sea, 16:9, 24 fps"
    assert report["request"]["model"] == "animatic/still"
    assert report["generation"]["id"] == row.id
    assert report["generation"]["job_id"] == row.job_id, "job ids are fine"
    assert report["receipt"]["won_by"] == "push"
    assert row.kept is not None
    assert report["kept"]["sha256"] == row.kept.sha256
    assert report["trace"] == [{"at": 1.0, "lane": "poll", "event": "attempt", "data": {"n": 1}}]
    assert report["settings"]["poll_every_s"] == 10.0
    assert row.kept.name not in answer.text, "a name of a file opens it"
    assert str(tmp_path) not in answer.text


@pytest.mark.asyncio
async def test_one_that_is_not_there_has_none(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/file/no-such/bundle")
    assert (answer.status_code, answer.json()["success"]) == (404, False)


@pytest.mark.parametrize("word", ["secret-", "api key ", "eyJ-", "token=", "[::", "a.b-", "http:", "data:;"])
@pytest.mark.asyncio
async def test_a_prompt_of_one_word_again_and_again_does_not_delay_its_bundle(
    harness: LibraryHarness, word: str
) -> None:
    row = await harness.put(prompt=word * (8_000 // len(word)))
    begun = time.process_time()
    told = await harness.statistics.bundle(row.id, owner=LOCAL_OWNER)
    assert time.process_time() - begun < 0.5
    assert told["generation"]["id"] == row.id


@pytest.mark.asyncio
async def test_settings_are_told_only_where_they_open_nothing(harness: LibraryHarness) -> None:
    settings = Settings(_env_file=None, chat_url="https://x.example", chat_key=KEY)  # type: ignore[call-arg]
    harness.statistics._installation = replace(harness.installation, settings=settings)
    row = await harness.put()
    settings_report = (await harness.statistics.bundle(row.id, owner=LOCAL_OWNER))["settings"]
    assert settings_report["chat_key"] == settings_report["chat_url"] == "set"
    assert settings_report["public_url"] == "default"
    assert {
        name for name, value in settings_report.items() if value not in ("set", "default")
    } <= SHOWN_SETTINGS
    assert KEY not in str(settings_report) and "x.example" not in str(settings_report)


@pytest.mark.parametrize("text", PLANTED)
def test_each_is_found_alone_too(text: str) -> None:
    cleaned = Redaction(secrets=()).redact(text)
    assert not any(trace in cleaned for trace in NEVER), cleaned


@pytest.mark.parametrize(
    "text",
    [
        "The backend has an error (500), again in 2.5 s.",
        "Moderation: the prompt was refused at 10:42:07.",
        "key frames 1/24 and 2/24",
        "and/or",
        "poll_every_s is 10.0, version 1.2.3",
        "Не принято: слишком длинный запрос.",
    ],
)
def test_plain_words_stay(text: str) -> None:
    assert Redaction(secrets=()).redact(text) == text


def test_a_secret_is_found_inside_a_word_and_percent_encoded() -> None:
    redaction = Redaction(secrets=[KEY, ""])
    redacted: Any = redaction.redact_json([f"x{KEY}y", "key=p4ssw0rd%2F%C3%A4%C3%B6%C3%BC%26x%3D1"])
    assert "p4ssw0rd" not in str(redacted)
