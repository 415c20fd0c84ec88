"""kill -9 at every boundary, with real processes: nothing is lost, delivered twice or paid for twice."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.fault_server import WireServer
from tests.support.kill_parts import BOUNDARIES, SHORT, at, killed_at
from tests.support.killable_app import ForkServer, KillableApp, killable_app, padded, wire_settings
from tests.support.sample_media import small_film

pytestmark = pytest.mark.timeout(240)
KILLS, GENERATIONS = 6, 20


@pytest.fixture(scope="module")
def wire() -> Iterator[WireServer]:
    """A paid backend that knows no keys; it outlives the app."""
    with WireServer(idempotent=False) as wire:
        wire.script(length_s=0.3, result="small", progress_every_s=0.1)
        yield wire


@pytest.fixture(scope="module")
def cloudy(
    fork_server: ForkServer, wire: WireServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KillableApp]:
    folder = tmp_path_factory.mktemp("kill") / "cloud"
    with killable_app(fork_server, folder, **wire_settings(wire)) as app:
        app.wait_for_models()
        yield app


@at(*BOUNDARIES, fast="after_id")
def test_a_paid_job_is_kept_once_whatever_boundary_the_kill_comes_at(
    cloudy: KillableApp, wire: WireServer, boundary: str
) -> None:
    prompt = f"a kite, killed {boundary}"
    file_id = killed_at(boundary, cloudy, prompt)
    assert bool(cloudy.media_files() - cloudy.referenced_files()) == (
        boundary in ("before_rename", "after_rename", "before_commit")
    )

    cloudy.start()

    cloudy.wait_for(file_id)
    row = cloudy.assert_delivered(file_id, wire.content(cloudy.row_of(prompt)["job_id"]))
    assert row["id"] == file_id
    assert wire.submits_by_prompt[prompt] == 1


def test_a_half_fetched_file_is_cleared_away_and_fetched_again(
    cloudy: KillableApp, wire: WireServer, tmp_path: Path
) -> None:
    prompt, film = "a kite, killed with half its bytes here", tmp_path / "large.mp4"
    large = padded(small_film(), 6_000_000)
    film.write_bytes(large)
    wire.script(prompt=prompt, result=str(film), download="slow", slow_s=4.0, download_times=1)
    file_id = cloudy.generate(prompt)
    cloudy.wait_until(lambda: any(name.startswith(".parts/") for name in cloudy.media_files()), 30)
    cloudy.kill()
    cloudy.wait_until_killed()
    assert any(name.startswith(".parts/") for name in cloudy.media_files())

    cloudy.start()

    cloudy.assert_delivered(file_id, large)
    assert wire.submits_by_prompt[prompt] == 1


def test_a_job_that_runs_while_the_app_is_dead_is_fetched_afterwards(
    cloudy: KillableApp, wire: WireServer
) -> None:
    prompt = "a kite that lands while nobody listens"
    wire.script(prompt=prompt, length_s=600)
    file_id = cloudy.generate(prompt)
    job_id = str(cloudy.wait_for(file_id, status="processing") and cloudy.row(file_id)["job_id"])
    cloudy.kill()
    cloudy.wait_until_killed()
    wire.finish(job_id)

    cloudy.start()

    cloudy.assert_delivered(file_id, wire.content(job_id))
    assert wire.submits_by_prompt[prompt] == 1


def test_a_job_whose_id_was_lost_is_found_at_the_backend_and_adopted(
    cloudy: KillableApp, wire: WireServer
) -> None:
    prompt = "a kite, killed after_submit"
    file_id = killed_at("after_submit", cloudy, prompt)
    assert (cloudy.row(file_id)["phase"], cloudy.row(file_id)["job_id"]) == ("submitting", None)

    cloudy.start()

    cloudy.wait_for(file_id)
    cloudy.assert_delivered(file_id, wire.content(cloudy.row(file_id)["job_id"]))
    assert "adopted" in _told(cloudy, file_id)
    assert wire.submits_by_prompt[prompt] == 1


def test_a_job_whose_id_was_lost_and_that_is_not_listed_is_never_sent_again_by_itself(
    cloudy: KillableApp, wire: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = "a kite that its backend does not list"
    monkeypatch.setattr(wire, "_list", lambda call: [])
    file_id = killed_at("after_submit", cloudy, prompt)

    for _ in range(2):
        cloudy.start()
        cloudy.wait_for(file_id, status="unconfirmed")
        cloudy.wait_until(lambda: "looking" in _told(cloudy, file_id), 30)
        cloudy.kill()
        cloudy.wait_until_killed()
    cloudy.start()
    cloudy.post(f"/api/file/{file_id}/check")

    assert cloudy.wait_for(file_id, status="unconfirmed")["status"] == "pending"
    assert wire.submits_by_prompt[prompt] == 1


def test_two_jobs_that_might_be_it_are_left_to_the_person(cloudy: KillableApp, wire: WireServer) -> None:
    prompt = "a kite that was flown twice"
    file_id = killed_at("after_submit", cloudy, prompt)
    _submit(wire, next(job.config for job in wire.jobs.values() if job.config["prompt"] == prompt))

    cloudy.start()

    cloudy.wait_until(lambda: "looking" in _told(cloudy, file_id), 30)
    assert cloudy.wait_for(file_id, status="unconfirmed")["url"] is None
    assert "adopted" not in _told(cloudy, file_id)
    assert wire.submits_by_prompt[prompt] == 2  # ours, and the one that this test sent


def test_what_was_perhaps_never_sent_waits_for_the_persons_word(
    cloudy: KillableApp, wire: WireServer
) -> None:
    prompt = "a kite, killed before_submit"
    file_id = killed_at("before_submit", cloudy, prompt)

    cloudy.start()
    cloudy.wait_for(file_id, status="unconfirmed")
    cloudy.wait_until(lambda: "looking" in _told(cloudy, file_id), 30)
    assert wire.submits_by_prompt[prompt] == 0
    assert cloudy.post(f"/api/file/{file_id}/submit-again").status_code == 202

    cloudy.wait_for(file_id)
    cloudy.assert_delivered(file_id, wire.content(cloudy.row(file_id)["job_id"]))
    assert wire.submits_by_prompt[prompt] == 1


@pytest.mark.proof
def test_twenty_generations_survive_kills_at_random_moments(
    fork_server: ForkServer, wire: WireServer, tmp_path: Path
) -> None:
    rng = random.Random(20_261_122)
    settings = wire_settings(wire, RUSHES_ANIMATIC="true")
    with killable_app(fork_server, tmp_path / "loop", **settings) as app:
        app.wait_for_models()
        app.wait_until(lambda: len(app.get("/health")["backends"]) == 0, 30)
        killer = Killer(app, rng, KILLS)
        prompts = [f"the kite of round {number}" for number in range(GENERATIONS)]
        ids = {prompt: killer.accepted(prompt) for prompt in prompts}
        killer.finish()

        app.wait_until(lambda: all(_rests(app.row(each)) for each in ids.values()), 60)
        for prompt, file_id in ids.items():
            if app.row(file_id)["phase"] == "unconfirmed" and wire.submits_by_prompt[prompt] == 0:
                app.post(f"/api/file/{file_id}/submit-again")  # the kill came before the request was sent
        for prompt, file_id in ids.items():
            app.wait_for(file_id)
            jobs = _paid_jobs(wire, prompt) + app.animatic_jobs(prompt)
            row = app.row_of(prompt)
            assert (row["id"], [row["job_id"]]) == (file_id, jobs)
            paid = row["backend"] == "superduperai"
            app.assert_delivered(file_id, wire.content(jobs[0]) if paid else app.animatic_content(jobs[0]))
        assert len(app.rows()) == GENERATIONS
        app.kill()
        app.wait_until_killed()


class Killer:
    """Pulls the plug at random moments while generations are asked for, and starts the app again."""

    def __init__(self, app: KillableApp, rng: random.Random, kills: int) -> None:
        self._app = app
        self._rng = rng
        self._left = kills
        self._plan()

    def accepted(self, prompt: str) -> str:
        """The fileId of one that was answered with 202, asked for again with the same key when it was not."""
        number = int(prompt.rsplit(" ", 1)[1])
        body = {"prompt": prompt, **(SHORT if number % 5 == 4 else {})}
        while True:
            try:
                answer = self._app.post("/api/generate/video", body, **{"Idempotency-Key": prompt})
            except httpx.TransportError:
                self._again()
            else:
                assert answer.status_code == 202, answer.text
                self._app.wait_until(lambda: True, self._rng.uniform(0.0, 0.2))
                return str(answer.json()["fileId"])

    def finish(self) -> None:
        while self._left or self._timer.is_alive():
            self._again()

    def _again(self) -> None:
        self._app.process.wait(30)
        self._timer.join()
        self._app.start()
        self._plan()

    def _plan(self) -> None:
        self._timer = threading.Timer(self._rng.uniform(0.05, 1.2), self._app.kill)
        if self._left:
            self._left -= 1
            self._timer.start()


def test_after_all_that_no_key_and_no_link_stands_in_log_database_or_answers(
    cloudy: KillableApp, animated: KillableApp, wire: WireServer
) -> None:
    file_id = cloudy.generate("a kite that tells nothing")
    cloudy.wait_for(file_id)
    secrets = [wire.token, wire.url, wire.url.removeprefix("http://"), "/files/"]
    for app in (cloudy, animated):
        paths = ("/health", "/metrics", "/api/files?limit=200")
        said = [app.log, *(_text(app, path) for path in paths)]
        for row in app.rows():
            said += [_text(app, f"/api/file/{row['id']}{more}") for more in ("", "/trace")]
        said += [path.read_bytes().decode("latin-1") for path in app.data_dir.glob("rushes.db*")]
        assert not [secret for secret in secrets for text in said if secret in text]
        assert "Traceback" not in app.log


def _told(app: KillableApp, file_id: str) -> list[str]:
    return [line["event"] for line in app.get(f"/api/file/{file_id}/trace")["items"]]


def _rests(row: dict[str, object]) -> bool:
    return row["phase"] in ("completed", "unconfirmed")


def _paid_jobs(wire: WireServer, prompt: str) -> list[str]:
    jobs = [job.id for job in wire.jobs.values() if job.config.get("prompt") == prompt]
    assert wire.submits_by_prompt[prompt] == len(jobs)
    return jobs


def _submit(wire: WireServer, config: dict[str, object]) -> str:
    headers = {"Authorization": f"Bearer {wire.token}"}
    address = f"{wire.url}/api/v1/file/generate-video"
    answer = httpx.post(address, json={"config": config}, headers=headers, trust_env=False)
    return str(answer.json()["id"])


def _text(app: KillableApp, path: str) -> str:
    answer = httpx.get(app.url + path, timeout=10, trust_env=False)
    assert answer.status_code == 200
    return answer.text
