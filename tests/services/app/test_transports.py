"""The same film over every transport, through the real app: kept byte for byte once, or refused with the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from services.core.phase_messages import STAGES
from tests.support.app import RunningApp, running_app
from tests.support.bad_input import job_of, kept, trace
from tests.support.fault_server import WireServer
from tests.support.killable_app import wire_settings
from tests.support.transports import (
    HANDED_OVER,
    REFUSED,
    OtherHost,
    inside_its_address,
    numbered_links,
)

pytestmark = pytest.mark.timeout(180)

LINKS = {"a first link that is stale": numbered_links}
ELSEWHERE = ("a data: address", "a host that the admin trusts")
STRANGE_HOST = "a private host that nobody trusts"


class Started(NamedTuple):
    app: RunningApp
    wire: WireServer
    file_ids: dict[str, str]
    strange: OtherHost


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """All at once: some of them wait for their next try."""
    with WireServer() as wire, OtherHost(wire.content) as trusted, OtherHost(wire.content) as strange:
        wire.script(length_s=0.2, result="small")
        for name, answer in HANDED_OVER.items():
            wire.script(prompt=name, transport=answer, link=LINKS.get(name))
        for name, (answer, _) in REFUSED.items():
            wire.script(prompt=name, transport=answer)
        for name, link in zip(
            (*ELSEWHERE, STRANGE_HOST), (inside_its_address, trusted.link, strange.link), strict=True
        ):
            wire.script(prompt=name, link=link)
        settings = wire_settings(wire, RUSHES_RESULT_ORIGINS=trusted.url)
        with running_app(tmp_path_factory.mktemp("data"), **settings) as app:
            app.wait_for_models()
            prompts = (*HANDED_OVER, *ELSEWHERE, *REFUSED, STRANGE_HOST)
            file_ids = {prompt: app.generate(prompt, model="wire/film") for prompt in prompts}
            yield Started(app, wire, file_ids, strange)


def copies(app: RunningApp, sha256: str) -> int:
    files = (path for path in (app.data_dir / "media").rglob("*") if path.is_file())
    return sum(hashlib.sha256(path.read_bytes()).hexdigest() == sha256 for path in files)


@pytest.mark.parametrize("name", [*HANDED_OVER, *ELSEWHERE])
def test_it_is_handed_over_byte_for_byte_and_once(started: Started, name: str) -> None:
    app, wire, file_ids, _ = started
    file = app.wait_for(file_ids[name])
    sent = hashlib.sha256(wire.content(job_of(wire, name))).hexdigest()
    assert kept(app, file["id"]) == sent
    assert copies(app, sent) == 1
    assert file["problem"] is None
    assert [line["event"] for line in trace(app, file["id"])].count("won") == 1
    assert wire.submits_by_prompt[name] == 1


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_whole_film_is_refused_with_its_reason(started: Started, name: str) -> None:
    assert_refused(started, name, REFUSED[name][1], STAGES[f"delivery_{REFUSED[name][1]}"])


def test_a_private_host_is_never_asked_and_the_setting_that_allows_it_is_named(started: Started) -> None:
    assert_refused(started, STRANGE_HOST, "address", STAGES["delivery_private"])
    assert started.strange.asked == []


def assert_refused(started: Started, name: str, reason: str, sentence: str) -> None:
    app, wire, file_ids, _ = started
    file = app.get(f"/api/file/{file_ids[name]}")

    def says_so() -> bool:
        file.update(app.get(f"/api/file/{file_ids[name]}"))
        return str(file["message"]) == sentence

    app.wait_until(says_so, 60)
    assert (file["status"], file["url"], file["problem"]) == ("processing", None, None)
    found = app.get(f"/api/file/{file['id']}/trace")["items"]
    assert {line["data"]["reason"] for line in found if line["event"] == "keep_failed"} == {reason}
    assert copies(app, hashlib.sha256(wire.content(job_of(wire, name))).hexdigest()) == 0
