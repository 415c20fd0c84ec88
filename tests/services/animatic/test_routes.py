import io
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

FILE_KEYS = {
    "id",
    "url",
    "thumbnail_url",
    "type",
    "tasks",
    "video_generation",
    "image_generation",
    "created_at",
}


def picture(width: int = 40, height: int = 30, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (200, 120, 60)).save(buffer, kind)
    return buffer.getvalue()


def upload(server: Any, content: bytes, name: str = "a.png") -> httpx.Response:
    answer: httpx.Response = server.client.post(
        "/api/v1/file/upload?type=image", files={"payload": (name, content)}
    )
    return answer


def test_a_submitted_film_is_a_file_object_without_a_url(server: Any) -> None:
    shape = server.film(prompt="a lighthouse", seed=7, negative_prompt="blur", style_name="noir")
    assert shape.keys() >= FILE_KEYS
    assert (shape["url"], shape["type"], shape["image_generation"]) == (None, "video", None)
    assert [task["status"] for task in shape["tasks"]] == ["in_progress"]
    told = shape["video_generation"]
    assert (told["prompt"], told["seed"], told["style_name"]) == ("a lighthouse", 7, "noir")


def test_a_still_is_answered_as_a_list_and_becomes_a_png_of_its_size(server: Any) -> None:
    config = {"generation_config_name": "animatic/still", "prompt": "dunes", "width": 200, "height": 120}
    answer = server.client.post("/api/v1/file/generate-image", json={"config": config})
    assert answer.status_code == 200
    (shape,) = answer.json()
    assert shape["type"] == "image"
    content = httpx.get(server.finished(shape["id"])["url"], trust_env=False).content
    with Image.open(io.BytesIO(content)) as still:
        assert (still.format, still.size) == ("PNG", (200, 120))


def test_the_stream_tells_growing_progress_then_the_task_then_the_file(server: Any) -> None:
    heard = server.events(server.film(duration=4, width=640, height=360)["id"])
    percents = [event["object"]["progress"] for event in heard if event["type"] == "render_progress"]
    assert percents == sorted(set(percents)) and percents[-1] == 100
    assert len(percents) > 1
    assert [event["type"] for event in heard[-2:]] == ["task", "file"]
    assert heard[-2]["object"]["status"] == "completed"


def test_a_stream_opened_late_tells_the_file_at_once(server: Any) -> None:
    file_id = server.film()["id"]
    first = server.finished(file_id)
    began_s = time.monotonic()
    assert server.events(file_id) == [{"type": "file", "object": first}]
    assert time.monotonic() - began_s < 1


def test_polling_and_the_list_know_the_finished_file(server: Any) -> None:
    shape = server.finished(server.film(prompt="a lake")["id"])
    assert server.client.get(f"/api/v1/file/{shape['id']}").json() == shape
    listed = server.client.get("/api/v1/file?type=video&limit=1").json()
    assert [each["id"] for each in listed] == [shape["id"]]
    assert server.client.get("/api/v1/file?offset=9999").json() == []
    assert server.client.get("/api/v1/file?limit=x").status_code == 422


def test_result_bytes_need_no_token_but_their_unguessable_address(server: Any) -> None:
    shape = server.finished(server.film()["id"])
    whole = httpx.get(shape["url"], trust_env=False)
    part = httpx.get(shape["url"], headers={"Range": "bytes=0-99"}, trust_env=False)
    assert (whole.status_code, part.status_code, len(part.content)) == (200, 206, 100)
    assert whole.headers["content-type"] == "video/mp4" and whole.headers["etag"]
    assert httpx.get(shape["thumbnail_url"], trust_env=False).headers["content-type"] == "image/jpeg"
    key, name = shape["url"].split("/")[-2:]
    guessed = f"{server.url}/files/{'x' * len(key)}/{name}"
    assert httpx.get(guessed, trust_env=False).status_code == 404


def test_a_deleted_file_is_gone(server: Any) -> None:
    shape = server.finished(server.film()["id"])
    assert server.client.delete(f"/api/v1/file/{shape['id']}").status_code == 200
    assert server.client.get(f"/api/v1/file/{shape['id']}").status_code == 404
    assert httpx.get(shape["url"], trust_env=False).status_code == 404


def test_deleting_a_film_under_way_leaves_the_drawers_at_work(server: Any) -> None:
    long = server.film(duration=20, width=1280, height=720)["id"]
    server.client.delete(f"/api/v1/file/{long}")
    assert server.finished(server.film()["id"])["url"]


