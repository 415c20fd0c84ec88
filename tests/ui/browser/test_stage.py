"""Actions on the film on the stage, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.app import RunningApp
from tests.support.browser import LONG, SMALL, film, opened, player, press


@pytest.fixture(scope="module")
def kite(app: RunningApp) -> str:
    return film(app, "A kite")


@pytest.mark.usefixtures("kite")
def test_every_name_of_the_contract_is_there_once(app: RunningApp, page: Page) -> None:
    player(opened(page, app.url), "A kite")
    for name in ("Generate", "Download", "Copy link", "Delete", "Clear all"):
        expect(page.get_by_role("button", name=name)).to_have_count(1)
    expect(page.get_by_label("Prompt", exact=True)).to_have_count(1)
    expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_have_count(1)
    expect(page.get_by_role("link", name="Video")).to_have_count(1)
    expect(page.locator("video").first).to_have_attribute("preload", "auto")


def test_the_link_leads_to_the_one_generation(
    app: RunningApp, page: Page, context: BrowserContext, kite: str
) -> None:
    player(opened(page, app.url), "A kite")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "Copy link")
    expect(page.get_by_text("Link copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{app.url}/g/{kite}"
    page.goto(link)
    player(page, "A kite")
    expect(page.get_by_role("table", name="Timeline")).to_be_visible()


def test_without_a_clipboard_the_link_is_shown(app: RunningApp, page: Page, kite: str) -> None:
    page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', { value: undefined }); document.execCommand = () => false"
    )
    player(opened(page, app.url), "A kite")
    press(page, "Copy link")
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_have_value(f"{app.url}/g/{kite}")


def test_markup_in_a_prompt_stays_text_and_a_delete_takes_it_away_everywhere(
    app: RunningApp, page: Page
) -> None:
    prompt = "<img src=x onerror=window.bad=1> & ${7*7} {{8*8}}"
    file_id = film(app, prompt)
    player(opened(page, app.url), prompt)
    expect(page.get_by_role("heading", name=prompt, exact=True)).to_be_visible()
    assert page.evaluate("window.bad") is None

    press(page, "Delete")
    expect(page.get_by_role("option", name=prompt)).to_have_count(0)
    press(page, "Undo")
    player(page, prompt)
    page.get_by_role("option", name=prompt).focus()
    page.keyboard.press("Delete")
    expect(page.get_by_role("option", name=prompt)).to_have_count(0)
    expect(page.get_by_role("option", name="A kite")).to_be_focused()
    assert page.evaluate("window.bad") is None
    answer = page.goto(f"{app.url}/g/{file_id}")
    assert answer is not None
    assert answer.status == 404
    page.get_by_role("link", name="Back to Video").click()
    expect(page.get_by_label("Prompt", exact=True)).to_be_visible()


def test_a_stop_stops(app: RunningApp, page: Page) -> None:
    app.generate("To be stopped", **LONG)
    opened(page, app.url)
    press(page, "Stop")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    expect(page.locator(".r-scene-words")).to_have_text("Stopped.")


def test_what_waits_for_a_renderer_says_its_place(app: RunningApp, page: Page) -> None:
    drawn = [app.generate(f"Being drawn {number}", **LONG) for number in (1, 2)]
    for file_id in drawn:
        app.wait_until(lambda file_id=file_id: app.get(f"/api/file/{file_id}")["progress"], 30)
    next_one, last = app.generate("Next", **SMALL), app.generate("Last", **SMALL)
    opened(page, app.url)
    expect(page.locator(".r-scene-words")).to_have_text("Queued, 2nd in line.")
    expect(page.get_by_role("option", name="Next")).to_contain_text("queued, next")
    assert app.get(f"/api/file/{last}")["queue_position"] == 2
    for file_id in drawn:
        app.post(f"/api/file/{file_id}/stop")
    player(page, "Last")
    assert app.wait_for(next_one)["queue_position"] is None


def test_no_file_comes_from_another_host(app: RunningApp, browser: Browser) -> None:
    asked: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        opened(page, app.url)
        page.wait_for_timeout(1000)
    assert asked
    assert [url for url in asked if not url.startswith((app.url, "data:", "blob:"))] == []
