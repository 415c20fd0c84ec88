"""What is kept over restarts, and who ends with whom."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LONG = {"duration": 20, "width": 1280, "height": 720, "frame_rate": 30}

Start = Callable[[], Any]


def ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for(happened: Callable[[], bool], within_s: float = 5.0) -> bool:
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        if happened():
            return True
        time.sleep(0.02)
    return happened()


def busy(server: Any) -> list[int]:
    """The drawers, once one of them is at work."""
    server.film(**LONG)
    assert wait_for(lambda: len(server.children()) == 2)
    time.sleep(0.5)
    drawers: list[int] = server.children()
    return drawers


def test_the_same_key_and_body_is_the_same_film_also_after_a_restart(start: Start) -> None:
    server = start()
    first = server.film(key="k1")
    assert server.film(key="k1")["id"] == first["id"]
    assert server.film(key="k2")["id"] != first["id"]
    finished = server.finished(first["id"])
    server.kill()
    again = start()
    repeated = again.film(key="k1")
    assert repeated["id"] == first["id"]
    assert repeated["url"] == finished["url"].replace(server.url, again.url)


def test_the_same_key_with_another_body_is_a_conflict(start: Start) -> None:
    server = start()
    server.film(key="k1")
    answer = server.client.post(
        "/api/v1/file/generate-video",
        json={"config": {"generation_config_name": "animatic/film", "prompt": "other"}},
        headers={"Idempotency-Key": "k1"},
    )
    assert answer.status_code == 409


def test_an_unfinished_film_is_drawn_again_under_the_same_id(start: Start) -> None:
    server = start()
    film = server.film(duration=3, width=640, height=360)
    server.kill()
    again = start()
    shape = again.finished(film["id"])
    assert shape["id"] == film["id"] and shape["url"].startswith(again.url)
    assert shape["video_generation"] == film["video_generation"]


def test_a_half_written_job_file_stops_nobody(start: Start, tmp_path: Path) -> None:
    jobs = tmp_path / "animatic" / "jobs"
    jobs.mkdir(parents=True)
    (jobs / "broken.json").write_text("{")
    (jobs / "x.json.part").write_text("{")
    server = start()
    assert server.client.get("/api/v1/file").json() == []
    assert not (jobs / "x.json.part").exists()


def test_when_the_parent_s_pipe_closes_all_end(start: Start) -> None:
    server = start()
    drawers = busy(server)
    server.process.stdin.close()
    assert server.process.wait(2) == 0
    assert wait_for(lambda: all(ended(pid) for pid in drawers))


def test_a_killed_server_leaves_no_drawers(start: Start) -> None:
    server = start()
    drawers = busy(server)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(2)
    assert wait_for(lambda: all(ended(pid) for pid in drawers))


def test_sigterm_ends_it_within_a_second_though_a_stream_is_open(start: Start) -> None:
    server = start()
    film = server.film(**LONG)
    with server.client.stream("GET", f"/api/v1/events/file.{film['id']}"):
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(1) == 0


def test_ctrl_c_is_left_to_the_parent(start: Start) -> None:
    server = start()
    server.film()
    assert wait_for(lambda: len(server.children()) == 2)
    for pid in (server.process.pid, *server.children()):
        os.kill(pid, signal.SIGINT)
    assert server.finished(server.film()["id"])["url"]


def test_a_killed_drawer_s_film_is_drawn_by_another(start: Start) -> None:
    server = start()
    film = server.film(duration=6, width=1280, height=720)
    assert wait_for(lambda: len(server.children()) == 2)
    for pid in server.children():
        os.kill(pid, signal.SIGKILL)
    assert server.finished(film["id"])["url"]
