"""POST /api/generate/...: what is taken, what is refused and in which words."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from services.core.errors import BackendUnavailable, InvalidRequest, NoModels
from services.core.model import Draft, GenerationSettings, Kind
from tests.services.api.stand_in import StandIn

VIDEO = "/api/generate/video"
IMAGE = "/api/generate/image"
JSON_TYPE = {"Content-Type": "application/json"}


@pytest.mark.asyncio
async def test_a_prompt_alone_is_enough(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    answer = await client.post(VIDEO, json={"prompt": "a kite"})
    assert answer.status_code == 202
    (made,) = stand_in.rows.values()
    assert answer.json() == {
        "success": True,
        "fileId": made.id,
        "fileIds": [made.id],
        "requestId": made.request_id,
    }
    assert answer.headers["Location"] == f"/api/file/{made.id}"
    assert stand_in.drafts == [Draft(kind=Kind.VIDEO, prompt="a kite")]


@pytest.mark.asyncio
async def test_every_field_reaches_the_draft(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    body = {
        "prompt": "a kite",
        "model": "animatic/film",
        "duration": 3,
        "aspect_ratio": "9:16",
        "resolution": "480p",
        "fps": 30,
        "seed": 11,
        "negative_prompt": "blur",
        "style": "ink",
        "shot_size": "wide",
        "chat_id": "chat-1",
    }
    assert (await client.post(VIDEO, json=body)).status_code == 202
    assert stand_in.drafts == [
        Draft(
            kind=Kind.VIDEO,
            prompt="a kite",
            model="animatic/film",
            seed=11,
            chat_id="chat-1",
            settings=GenerationSettings(
                duration_s=3.0,
                aspect_ratio="9:16",
                resolution="480p",
                fps=30,
                negative_prompt="blur",
                style="ink",
                shot_size="wide",
            ),
        )
    ]


@pytest.mark.asyncio
async def test_null_means_not_named(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    await client.post(IMAGE, json={"prompt": "a kite", "seed": None, "style": None, "count": None})
    assert stand_in.drafts == [Draft(kind=Kind.IMAGE, prompt="a kite")]


@pytest.mark.asyncio
async def test_four_images_are_four_files_of_one_request(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    answer = (await client.post(IMAGE, json={"prompt": "a kite", "count": 4})).json()
    assert len(set(answer["fileIds"])) == 4
    assert answer["fileId"] == answer["fileIds"][0]
    assert {row.request_id for row in stand_in.rows.values()} == {answer["requestId"]}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({}, "prompt", "prompt is needed."),
        ({"prompt": "   "}, "prompt", "prompt must not be empty."),
        ({"prompt": 5}, "prompt", "prompt must be a text."),
        ({"prompt": "x" * 10_001}, "prompt", "prompt may have at most 10000 characters."),
        ({"prompt": "a", "duration": "5"}, "duration", "duration must be a number."),
        ({"prompt": "a", "duration": True}, "duration", "duration must be a number."),
        ({"prompt": "a", "duration": 0}, "duration", "duration must be more than 0."),
        ({"prompt": "a", "fps": 24.5}, "fps", "fps must be a whole number."),
        ({"prompt": "a", "seed": True}, "seed", "seed must be a whole number."),
        ({"prompt": "a", "seed": -1}, "seed", "seed must be at least 0."),
        ({"prompt": "a", "seed": 2**32}, "seed", "seed must be at most 4294967295."),
        ({"prompt": "a", "promt": "b"}, "promt", "There is no field promt here."),
        ({"prompt": "a", "count": 2}, "count", "There is no field count here."),
        ({"prompt": "a\0b"}, "prompt", "prompt holds characters that are no text."),
        ({"prompt": "a\ud800"}, "prompt", "prompt holds characters that are no text."),
        ({"prompt": "a", "\ud800": 1}, None, "The body holds characters that are no text."),
        ({"prompt": "a", "\u202ex": 1}, "\\u202ex", "There is no field \\u202ex here."),
        ({"prompt": "a", "resolution": "8k"}, "resolution", "resolution must be 480p or 720p."),
    ],
)
async def test_what_is_not_possible_is_named_in_one_sentence(
    client: httpx.AsyncClient, stand_in: StandIn, body: dict[str, Any], field: str | None, sentence: str
) -> None:
    answer = await client.post(VIDEO, content=json.dumps(body), headers=JSON_TYPE)
    assert answer.status_code == 422
    assert answer.json() == {"success": False, "error": sentence, "field": field}
    assert not stand_in.rows


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b"{",
        b"[]",
        b'["prompt"]',
        b'"prompt"',
        b"null",
        b'{"prompt": "a", "duration": NaN}',
        b'{"prompt": "a", "duration": -Infinity}',
        b'{"prompt": "a", "duration": 1e999}',
        b'{"prompt": "a", "seed": ' + b"9" * 5000 + b"}",
        b'{"prompt": "a", "prompt": "b"}',
        b'{"prompt": "\xff"}',
        '{"prompt": "a"}'.encode("utf-16"),
        b'{"prompt": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"prompt": "a", "x": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}",
    ],
)
async def test_what_cannot_be_read_is_a_400(
    client: httpx.AsyncClient, stand_in: StandIn, content: bytes
) -> None:
    answer = await client.post(VIDEO, content=content, headers=JSON_TYPE)
    assert answer.status_code == 400
    assert answer.json()["success"] is False
    assert answer.json()["error"].endswith(".")
    assert not stand_in.rows


@pytest.mark.asyncio
async def test_brackets_inside_a_prompt_are_not_depth(client: httpx.AsyncClient) -> None:
    prompt = '[{"\\' * 100
    assert (await client.post(VIDEO, json={"prompt": prompt})).status_code == 202


@pytest.mark.asyncio
async def test_a_byte_order_mark_does_no_harm(client: httpx.AsyncClient) -> None:
    content = '{"prompt": "a"}'.encode("utf-8-sig")
    assert (await client.post(VIDEO, content=content, headers=JSON_TYPE)).status_code == 202


@pytest.mark.asyncio
async def test_a_body_above_one_megabyte_is_a_413_before_all_of_it_came(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 50_000_000:
            sent += 65_536
            yield b" " * 65_536

    answer = await client.post(VIDEO, content=endless(), headers=JSON_TYPE)
    assert answer.status_code == 413
    assert sent < 2_000_000
    announced = await client.post(VIDEO, content=b" " * (1024**2 + 1), headers=JSON_TYPE)
    assert announced.status_code == 413


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"],
)
async def test_another_content_type_is_a_415(client: httpx.AsyncClient, content_type: str) -> None:
    answer = await client.post(VIDEO, content=b'{"prompt": "a"}', headers={"Content-Type": content_type})
    assert answer.status_code == 415
    assert answer.json()["success"] is False


@pytest.mark.asyncio
async def test_the_same_key_and_wish_answer_the_same_however_they_are_spelled(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    headers = {"Idempotency-Key": "k-1", **JSON_TYPE}
    first = await client.post(VIDEO, content=b'{"prompt":"a","duration":5}', headers=headers)
    again = await client.post(
        VIDEO, content=b'{ "duration": 5.0, "seed": null, "prompt": "\\u0061" }', headers=headers
    )
    assert first.json() == again.json()
    assert len(stand_in.rows) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(("path", "prompt"), [(VIDEO, "b"), (IMAGE, "a")])
async def test_the_same_key_with_another_wish_is_a_409(
    client: httpx.AsyncClient, path: str, prompt: str
) -> None:
    headers = {"Idempotency-Key": "k-1"}
    await client.post(VIDEO, json={"prompt": "a"}, headers=headers)
    answer = await client.post(path, json={"prompt": prompt}, headers=headers)
    assert answer.status_code == 409
    assert answer.json()["success"] is False


@pytest.mark.asyncio
@pytest.mark.parametrize("key", [" ", "x" * 256, "é"])
async def test_a_key_that_is_none_is_refused(client: httpx.AsyncClient, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    answer = await client.post(VIDEO, json={"prompt": "a"}, headers=headers)
    assert (answer.status_code, answer.json()["field"]) == (400, "Idempotency-Key")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("error", "status", "field"),
    [
        (NoModels("No list of models could be had yet; try again in a moment."), 503, None),
        (InvalidRequest("duration must be 5.", field="duration_s"), 422, "duration"),
        (BackendUnavailable("It is busy.", backend="animatic", retry_after_s=7.2), 503, None),
    ],
)
async def test_what_the_engine_refuses_keeps_its_sentence(
    client: httpx.AsyncClient, stand_in: StandIn, error: Exception, status: int, field: str | None
) -> None:
    stand_in.refuse = error
    answer = await client.post(VIDEO, json={"prompt": "a"})
    assert answer.status_code == status
    assert answer.json() == {"success": False, "error": str(error), "field": field}
    assert answer.headers.get("Retry-After") == ("7" if isinstance(error, BackendUnavailable) else None)
