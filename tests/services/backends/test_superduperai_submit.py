"""R6: what each answer to the paid request means."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.backends.base import Capabilities
from services.backends.superduperai import SuperDuperAI, adapter
from services.core.errors import BackendError, BackendRefused, BackendUnavailable, InvalidResponse
from services.core.job_results import MAX_RESULTS, jobs_of
from services.core.model import Generation, GenerationSettings, Kind, Phase, Request
from services.http.address import Address
from tests.services.backends.conftest import PLAIN, TOKEN, Canned

WIRE = Path(__file__).parent / "wire" / "superduperai"
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels"
REQUEST = Request(
    kind=Kind.VIDEO,
    prompt="a kite over dunes",
    backend="superduperai",
    model="google-cloud/veo3",
    seed=42,
    settings=GenerationSettings(aspect_ratio="16:9", resolution="720p", duration_s=5.0, fps=24),
)


def a_generation(**changes: Any) -> Generation:
    settings = {name: changes.pop(name) for name in list(changes) if hasattr(REQUEST.settings, name)}
    return Generation(
        id="g1",
        request_id="r1",
        owner="local",
        request=replace(REQUEST, settings=replace(REQUEST.settings, **settings), **changes),
        phase=Phase.SUBMITTING,
        created_at=1.0,
        updated_at=1.0,
        submitted_at=1_795_341_600.0,
    )


@pytest_asyncio.fixture
async def hosted(canned: Canned) -> AsyncIterator[SuperDuperAI]:
    """Neither keyed nor searchable: as the hosted service is."""
    backend = SuperDuperAI(
        name="hosted", address=Address(canned.url, TOKEN), capabilities=Capabilities(), ssl_context=PLAIN
    )
    yield backend
    await backend.close()


@pytest.mark.asyncio
async def test_the_config_is_flat_and_says_only_what_is_set(canned: Canned, backend: SuperDuperAI) -> None:
    canned.says({"id": "f1"})
    assert await backend.submit(a_generation()) == "f1"
    call = canned.calls[0]
    assert (call.method, call.path) == ("POST", "/api/v1/file/generate-video")
    assert call.headers["content-type"] == "application/json"
    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(call.body) == {
        "config": {
            "generation_config_name": "google-cloud/veo3",
            "prompt": "a kite over dunes",
            "seed": 42,
            "duration": 5.0,
            "width": 1280,
            "height": 720,
            "aspect_ratio": "16:9",
            "frame_rate": 24,
        }
    }


@pytest.mark.asyncio
async def test_everything_that_is_set_is_said(canned: Canned, backend: SuperDuperAI) -> None:
    canned.says([{"id": "f1"}])
    said = {"negative_prompt": "blur", "style": "noir", "shot_size": "close_up"}
    await backend.submit(
        a_generation(kind=Kind.IMAGE, duration_s=None, fps=None, aspect_ratio="9:16", **said)
    )
    call = canned.calls[0]
    config = json.loads(call.body)["config"]
    assert call.path == "/api/v1/file/generate-image"
    assert (config["negative_prompt"], config["style_name"], config["shot_size"]) == (
        "blur",
        "noir",
        "close_up",
    )
    assert (config["width"], config["height"]) == (720, 1280)
    assert "duration" not in config and "frame_rate" not in config


@pytest.mark.asyncio
async def test_the_same_request_has_the_same_bytes_and_key_each_time(
    canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says({"id": "f1"})
    for _ in range(2):
        await backend.submit(a_generation())
    first, second = canned.calls
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "g1"


@pytest.mark.asyncio
async def test_a_backend_that_takes_no_key_gets_none(canned: Canned, hosted: SuperDuperAI) -> None:
    canned.says({"id": "f1"})
    await hosted.submit(a_generation())
    assert "idempotency-key" not in canned.calls[0].headers


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "job_id"),
    [
        ({"id": "f1"}, "f1"),
        ([{"id": "f1"}, {"id": "f2"}], "f1"),
        ({"id": 17}, "17"),
        (["x", {"id": "f1"}], "f1"),
    ],
)
async def test_a_list_and_an_object_are_both_taken(
    answer: Any, job_id: str, canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says(answer, status=201)
    assert await backend.submit(a_generation(kind=Kind.IMAGE)) == job_id


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "job_ids"),
    [
        ([{"id": "f1"}, {"id": "f2"}, {"id": "f1"}, {"id": 3}], ("f1", "f2", "3")),
        ({"items": [{"id": "f1"}, {"id": "f2"}]}, ("f1", "f2")),
        ({"files": [{"id": "f1"}, {"note": "no id"}, {"id": ".."}, {"id": "f2"}]}, ("f1", "f2")),
        ([{"id": "t", "type": "text"}, {"id": "f1", "type": "image"}, {"id": "f2"}], ("f1", "f2")),
        ([{"id": "t", "type": "other"}], ("t",)),
        ({"id": "one", "files": [{"id": "f1"}, {"id": "f2"}]}, ("one",)),
        ([{"id": f"f{n}"} for n in range(500)], tuple(f"f{n}" for n in range(MAX_RESULTS))),
    ],
)
async def test_every_file_of_a_list_is_a_job(
    answer: Any, job_ids: tuple[str, ...], canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says(answer)
    assert jobs_of(await backend.submit(a_generation(kind=Kind.IMAGE))) == job_ids


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "body",
    [b'{"id": ', b"", b"<html>", b"null", b"[]", b"{}", b'{"id": null}', b'{"id": ""}', b'{"id": true}', b'{"id": ".."}',
     b'{"id": "' + b"x" * 400 + b'"}', b"[" * 100_000, b'{"x": "' + b"x" * 1_100_000 + b'"}'],
)  # fmt: skip
async def test_taken_but_without_an_id_is_misspoken_and_never_a_failure(
    body: bytes, canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says(body)
    with pytest.raises(InvalidResponse) as misspoke:
        await backend.submit(a_generation())
    assert "kite" not in str(misspoke.value) + misspoke.value.sample


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_backend_did_not_take_it(status: int, canned: Canned, backend: SuperDuperAI) -> None:
    canned.says({"detail": "later"}, status=status, Retry_After="9")
    with pytest.raises(BackendUnavailable) as error:
        await backend.submit(a_generation())
    assert (error.value.not_taken, error.value.retry_after_s) == (True, 9.0)


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [500, 502, 504, 520, 524])
async def test_after_any_other_server_error_nobody_knows(
    status: int, canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says({"detail": "x"}, status=status, Retry_After="9")
    with pytest.raises(BackendUnavailable) as error:
        await backend.submit(a_generation())
    assert (error.value.not_taken, error.value.retry_after_s) == (False, 9.0)


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["close", "half", "hang"])
async def test_after_a_lost_answer_nobody_knows(
    how: str, canned: Canned, backend: SuperDuperAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "SUBMIT_TIMEOUT_S", 0.2)
    canned.fails(how)
    with pytest.raises(BackendUnavailable) as error:
        await backend.submit(a_generation())
    assert error.value.not_taken is False


@pytest.mark.asyncio
async def test_a_redirect_is_neither_yes_nor_no(canned: Canned, backend: SuperDuperAI) -> None:
    canned.says({}, status=307, Location=f"{canned.url}/elsewhere")
    with pytest.raises(InvalidResponse):
        await backend.submit(a_generation())
    assert len(canned.calls) == 1


@pytest.mark.asyncio
async def test_nobody_at_the_address_surely_did_not_take_it(canned: Canned, unused_tcp_port: int) -> None:
    address = Address(f"http://127.0.0.1:{unused_tcp_port}", TOKEN)
    backend = SuperDuperAI(name="x", address=address, capabilities=Capabilities(), ssl_context=PLAIN)
    with pytest.raises(BackendUnavailable) as error:
        await backend.submit(a_generation())
    assert error.value.not_taken is True
    canned.says({"id": "f1"})
    address.move(canned.url, "new")
    assert await backend.submit(a_generation()) == "f1"
    assert canned.calls[0].headers["authorization"] == "Bearer new"
    await backend.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "told", [pytest.param(each, id=each["name"]) for each in json.loads((WIRE / "refusals.json").read_text())]
)
async def test_a_refusal_is_a_sentence_a_person_can_act_on(
    told: dict[str, Any], canned: Canned, hosted: SuperDuperAI
) -> None:
    body = told["body"]
    if isinstance(body, dict) and "repeat" in body:
        body = body["repeat"] * body["times"]
    canned.says(body.encode() if isinstance(body, str) else body, status=told["status"])
    with pytest.raises(BackendRefused) as refused:
        await hosted.submit(a_generation())
    sentence = str(refused.value)
    assert refused.value.code == told["code"]
    assert told["says"] in sentence
    assert len(sentence) < 300 and sentence.isprintable()
    for secret in (TOKEN, "a kite", "http", "<html"):
        assert secret not in sentence


@pytest.mark.asyncio
async def test_a_source_is_uploaded_first_and_referred_to(canned: Canned, backend: SuperDuperAI) -> None:
    canned.says({"id": "up1"})
    canned.says({"id": "f1"})
    assert await backend.submit(a_generation(source="s.png"), source=PNG) == "f1"
    upload, submit = canned.calls
    assert (upload.method, upload.path, upload.query) == ("POST", "/api/v1/file/upload", {"type": ["image"]})
    assert b'name="payload"; filename="source.png"' in upload.body and PNG in upload.body
    assert b"Content-Type: image/png" in upload.body
    assert json.loads(submit.body)["config"]["references"] == [{"type": "source", "reference_id": "up1"}]


@pytest.mark.asyncio
async def test_a_repeated_submit_refers_to_the_same_upload(canned: Canned, backend: SuperDuperAI) -> None:
    canned.says({"id": "up1"})
    canned.says({"detail": "x"}, status=500)
    canned.says({"id": "f1"})
    generation = a_generation(source="s.png")
    with pytest.raises(BackendUnavailable):
        await backend.submit(generation, source=PNG)
    assert await backend.submit(generation, source=PNG) == "f1"
    assert [call.path.rpartition("/")[2] for call in canned.calls] == [
        "upload",
        "generate-video",
        "generate-video",
    ]
    assert canned.calls[1].body == canned.calls[2].body


@pytest.mark.asyncio
@pytest.mark.parametrize("how", [500, 503, "close", "hang", "no id"])
async def test_a_failed_upload_means_that_nothing_was_taken(
    how: Any, canned: Canned, backend: SuperDuperAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "UPLOAD_TIMEOUT_S", 0.2)
    if isinstance(how, int):
        canned.says({"detail": "x"}, status=how)
    elif how == "no id":
        canned.says({})
    else:
        canned.fails(how)
    with pytest.raises(BackendUnavailable) as error:
        await backend.submit(a_generation(source="s.png"), source=PNG)
    assert error.value.not_taken is True
    assert len(canned.calls) == 1


@pytest.mark.asyncio
async def test_an_upload_that_is_refused_is_a_refusal(canned: Canned, backend: SuperDuperAI) -> None:
    canned.says({"detail": "no picture"}, status=422)
    with pytest.raises(BackendRefused, match="no picture"):
        await backend.submit(a_generation(source="s.png"), source=PNG)


@pytest.mark.asyncio
async def test_a_key_that_is_known_with_other_bytes_leads_to_the_job_that_runs(
    canned: Canned, backend: SuperDuperAI
) -> None:
    """After a restart a source is uploaded anew: the body differs, the job was taken all the same."""
    canned.says({"detail": "This Idempotency-Key was used for another request."}, status=409)
    order = {"prompt": REQUEST.prompt, "seed": 42}
    canned.says([{"id": "f9", "video_generation": order}])
    assert await backend.submit(a_generation()) == "f9"


@pytest.mark.asyncio
async def test_the_job_that_took_the_key_is_found_behind_pages_of_any_length(
    canned: Canned, backend: SuperDuperAI
) -> None:
    others = [{"id": f"o{number}", "video_generation": {"prompt": "another"}} for number in range(6)]
    ours = {"id": "f9", "video_generation": {"prompt": REQUEST.prompt, "seed": 42}}
    canned.says({"detail": "used"}, status=409)
    for page in (others[:3], others[3:], [ours], []):
        canned.says(page)
    assert await backend.submit(a_generation()) == "f9"
    assert [call.query.get("offset") for call in canned.calls[1:]] == [None, ["3"], ["6"], ["7"]]


@pytest.mark.asyncio
async def test_a_list_that_knows_no_pages_is_read_twice_only(canned: Canned, backend: SuperDuperAI) -> None:
    canned.says({"detail": "used"}, status=409)
    canned.says([{"id": "f9", "video_generation": {"prompt": REQUEST.prompt, "seed": 42}}])
    assert await backend.submit(a_generation()) == "f9"
    assert len(canned.calls) == 3


@pytest.mark.asyncio
async def test_a_key_that_is_known_but_not_whose_leaves_it_open(
    canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says({"detail": "used"}, status=409)
    canned.says([])
    with pytest.raises(BackendUnavailable) as error:
        await backend.submit(a_generation())
    assert error.value.not_taken is False


@pytest.mark.asyncio
async def test_a_backend_without_an_address_is_asked_nothing(canned: Canned) -> None:
    backend = SuperDuperAI(name="x", address=Address(), capabilities=Capabilities(), ssl_context=PLAIN)
    with pytest.raises(BackendUnavailable) as error:
        await backend.submit(a_generation())
    assert error.value.not_taken is True
    with pytest.raises(BackendError):
        await backend.models()
    assert backend.headers_for(canned.url) == {}
    await backend.close()


@pytest.mark.asyncio
async def test_at_most_thirty_two_requests_are_under_way_at_once(
    canned: Canned, backend: SuperDuperAI
) -> None:
    canned.fails("hang")
    polls = [asyncio.create_task(backend.poll(f"f{number}")) for number in range(40)]
    while len(canned.calls) < 32:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert len(canned.calls) == 32
    for poll in polls:
        poll.cancel()
    await asyncio.gather(*polls, return_exceptions=True)
    canned.answers.clear()
    canned.says({"id": "f1"})
    assert (await backend.poll("f1")).code == "running"


@pytest.mark.asyncio
@pytest.mark.parametrize("before", range(200 - len(TOKEN) - 4, 201, 3))
async def test_no_part_of_the_key_is_left_in_a_refusal(
    canned: Canned, hosted: SuperDuperAI, before: int
) -> None:
    canned.says({"detail": "x" * before + f" {TOKEN} is not valid"}, status=422)
    with pytest.raises(BackendRefused) as refusal:
        await hosted.submit(a_generation())
    assert TOKEN[:4] not in str(refusal.value)
