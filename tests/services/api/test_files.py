"""/api/file and /api/files: the file object, the list, the acts."""

from __future__ import annotations

import httpx
import pytest

from services.core.model import Draft, Generation, Kind, Phase, TraceEntry
from tests.services.api.stand_in import BORN_AT, StandIn, application, client_of, generation, kept


@pytest.mark.asyncio
async def test_a_fresh_one_has_no_address_yet(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.commit(generation())
    assert (await client.get("/api/file/gen-0")).json() == {
        "id": "gen-0",
        "type": "video",
        "status": "pending",
        "phase": "pending",
        "progress": None,
        "message": "Waiting to be sent.",
        "queued": False,
        "queue_position": None,
        "url": None,
        "thumbnail_url": None,
        "created_at": "2026-09-21T14:13:20.000Z",
        "started_at": None,
        "tasks": [{"id": "gen-0", "type": "video-generation-flow", "status": "in_progress"}],
        "video_generation": {
            "prompt": "A red kite, over the sea!",
            "backend": "animatic",
            "model": "animatic/film",
            "duration": 5.0,
            "aspect_ratio": "16:9",
            "resolution": "720p",
            "width": 1280,
            "height": 720,
            "fps": 24,
            "seed": 7,
            "negative_prompt": "",
            "style": "",
            "shot_size": "",
            "chat_id": None,
            "has_source": False,
        },
        "image_generation": None,
        "error": None,
        "receipt": None,
        "starred": False,
        "tags": [],
        "trashed": False,
        "unwanted": False,
        "problem": None,
    }


@pytest.mark.asyncio
async def test_a_kept_one_has_its_address_its_poster_and_its_receipt(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stand_in.commit(generation())
    stand_in.finish("gen-0", poster="p.webp")
    answer = (await client.get("/api/file/gen-0")).json()
    assert (answer["status"], answer["progress"], answer["error"]) == ("completed", 100, None)
    assert answer["url"] == "http://localhost:8080/media/gen-0/file"
    assert answer["thumbnail_url"] == "http://localhost:8080/media/gen-0/poster"
    assert answer["tasks"][0]["status"] == "completed"
    assert answer["receipt"] == {
        "won_by": "push",
        "backend_finished_at": "2026-09-21T14:13:23.900Z",
        "backend_said_at": "2026-09-21T14:13:24.000Z",
        "kept_at": "2026-09-21T14:13:24.250Z",
        "shown_at": "2026-09-21T14:13:24.500Z",
        "attempts": 2,
        "other_said": "running",
        "other_said_at": "2026-09-21T14:13:22.000Z",
        "other_due_at": "2026-09-21T14:13:32.000Z",
        "late_s": None,
        "said_after_s": 4.0,
        "kept_after_s": 4.25,
        "delivery_s": 0.35,
        "shown_after_s": 0.25,
    }


@pytest.mark.asyncio
async def test_the_public_address_stands_before_the_requests_own(stand_in: StandIn) -> None:
    stand_in.settings = stand_in.settings.model_copy(update={"public_url": "https://rushes.example/"})
    app, _ = application(stand_in, stand_in.media(""))
    stand_in.commit(generation())
    stand_in.finish("gen-0")
    async with client_of(app) as client:
        answer = (await client.get("/api/file/gen-0")).json()
    assert answer["url"] == "https://rushes.example/media/gen-0/file"


@pytest.mark.asyncio
async def test_bytes_that_are_not_kept_yet_have_no_address(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stand_in.commit(generation(phase=Phase.COLLECTING, progress=1.0, kept=kept("early.mp4", 4)))
    answer = (await client.get("/api/file/gen-0")).json()
    assert (answer["status"], answer["phase"], answer["url"]) == ("processing", "collecting", None)
    assert answer["message"] == "The video is ready and is being fetched."
    assert answer["progress"] == 99, "100 is reserved for kept bytes"


@pytest.mark.asyncio
async def test_a_queued_one_says_its_place_and_when_its_work_began(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING, stage="queued:3"))
    answer = (await client.get("/api/file/gen-0")).json()
    assert (answer["queued"], answer["queue_position"], answer["started_at"]) == (True, 3, None)
    stand_in.change("gen-0", stage="", started_at=BORN_AT + 60)
    answer = (await client.get("/api/file/gen-0")).json()
    assert (answer["queued"], answer["queue_position"]) == (False, None)
    assert answer["started_at"] > answer["created_at"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("row", "status", "message"),
    [
        (generation(phase=Phase.PROCESSING, stage="queued"), "processing", "Queued at the backend."),
        (
            generation(phase=Phase.PROCESSING, stage="queued:1"),
            "processing",
            "Queued, next in line.",
        ),
        (
            generation(phase=Phase.PROCESSING, stage="queued:22"),
            "processing",
            "Queued, 22nd in line.",
        ),
        (generation(phase=Phase.PROCESSING, stage="new-word"), "processing", "The video is being made."),
        (
            generation(phase=Phase.PROCESSING, late_since=BORN_AT + 180),
            "processing",
            "Taking longer than 3 minutes. You can leave, it will arrive here.",
        ),
        (
            generation(phase=Phase.PROCESSING, late_since=BORN_AT + 1, late_after_s=1.0),
            "processing",
            "Taking longer than 1 second. You can leave, it will arrive here.",
        ),
        (
            generation(phase=Phase.UNCONFIRMED),
            "pending",
            "Nobody knows whether the backend took it: check it, submit it again, or stop it.",
        ),
        (generation(phase=Phase.ERROR, error_text="Too dark."), "error", "Too dark."),
        (
            generation(phase=Phase.ERROR, error_code="refused_quota"),
            "error",
            "The backend account has no credit or quota left.",
        ),
        (generation(phase=Phase.ERROR, error_code="other"), "error", "The video could not be made."),
        (generation(phase=Phase.DROPPED), "error", "Stopped."),
    ],
)
async def test_each_phase_is_told_in_one_sentence(
    client: httpx.AsyncClient, stand_in: StandIn, row: Generation, status: str, message: str
) -> None:
    stand_in.commit(row)
    answer = (await client.get("/api/file/gen-0")).json()
    assert (answer["status"], answer["message"]) == (status, message)
    assert answer["error"] == (message if status == "error" else None)


@pytest.mark.asyncio
async def test_an_image_is_told_as_one(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.commit(generation("gen-0", Draft(kind=Kind.IMAGE, prompt="a kite"), phase=Phase.PROCESSING))
    answer = (await client.get("/api/file/gen-0")).json()
    assert (answer["type"], answer["video_generation"]) == ("image", None)
    assert answer["image_generation"]["prompt"] == "a kite"
    assert answer["tasks"][0]["type"] == "image-generation-flow"
    assert answer["message"] == "The image is being made."


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/file/none"),
        ("GET", "/api/file/..%2f..%2fetc%2fpasswd"),
        ("GET", "/api/file/%00"),
        ("GET", "/api/file/" + "x" * 5000),
        ("GET", "/api/file/none/trace"),
        ("GET", "/api/events/file.none"),
        ("GET", "/api/events/file."),
        ("POST", "/api/file/none/check"),
        ("POST", "/api/file/none/stop"),
        ("POST", "/api/file/none/keep"),
        ("POST", "/api/file/none/retry"),
        ("POST", "/api/file/none/submit-again"),
        ("DELETE", "/api/file/none"),
        ("GET", "/media/none/file"),
        ("HEAD", "/media/none/file"),
        ("GET", "/media/..%2f..%2fdata/file"),
        ("GET", "/media/gen-0/other"),
        ("GET", "/api"),
        ("GET", "/api/"),
        ("GET", "/api/files/"),
        ("GET", "/api/nowhere"),
        ("PATCH", "/api/nowhere"),
        ("OPTIONS", "/api/nowhere"),
    ],
)
async def test_what_is_not_there_is_a_404_in_json(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/json"
    if method != "HEAD":
        assert answer.json()["success"] is False


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/generate/video", "POST"),
        ("PUT", "/api/file/x", "DELETE, GET"),
        ("OPTIONS", "/api/files", "GET"),
        ("DELETE", "/media/x/file", "GET, HEAD"),
    ],
)
async def test_the_wrong_method_is_a_405_in_json(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert answer.json() == {
        "success": False,
        "error": f"{method} is not possible at this address.",
        "field": None,
    }


@pytest.mark.asyncio
async def test_the_trace_tells_when_after_the_start(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.commit(generation())
    stand_in.traces["gen-0"] = [
        TraceEntry(
            owner="local",
            generation_id="gen-0",
            seq=1,
            at=BORN_AT + 10.0,
            lane="push",
            event="lost",
            data={"reason": "silent"},
        )
    ]
    assert (await client.get("/api/file/gen-0/trace")).json() == {
        "id": "gen-0",
        "items": [
            {
                "seq": 1,
                "at": "2026-09-21T14:13:30.000Z",
                "after_s": 10.0,
                "lane": "push",
                "event": "lost",
                "data": {"reason": "silent"},
            }
        ],
    }


@pytest.mark.asyncio
async def test_a_bug_is_a_500_in_json_with_nothing_of_it_inside(stand_in: StandIn) -> None:
    app, _ = application(stand_in, stand_in.media(""))
    stand_in.refuse = RuntimeError("secret detail")
    async with client_of(app, raise_app_exceptions=False) as client:
        answer = await client.post("/api/generate/video", json={"prompt": "a"})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["success"] is False
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.asyncio
@pytest.mark.parametrize(("text", "other"), [("gen-9", "gen-9"), ("", "one that was removed")])
async def test_the_same_job_is_named(
    client: httpx.AsyncClient, stand_in: StandIn, text: str, other: str
) -> None:
    stand_in.commit(generation(phase=Phase.ERROR, error_code="same_job", error_text=text))
    file = (await client.get("/api/file/gen-0")).json()
    sentence = f"It is the same job as {other}: the backend made nothing new. Retry it with a new seed."
    assert (file["status"], file["error"]) == ("error", sentence)
