"""A generation asked for by a form, with a picture."""

from __future__ import annotations

import httpx
import pytest

from services.core.model import Draft, GenerationSettings, Kind
from tests.services.api.stand_in import StandIn

VIDEO = "/api/generate/video"
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


@pytest.mark.asyncio
async def test_a_form_brings_a_picture_and_numbers_as_text(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    fields = {"prompt": "a kite", "duration": "3.5", "seed": "11", "style": ""}
    answer = await client.post(VIDEO, data=fields, files={"file": ("a.png", PNG, "image/png")})
    assert answer.status_code == 202
    assert stand_in.sources == [PNG]
    assert stand_in.drafts == [
        Draft(
            kind=Kind.VIDEO,
            prompt="a kite",
            seed=11,
            source="source-1.png",
            settings=GenerationSettings(duration_s=3.5),
        )
    ]


@pytest.mark.asyncio
async def test_the_same_key_with_another_picture_is_a_409(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k-1"}
    for picture, status in ((PNG, 202), (PNG, 202), (PNG + b"!", 409)):
        answer = await client.post(VIDEO, data={"prompt": "a"}, files={"file": picture}, headers=headers)
        assert answer.status_code == status


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fields", "files", "status", "field"),
    [
        ({"prompt": "a"}, {"picture": PNG}, 422, "file"),
        ({"prompt": "a", "seed": "1e3"}, {"file": PNG}, 422, "seed"),
        ({"prompt": "a", "seed": "seven"}, {"file": PNG}, 422, "seed"),
        ({"prompt": "a", "duration": "nan"}, {"file": PNG}, 422, "duration"),
        ({"prompt": "a", "duration": "1e999"}, {"file": PNG}, 422, "duration"),
        ({"prompt": "a", "other": "1"}, {"file": PNG}, 422, "other"),
        ({"prompt": ""}, {"file": PNG}, 422, "prompt"),
        ({"prompt": "a"}, {"file": b"no picture"}, 422, "file"),
    ],
)
async def test_a_form_is_checked_as_json_is(
    client: httpx.AsyncClient,
    stand_in: StandIn,
    fields: dict[str, str],
    files: dict[str, bytes],
    status: int,
    field: str,
) -> None:
    answer = await client.post(VIDEO, data=fields, files=files)
    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert not stand_in.rows


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"--b\r\n",
        b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na',
        b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\x89PNG half a pic',
        b"--b\r\nContent-Disposition: form-data\r\n\r\na\r\n--b--\r\n",
    ],
)
async def test_half_a_form_starts_nothing(
    client: httpx.AsyncClient, stand_in: StandIn, content: bytes
) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await client.post(VIDEO, content=content, headers=headers)
    assert answer.status_code == 400
    assert not stand_in.rows


@pytest.mark.asyncio
async def test_a_form_without_a_boundary_is_a_400(client: httpx.AsyncClient) -> None:
    answer = await client.post(VIDEO, content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 400


@pytest.mark.asyncio
async def test_a_picture_above_fifty_megabytes_is_a_413(
    client: httpx.AsyncClient, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.api.request_body.MAX_SOURCE_BYTES", 100_000)
    for size in (100_001, 1_000_000):
        picture = PNG + b"0" * (size - len(PNG))
        answer = await client.post(VIDEO, data={"prompt": "a"}, files={"file": picture})
        assert answer.status_code == 413
    exact = PNG + b"0" * (100_000 - len(PNG))
    assert (await client.post(VIDEO, data={"prompt": "a"}, files={"file": exact})).status_code == 202
    assert len(stand_in.rows) == 1
