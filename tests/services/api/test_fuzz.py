"""Whatever comes: a 202 or a 4xx in JSON with a sentence, and never a traceback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from services.api.request_body import MAX_DEPTH, BadRequest, parse_json
from tests.services.api.stand_in import StandIn, client_of

FIELDS = ["prompt", "model", "duration", "aspect_ratio", "resolution", "fps", "seed", "style", "count"]
TEXT = some.text(some.characters(), max_size=20)
LEAVES = some.none() | some.booleans() | some.integers() | some.floats() | TEXT
VALUES = some.recursive(
    LEAVES,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
BODIES = some.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, VALUES)) | some.dictionaries(TEXT, VALUES)
PATHS = some.sampled_from(["/api/generate/video", "/api/generate/image"])
quickly = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class FuzzClient:
    def __init__(self, app: FastAPI, runner: asyncio.Runner) -> None:
        self._client = client_of(app)  # an exception in the app is raised here
        self._runner = runner

    def post(self, path: str, content: bytes, content_type: str) -> httpx.Response:
        headers = {"Content-Type": content_type}
        return self._runner.run(self._client.post(path, content=content, headers=headers))


@pytest.fixture
def fuzz_client(app: FastAPI) -> Iterator[FuzzClient]:
    with asyncio.Runner() as runner:
        yield FuzzClient(app, runner)


def assert_is_plain(answer: httpx.Response) -> None:
    body: dict[str, Any] = answer.json()
    if answer.status_code == 202:
        assert body["success"] is True
        return
    assert 400 <= answer.status_code < 500
    assert body["success"] is False
    assert body["error"].endswith(".")
    assert set(body) == {"success", "error", "field"}


@quickly
@given(path=PATHS, body=BODIES | VALUES)
def test_any_json_is_taken_or_refused_plainly(fuzz_client: FuzzClient, path: str, body: Any) -> None:
    assert_is_plain(fuzz_client.post(path, json.dumps(body).encode(), "application/json"))


@quickly
@given(path=PATHS, content=some.binary(max_size=200) | some.text(max_size=60).map(str.encode))
def test_any_bytes_are_refused_plainly(
    fuzz_client: FuzzClient, stand_in: StandIn, path: str, content: bytes
) -> None:
    assert_is_plain(fuzz_client.post(path, content, "application/json"))


@quickly
@given(
    path=PATHS,
    parts=some.lists(
        some.sampled_from([b"--b", b"--b--", b"\r\n", b"\n", b"\r\n\r\n", b"\x89PNG", b"prompt", b"\xff"])
        | some.sampled_from([b'Content-Disposition: form-data; name="prompt"', b"Content-Type: a/b"])
        | some.sampled_from([b'Content-Disposition: form-data; name="file"; filename="a"'])
        | some.binary(max_size=6),
        max_size=16,
    ),
    boundary=some.sampled_from(
        ["; boundary=b", "", "; boundary=", "; boundary=" + "x" * 300, "; charset=utf-7"]
    ),
)
def test_any_form_is_taken_or_refused_plainly(
    fuzz_client: FuzzClient, path: str, parts: list[bytes], boundary: str
) -> None:
    assert_is_plain(fuzz_client.post(path, b"".join(parts), f"multipart/form-data{boundary}"))


@settings(max_examples=100, deadline=None)
@given(some.dictionaries(some.text(max_size=8), VALUES, max_size=4))
def test_what_is_read_is_what_was_written(value: dict[str, Any]) -> None:
    raw = json.dumps(value, allow_nan=True).encode()
    try:
        assert parse_json(raw) == value
    except BadRequest:
        assert b"NaN" in raw or b"Infinity" in raw


@given(some.integers(1, 60), some.sampled_from(["[", '{"a":']))
def test_depth_is_bounded_exactly(depth: int, opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    raw = ('{"x":' + opening * (depth - 1) + "1" + closing * (depth - 1) + "}").encode()
    if depth <= MAX_DEPTH:
        assert parse_json(raw)
    else:
        with pytest.raises(BadRequest, match="levels deep"):
            parse_json(raw)
