"""Search, cancel, models, streams, and whom the key is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.backends.base import Capabilities, can_cancel_jobs
from services.backends.superduperai import SuperDuperAI
from services.core.errors import (
    BackendError,
    BackendRefused,
    BackendUnavailable,
    CannotStart,
    ChannelLost,
    InvalidResponse,
)
from services.core.model import Kind, Model, Phase
from services.generations.job_matching import Clock, own_jobs
from services.http.address import Address
from tests.services.backends.conftest import PLAIN, TOKEN, Canned
from tests.support.fault_server import WireServer
from tests.support.rows import a_generation, a_request

WIRE = Path(__file__).parent / "wire" / "superduperai"
SUBMITTED_AT = 1_795_341_600.0  # 2026-11-22T10:00:00Z
GENERATION = a_generation(
    id="g1",
    at=SUBMITTED_AT,
    request=a_request(model="m", aspect_ratio="1:1", seed=42, duration_s=None),
    phase=Phase.UNCONFIRMED,
    submitted_at=SUBMITTED_AT,
    possibly_accepted_since=SUBMITTED_AT,
)


def a_file(job_id: str, *, at: str | None = "2026-11-22T10:00:01Z", **order: Any) -> dict[str, Any]:
    generation = {"prompt": "a kite", "seed": 42} | order
    return {"id": job_id, "created_at": at, "video_generation": generation}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("file", "found"),
    [
        (a_file("f1"), True),
        (a_file("f1", at=None), True),
        (a_file("f1", at="2026-11-22T09:56:00+00:00"), True),
        (a_file("f1", at="2026-11-22T09:54:00Z"), False),
        (a_file("f1", at="2026-11-22T10:56:00+01:00"), True),
        (a_file("f1", at="2026-11-22T10:20:00Z"), False),
        (a_file("f1", aspect_ratio="1:1", width=352, height=360), True),
        (a_file("f1", aspect_ratio="16:9"), False),
        (a_file("f1", width=720, height=720), False),
        (a_file("f1", negative_prompt="people"), False),
        (a_file("f1", prompt="a kite "), False),
        (a_file("f1", seed=43), False),
        (a_file("f1", seed=None), False),
        (a_file("f1", generation_config_name="m"), True),
        (a_file("f1", generation_config_name="other"), False),
        ({"id": "f1"}, False),
        ({"id": "f1", "image_generation": {"prompt": "a kite", "seed": 42}}, False),
        (a_file(""), False),
    ],
)
async def test_a_lost_one_is_found_in_the_list_by_all_that_it_tells_and_no_other_is(
    file: dict[str, Any], found: bool, canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says([a_file("other", prompt="another"), file, "nonsense"])
    page = await backend.listed(Kind.VIDEO)
    own = own_jobs(
        [GENERATION], page.jobs, Clock(), now=SUBMITTED_AT + 60, idempotent=False, known_since=float("-inf")
    )
    assert own == ({"g1": "f1"} if found else {})
    assert (len(page.item_ids), page.more) == (2, None)
    assert canned.calls[0].query == {
        "types": ["video"],
        "order_by": ["created_at"],
        "order": ["descendent"],
        "limit": ["50"],
    }


@pytest.mark.asyncio
async def test_a_list_is_read_page_by_page_with_the_time_it_was_told_at(
    canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says([a_file(f"f{number}") for number in range(50)], Date="Sun, 22 Nov 2026 10:00:00 GMT")
    canned.says({"items": [a_file("f50"), {"id": "an upload"}]})
    first, last = await backend.listed(Kind.VIDEO), await backend.listed(Kind.VIDEO, skip=50)
    assert (len(first.jobs), first.more, first.backend_time) == (50, True, SUBMITTED_AT)
    assert ([job.job_id for job in last.jobs], last.item_ids, last.more) == (
        ["f50"],
        ("f50", "an upload"),
        False,
    )
    assert [call.query.get("offset") for call in canned.calls] == [None, ["50"]]


@pytest.mark.asyncio
async def test_a_cancel_deletes_the_file_where_that_is_a_cancel(
    canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says({"deleted": True})
    await backend.cancel("f1")
    assert (canned.calls[0].method, canned.calls[0].path) == ("DELETE", "/api/v1/file/f1")


@pytest.mark.asyncio
async def test_a_backend_that_cannot_cancel_is_not_asked_to(canned: Canned) -> None:
    backend = SuperDuperAI(
        name="x", address=Address(canned.url, TOKEN), capabilities=Capabilities(), ssl_context=PLAIN
    )
    assert not can_cancel_jobs(backend)
    await backend.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(("status", "raises"), [(404, False), (410, False), (500, True), (401, True)])
async def test_a_job_that_is_gone_is_cancelled_well_enough(
    status: int, raises: bool, canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says({"detail": "x"}, status=status)
    if raises:
        with pytest.raises(BackendUnavailable):
            await backend.cancel("f1")
    else:
        await backend.cancel("f1")


@pytest.mark.asyncio
async def test_the_hosted_list_names_what_makes_video_or_images(
    canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says((WIRE / "generation_configs.json").read_bytes())
    models = await backend.models()
    assert [(model.name, model.kind, model.needs_source) for model in models] == [
        ("google-cloud/veo3", Kind.VIDEO, False),
        ("comfyui/ltx", Kind.VIDEO, True),
        ("azure-openai/sora", Kind.VIDEO, False),
        ("comfyui/flux", Kind.IMAGE, False),
        ("azure-openai/gpt-image-1-edit", Kind.IMAGE, True),
    ]
    veo, _, sora, flux, _ = models
    assert (veo.label, veo.durations_s, veo.any_duration, veo.price_per_second) == (
        "Veo 3",
        (5.0, 8.0),
        False,
        0.5,
    )
    assert (sora.label, sora.durations_s, sora.price_per_second) == ("azure-openai/sora", (), None)
    assert (flux.durations_s, flux.fps) == ((), ())


@pytest.mark.asyncio
async def test_the_animatic_list_carries_its_ranges_and_defaults(
    canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says((WIRE / "animatic_configs.json").read_bytes())
    film, still = await backend.models()
    assert film == Model(
        backend="superduperai",
        name="animatic/film",
        label="Animatic film",
        kind=Kind.VIDEO,
        durations_s=(1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20),
        any_duration=True,
        aspect_ratios=("16:9", "9:16", "1:1", "4:3"),
        resolutions=("360p", "480p", "540p", "720p"),
        fps=(12, 15, 24, 25, 30),
        default_duration_s=5.0,
        default_resolution="720p",
        default_fps=24,
        price_per_second=0.0,
    )
    assert still.aspect_ratios[0] == "1:1"
    assert (still.needs_source, still.price_per_second, still.default_resolution) == (True, 0.0, "720p")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"available_durations": [5, 10], "any_duration": True}, ((5.0, 10.0), True)),
        ({"available_durations": [5], "any_duration": True}, ((5.0,), False)),
        ({"min_duration": 2, "max_duration": 8}, ((2.0, 8.0), True)),
        ({"min_duration": 8, "max_duration": 2}, ((), False)),
        ({"available_durations": [5, "8", None, True, -1, 0, 5.0]}, ((5.0,), False)),
        ({"available_durations": "5,8"}, ((), False)),
        ([], ((), False)),
    ],
)
async def test_odd_lengths_are_read_as_far_as_they_go(
    params: Any, said: Any, canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says([{"name": "m", "type": "text_to_video", "params": params}])
    (model,) = await backend.models()
    assert (model.durations_s, model.any_duration) == said


@pytest.mark.asyncio
async def test_a_name_that_is_listed_twice_is_one_model(canned: Canned, backend: SuperDuperAI) -> None:
    offer = {"name": "m", "type": "text_to_video", "label": "first"}
    canned.says([offer, offer | {"label": "second"}, offer | {"type": "text_to_image"}])
    assert [(model.kind, model.label) for model in await backend.models()] == [
        ("video", "first"),
        ("image", "first"),
    ]


def offers(first: int, last: int) -> list[dict[str, Any]]:
    return [{"name": f"m{number}", "type": "text_to_video"} for number in range(first, last)]


@pytest.mark.asyncio
@pytest.mark.parametrize("page_size", [100, 20, 7])
async def test_a_model_list_is_read_whole_however_small_its_pages_are(
    page_size: int, canned: Canned, backend: SuperDuperAI
) -> None:
    for first in range(0, 230, page_size):
        canned.says({"items": offers(first, min(first + page_size, 230))})
    canned.says({"items": []})
    assert [model.name for model in await backend.models()] == [f"m{number}" for number in range(230)]
    assert [call.query.get("offset", ["0"]) for call in canned.calls[:3]] == [
        ["0"],
        [str(page_size)],
        [str(2 * page_size)],
    ]


@pytest.mark.asyncio
async def test_a_service_without_pages_is_asked_once_more_and_believed(
    canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says(offers(0, 130))
    assert len(await backend.models()) == 130
    assert len(canned.calls) == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [400, 404, 422, 500])
@pytest.mark.parametrize(("length", "whole"), [(99, True), (100, False)])
async def test_a_second_page_that_is_refused_fails_the_list_only_where_there_is_more(
    status: int, length: int, whole: bool, canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says(offers(0, length))
    canned.says({"detail": "no"}, status=status)
    if whole:
        assert len(await backend.models()) == length
    else:
        with pytest.raises(BackendError):
            await backend.models()


@pytest.mark.asyncio
async def test_a_model_list_without_an_end_ends(canned: Canned, backend: SuperDuperAI) -> None:
    for first in range(0, 8000, 1000):
        canned.says(offers(first, first + 1000))
    assert len(await backend.models()) == 5000


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"{}", BackendRefused),
        (403, b"{}", BackendRefused),
        (404, b"{}", BackendUnavailable),
        (500, b"{}", BackendUnavailable),
        (503, b"{}", BackendUnavailable),
        (200, b"<html>", InvalidResponse),
        (200, b'{"items": 7}', InvalidResponse),
        (200, b"{}", InvalidResponse),
        (200, b"[" * 100_000, InvalidResponse),
    ],
)
async def test_a_list_that_cannot_be_had_is_a_backend_error(
    status: int, body: bytes, error: type[Exception], canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says(body, status=status)
    with pytest.raises(error):
        await backend.models()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://b.example.net/files/a.mp4", True),
        ("https://b.example.net:443/files/a.mp4", True),
        ("HTTPS://B.example.net/x", True),
        ("http://b.example.net/x", False),
        ("https://b.example.net:444/x", False),
        ("https://b.example.net.evil.net/x", False),
        ("https://b.example.net@evil.net/x", False),
        ("//b.example.net/x", False),
        ("http://[", False),
        ("", False),
    ],
)
async def test_the_key_is_shown_to_the_backends_own_origin_only(url: str, shown: bool) -> None:
    address = Address("https://b.example.net/base/", TOKEN)
    backend = SuperDuperAI(name="x", address=address, capabilities=Capabilities(), ssl_context=PLAIN)
    assert backend.headers_for(url) == ({"Authorization": f"Bearer {TOKEN}"} if shown else {})
    await backend.close()


@pytest.mark.parametrize("url", ["ftp://x.net", "x.net", "http://", "http://[", "file:///etc/passwd"])
def test_an_address_that_cannot_be_one_is_refused_at_once(url: str) -> None:
    with pytest.raises(CannotStart):
        Address(url, TOKEN)


@pytest.mark.parametrize("token", ["line\nbreak", "schlüssel", "nul\0"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_named(token: str) -> None:
    with pytest.raises(CannotStart) as error:
        Address("https://x.net", token)
    assert token not in str(error.value)


@pytest.fixture
def wire() -> Iterator[WireServer]:
    with WireServer() as wire:
        yield wire


@pytest.mark.asyncio
async def test_a_job_is_lived_through_over_a_true_stream(wire: WireServer) -> None:
    backend = SuperDuperAI(
        name="x",
        address=Address(wire.url, wire.token),
        capabilities=Capabilities(idempotent=True),
        ssl_context=PLAIN,
    )
    wire.script(length_s=0.4, progress_every_s=0.1, reports_finish=True)
    job_id = await backend.submit(GENERATION)
    codes = []
    async with backend.updates(job_id, silence_s=5) as updates:
        async for update in updates:
            codes.append(update.code)
            if update.outcome:
                break
    assert codes[0] == "running" and codes[-1] == "result" and "progress" in codes
    update = await backend.poll(job_id)
    assert update.outcome is not None
    assert update.outcome.finished_at == pytest.approx(wire.stats()["jobs"][job_id]["finished_at"], abs=0.01)  # type: ignore[union-attr]
    await backend.close()


@pytest.mark.asyncio
async def test_a_stream_is_opened_with_the_key_and_refused_without(wire: WireServer) -> None:
    address = Address(wire.url, wire.token)
    backend = SuperDuperAI(name="x", address=address, capabilities=Capabilities(), ssl_context=PLAIN)
    wire.script(length_s=60)
    job_id = await backend.submit(GENERATION)
    address.move(wire.url, "wrong")
    with pytest.raises(ChannelLost) as lost:
        async with backend.updates(job_id, silence_s=5):
            pass
    assert lost.value.reason == "unauthorized"
    address.url = ""
    with pytest.raises(ChannelLost):
        async with backend.updates(job_id, silence_s=5):
            pass
    await backend.close()


def test_the_recorded_answers_hold_no_real_looking_key() -> None:
    for path in WIRE.glob("*.json"):
        assert "Bearer" not in path.read_text() and json.loads(path.read_text())
