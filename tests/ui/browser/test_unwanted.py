"""A result that arrives after a stop, in a real browser: shown live, kept or dropped by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.app import RunningApp, running_app
from tests.support.browser import PHONE, WITHIN_MS, Profiles, too_wide
from tests.support.fault_server import WireServer
from tests.support.killable_app import wire_settings

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def wire() -> Iterator[WireServer]:
    """A backend that cannot cancel jobs and finishes each of them."""
    with WireServer(idempotent=False) as wire:
        wire.script(length_s=600.0, result="small")
        yield wire


@pytest.fixture(scope="module")
def app(wire: WireServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("rushes"), **wire_settings(wire)) as running:
        running.wait_for_models()
        yield running


@pytest.fixture
def page(profiles: Profiles) -> Page:
    page = profiles.lend(viewport=PHONE, reduced_motion="reduce").new_page()
    page.set_default_timeout(WITHIN_MS)
    return page


def arrived_after_its_stop(app: RunningApp, wire: WireServer, page: Page, prompt: str) -> str:
    file_id = app.generate(prompt, duration=1, resolution="360p")
    app.wait_until(lambda: app.get(f"/api/file/{file_id}")["phase"] == "processing", 30)
    page.goto(f"{app.url}/g/{file_id}")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("If it still arrives")).to_be_visible()
    (job_id,) = [job.id for job in wire.jobs.values() if job.config["prompt"] == prompt]
    wire.finish(job_id)
    expect(page.get_by_text("Arrived after you stopped it", exact=True)).to_be_visible()
    expect(page.locator(".r-toast")).to_have_count(1)
    return file_id


def test_it_comes_by_itself_and_is_kept_by_the_keyboard(
    app: RunningApp, wire: WireServer, page: Page
) -> None:
    file_id = arrived_after_its_stop(app, wire, page, "a kite that is kept after all")
    assert app.get(f"/api/file/{file_id}")["unwanted"] is True
    page.get_by_role("button", name="Keep").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Arrived after you stopped it", exact=True)).to_be_hidden()
    expect(page.locator("video").first).to_be_visible()
    assert app.get(f"/api/file/{file_id}")["unwanted"] is False
    assert not too_wide(page)


def test_it_is_dropped_without_a_question_and_brought_back(
    app: RunningApp, wire: WireServer, page: Page
) -> None:
    file_id = arrived_after_its_stop(app, wire, page, "a kite that is dropped")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Page not found.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Arrived after you stopped it", exact=True)).to_be_visible()
    page.goto(f"{app.url}/library?state=unwanted")
    expect(page.locator(".r-tile")).to_have_count(1)
    assert app.get(f"/api/file/{file_id}")["trashed"] is False