def test_what_waits_says_its_place_until_it_is_drawn(server: Any) -> None:
    drawn = [server.film(duration=20, width=1280, height=720)["id"] for _ in range(2)]
    for file_id in drawn:  # both renderers are taken
        assert server.until(file_id, lambda event: event["type"] == "render_progress")
    waiting = [server.film(seed=seed) for seed in (1, 2, 3)]
    assert [shape["queue_position"] for shape in waiting] == [1, 2, 3]
    assert all(task["status"] == "in_progress" for shape in waiting for task in shape["tasks"])
    first, second, third = (shape["id"] for shape in waiting)
    assert server.until(third, lambda event: event["object"].get("queue_position") == 3)
    server.client.delete(f"/api/v1/file/{first}")
    assert server.client.get(f"/api/v1/file/{third}").json()["queue_position"] == 2
    server.client.delete(f"/api/v1/file/{drawn[0]}")
    places = [event["object"].get("queue_position") for event in server.events(third)[:-1]]
    assert places[0] in (1, 2, None)
    assert places[-1] is None
    assert "queue_position" not in server.finished(second)
    server.client.delete(f"/api/v1/file/{drawn[1]}")


def test_the_models_are_listed_with_their_limits(server: Any) -> None:
    models = {model["name"]: model for model in server.client.get("/api/v1/generation-config").json()}
    assert {model["type"] for model in models.values()} == {
        "text_to_video", "image_to_video", "text_to_image", "image_to_image",
    }  # fmt: skip
    params = models["animatic/film"]["params"]
    assert params["price_per_second"] == 0 and 5 in params["available_durations"]


def test_ping_answers_get_and_head(server: Any) -> None:
    assert server.client.get("/api/v1/ping").status_code == 200
    assert server.client.head("/api/v1/ping").status_code == 200


@pytest.mark.parametrize("token", ["", "Bearer wrong", "wrong"])
def test_a_wrong_token_is_refused_everywhere(server: Any, token: str) -> None:
    for path in ("/api/v1/ping", "/api/v1/file", "/api/v1/events/file.x", "/nowhere"):
        answer = httpx.get(server.url + path, headers={"Authorization": token}, trust_env=False)
        assert answer.status_code == 401
        assert "token" in answer.json()["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"generation_config_name": "comfyui/flux"},
        {"generation_config_name": "animatic/still"},
        {"prompt": "  "},
        {"prompt": 7},
        {"duration": 21},
        {"duration": "5"},
        {"frame_rate": 60},
        {"seed": -1},
        {"seed": True},
        {"width": 4000},
        {"height": None},
        {"width": 1920, "height": 1080},
        {"aspect_ratio": "2:1"},
        {"references": {"type": "source"}},
        {"references": [{"type": "source", "reference_id": "nobody"}]},
        {"generation_config_name": "animatic/film-from-picture"},
        {"batch_size": 3},
    ],
)
def test_a_bad_value_is_refused_with_a_sentence(server: Any, wrong: dict[str, Any]) -> None:
    config = {"generation_config_name": "animatic/film", "prompt": "sea", "width": 160, "height": 96} | wrong
    answer = server.client.post("/api/v1/file/generate-video", json={"config": config})
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"config": {"seed": NaN}}', b"[" * 100_000, b"{}"])
def test_a_body_that_cannot_be_read_is_refused(server: Any, body: bytes) -> None:
    answer = server.client.post("/api/v1/file/generate-video", content=body)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_uploaded_picture_becomes_a_film(server: Any, kind: str) -> None:
    source = upload(server, picture(kind=kind)).json()
    assert source["type"] == "image" and source["url"]
    assert httpx.get(source["url"], trust_env=False).content == picture(kind=kind)
    film = server.film(
        generation_config_name="animatic/film-from-picture",
        references=[{"type": "source", "reference_id": source["id"]}],
    )
    assert server.finished(film["id"])["url"]


@pytest.mark.parametrize("content", [b"", b"hello", picture()[:60], b"GIF89a" + bytes(20)])
def test_an_upload_that_is_no_picture_is_refused(server: Any, content: bytes) -> None:
    answer = upload(server, content)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], str)


def test_an_upload_of_too_many_pixels_is_refused(server: Any) -> None:
    assert upload(server, picture(8000, 5001)).status_code == 422


def test_an_upload_over_the_limit_is_refused_while_it_comes(server: Any) -> None:
    answer = upload(server, bytes(51 * 1024**2))
    assert answer.status_code == 413


def test_an_upload_without_the_field_is_refused(server: Any) -> None:
    answer = server.client.post("/api/v1/file/upload?type=image", files={"file": ("a.png", picture())})
    assert answer.status_code == 422


def test_neither_token_nor_prompt_is_in_the_project_code_s_log_lines() -> None:
    source = Path(__file__).resolve().parents[3] / "services" / "animatic"
    logged = [
        line
        for path in source.rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if "log." in line
    ]
    assert logged and not [line for line in logged if "token" in line or "prompt" in line]
