"""What reaches a person outside the page, in a real browser: once, whatever the number of tabs."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.app import RunningApp
from tests.ui.test_browser import SMALL, WITHIN_MS, app, browser, context, toasts

__all__ = ["app", "browser", "context"]  # fixtures, found by their names

RECORDED = """
    Object.defineProperty(document, "hidden", { get: () => window.away === true });
    window.made = [];
    window.Notification = class {
      static permission = "PERMISSION";
      static async requestPermission() { window.asked = true; return (this.permission = "ANSWER"); }
      constructor(title, options) { window.made.push({ title, ...options }); window.last = this; }
      close() { window.shut = true; }
    };
    window.notes = 0;
    const { start } = OscillatorNode.prototype;
    OscillatorNode.prototype.start = function (at) { window.notes += 1; return start.call(this, at); };
"""
FILM = "Video generated successfully"
QUIET_MS = 2500
"""Long enough for a second one to come, if there were one."""


@pytest.fixture
def permission() -> tuple[str, str]:
    """What the browser says before and after it was asked."""
    return "granted", "granted"


@pytest.fixture
def recorded(context: BrowserContext, permission: tuple[str, str]) -> BrowserContext:
    """Notes what is shown and heard; tabs are in sight until they are sent `away`."""
    before, answer = permission
    context.add_init_script(RECORDED.replace("PERMISSION", before).replace("ANSWER", answer))
    return context


def switch(page: Page, name: str) -> None:
    page.get_by_role("switch", name=name, exact=True).click()


def opened(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("window.did_handshake")
    return page


def send_away(*pages: Page, away: bool = True) -> None:
    for page in pages:
        page.evaluate(
            f"window.away = {str(away).lower()}; document.dispatchEvent(new Event('visibilitychange'))"
        )


def made(*pages: Page) -> list[dict[str, str]]:
    return [one for page in pages for one in page.evaluate("window.made") if one["tag"] != "sample"]


def notes(*pages: Page) -> int:
    return sum(page.evaluate("window.notes") for page in pages)


def tabs(app: RunningApp, context: BrowserContext) -> tuple[Page, Page, Page]:
    return opened(context, app.url + "/settings"), opened(context, app.url), opened(context, app.url)


def arrived(app: RunningApp, *pages: Page) -> str:
    """A film that every tab has told."""
    file_id = app.generate("While <b>you</b> were away", **SMALL)
    for page in pages:
        expect(toasts(page).first).to_be_attached(timeout=WITHIN_MS)
    pages[0].wait_for_timeout(QUIET_MS)
    return file_id


def test_tabs_out_of_sight_show_one_notification_and_it_leads_to_the_film(
    app: RunningApp, recorded: BrowserContext
) -> None:
    pages = tabs(app, recorded)
    switch(pages[0], "System notifications")
    expect(pages[0].get_by_role("switch", name="System notifications")).to_be_checked()
    send_away(*pages)
    file_id = arrived(app, *pages)
    (one,) = made(*pages)
    assert one["title"].startswith(FILM)
    assert one["body"] == "While <b>you</b> were away"
    assert one["tag"].startswith(f"{file_id} arrived")
    assert [page.title()[:2] for page in pages] == ["● "] * 3
    (teller,) = [page for page in pages if made(page)]
    teller.evaluate("window.last.onclick()")
    teller.wait_for_url(f"**/g/{file_id}")
    send_away(teller, away=False)
    expect(teller).to_have_title("While <b>you</b> were away · Rushes")


def test_while_one_tab_is_in_sight_there_is_none(app: RunningApp, recorded: BrowserContext) -> None:
    pages = tabs(app, recorded)
    switch(pages[0], "System notifications")
    send_away(*pages[1:])
    arrived(app, *pages)
    assert made(*pages) == []
    assert [page.title()[:2] == "● " for page in pages] == [False, True, True]


def test_a_tab_that_is_closed_is_not_in_sight_any_more(app: RunningApp, recorded: BrowserContext) -> None:
    first, second, third = tabs(app, recorded)
    switch(first, "System notifications")
    send_away(first, second)
    third.close()
    arrived(app, first, second)
    assert len(made(first, second)) == 1


@pytest.mark.parametrize("permission", [("default", "granted")])
def test_nothing_is_asked_or_shown_until_a_person_turns_it_on(
    app: RunningApp, recorded: BrowserContext
) -> None:
    pages = tabs(app, recorded)
    expect(pages[0].get_by_role("switch", name="System notifications")).not_to_be_checked()
    send_away(*pages)
    arrived(app, *pages)
    assert made(*pages) == []
    assert notes(*pages) == 0
    assert [page.evaluate("window.asked") for page in pages] == [None] * 3


def test_a_failure_is_told_by_the_system_too(app: RunningApp, recorded: BrowserContext) -> None:
    page = opened(recorded, app.url + "/settings")
    switch(page, "System notifications")
    send_away(page)
    news = {
        "key": "one failed 4",
        "address": "/g/one",
        "tone": "trouble",
        "title": "It failed.",
        "body": "A kite",
    }
    page.evaluate("news => Promise.all([rushes.notices.tell(news), rushes.notices.tell(news)])", news)
    assert [one["title"] for one in made(page)] == ["It failed."]
    page.reload()
    send_away(page)
    page.evaluate("news => rushes.notices.tell(news)", news)
    assert made(page) == []


def test_the_choice_is_remembered_and_can_be_taken_back(app: RunningApp, recorded: BrowserContext) -> None:
    page = opened(recorded, app.url + "/settings")
    system = page.get_by_role("switch", name="System notifications")
    system.click()
    expect(system).to_be_checked()
    assert page.evaluate("window.made")[0]["title"] == "This is how it will look"
    page.reload()
    expect(system).to_be_checked()
    system.click()
    page.reload()
    expect(system).not_to_be_checked()


@pytest.mark.parametrize(
    ("permission", "sentence"),
    [
        (("default", "denied"), "The browser refuses them for this address."),
        (("denied", "denied"), "The browser refuses them for this address."),
        (("default", "default"), "The browser was not told to allow them."),
    ],
)
def test_a_refusal_is_told_with_what_to_do(
    app: RunningApp, recorded: BrowserContext, permission: tuple[str, str], sentence: str
) -> None:
    page = opened(recorded, app.url + "/settings")
    switch(page, "System notifications")
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(page.get_by_role("switch", name="System notifications")).not_to_be_checked()


def test_a_browser_that_may_is_asked_by_its_own_question(app: RunningApp, context: BrowserContext) -> None:
    context.grant_permissions(["notifications"])
    page = opened(context, app.url + "/settings")
    switch(page, "System notifications")
    expect(page.get_by_role("switch", name="System notifications")).to_be_checked()
    expect(page.get_by_text("Shown by your system while no page of Rushes is in sight.")).to_be_visible()


def test_over_plain_http_it_says_where_the_browser_allows_it(
    app: RunningApp, recorded: BrowserContext
) -> None:
    recorded.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    page = opened(recorded, app.url + "/settings")
    expect(page.get_by_text("The browser allows them only over https or on localhost.")).to_be_visible()
    expect(page.get_by_role("switch", name="System notifications")).to_be_disabled()
    expect(page.get_by_role("switch", name="Sound")).to_be_enabled()


def test_one_tab_of_all_is_heard(app: RunningApp, recorded: BrowserContext) -> None:
    pages = tabs(app, recorded)
    switch(pages[0], "Sound")
    for page in pages[1:]:
        page.mouse.click(600, 5)
    arrived(app, *pages)
    assert notes(*pages) == 2  # the two notes of an arrival


def test_the_sound_can_be_tried(app: RunningApp, recorded: BrowserContext) -> None:
    page = opened(recorded, app.url + "/settings")
    page.get_by_role("button", name="Try it").click()
    page.wait_for_function("window.notes === 2")


def test_switches_follow_each_other_between_tabs(app: RunningApp, recorded: BrowserContext) -> None:
    first, second = opened(recorded, app.url + "/settings"), opened(recorded, app.url + "/settings")
    switch(first, "Sound")
    expect(second.get_by_role("switch", name="Sound")).to_be_checked()
