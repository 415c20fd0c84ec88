"""System notifications and sound in a real browser: once, whatever the number of tabs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.app import RunningApp
from tests.support.browser import SCREEN, SMALL, WITHIN_MS, opened

STAND_IN = """
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
TELLING = """(() => {
    const { tell } = rushes.notices;
    window.telling = [];
    rushes.notices.tell = (news) => telling[telling.push(tell(news)) - 1];
})()"""
AT_REST = """
    Notification.permission = "default";
    Object.assign(window, { made: [], notes: 0, asked: undefined, telling: [] });
"""
FILM = "Video generated successfully"
QUIET_MS = 1000
"""Waits long enough for an unwanted second notification to appear."""


def recorded(before: str, answer: str) -> str:
    """Records notifications and sounds; `before` and `after` are the permission around the request."""
    return STAND_IN.replace("PERMISSION", before).replace("ANSWER", answer)


class Tabs:
    """Three tabs of one browser, opened before any permission was requested."""

    PLACES = ("/settings", "/", "/")

    def __init__(self, context: BrowserContext, url: str) -> None:
        self._context = context
        self._urls = [url + place for place in self.PLACES]
        self.pages = [self._opened(url) for url in self._urls]
        assert [page.evaluate("window.asked") for page in self.pages] == [None] * 3

    def rest(self) -> None:
        """Resets the tabs: visible, nothing recorded, all settings off."""
        for index, (page, url) in enumerate(zip(self.pages, self._urls, strict=True)):
            if page.is_closed() or page.url != url:
                page.close()
                self.pages[index] = self._opened(url)
        send_away(*self.pages, away=False)
        for name in ("System notifications", "Sound"):
            if switch(self.pages[0], name).is_checked():
                switch(self.pages[0], name).click()
        for page in self.pages:
            page.evaluate(AT_REST)

    def _opened(self, url: str) -> Page:
        page = opened(self._context.new_page(), url)
        page.evaluate(TELLING)
        return page


@pytest.fixture(scope="module")
def three_tabs(app: RunningApp, browser: Browser) -> Iterator[Tabs]:
    with browser.new_context(viewport=SCREEN) as context:  # type: ignore[arg-type]
        context.add_init_script(recorded("default", "granted"))
        yield Tabs(context, app.url)


@pytest.fixture
def tabs(three_tabs: Tabs) -> list[Page]:
    three_tabs.rest()
    return three_tabs.pages


@pytest.fixture
def permission() -> tuple[str, str]:
    """What the browser says before and after it was asked."""
    return "granted", "granted"


@pytest.fixture
def page(page: Page, permission: tuple[str, str]) -> Page:
    page.add_init_script(recorded(*permission))
    return page


def switch(page: Page, name: str) -> Locator:
    return page.get_by_role("switch", name=name, exact=True)


def turn_on(page: Page, name: str) -> None:
    switch(page, name).click()
    expect(switch(page, name)).to_be_checked()


def send_away(*pages: Page, away: bool = True) -> None:
    for page in pages:
        page.evaluate(
            f"window.away = {str(away).lower()}; document.dispatchEvent(new Event('visibilitychange'))"
        )


def made(*pages: Page) -> list[dict[str, str]]:
    return [one for page in pages for one in page.evaluate("window.made") if one["tag"] != "sample"]


def notes(*pages: Page) -> int:
    return sum(page.evaluate("window.notes") for page in pages)


def arrived(app: RunningApp, *pages: Page) -> str:
    """Makes a film whose notification every tab has shown and closed."""
    file_id = app.generate("While <b>you</b> were away", **SMALL)
    for page in pages:
        page.wait_for_function("telling.length > 0", timeout=WITHIN_MS)
        page.evaluate("Promise.all(telling)")
    pages[0].wait_for_timeout(QUIET_MS)
    return file_id


def test_tabs_out_of_sight_show_one_notification_and_it_leads_to_the_film(
    app: RunningApp, tabs: list[Page]
) -> None:
    turn_on(tabs[0], "System notifications")
    send_away(*tabs)
    file_id = arrived(app, *tabs)
    (one,) = made(*tabs)
    assert one["title"].startswith(FILM)
    assert one["body"] == "While <b>you</b> were away"
    assert one["tag"].startswith(f"{file_id} arrived")
    for page in tabs:
        expect(page).to_have_title(re.compile("^● "))
    (teller,) = [page for page in tabs if made(page)]
    teller.evaluate("window.last.onclick()")
    teller.wait_for_url(f"**/g/{file_id}")
    send_away(teller, away=False)
    expect(teller).to_have_title("While <b>you</b> were away · Rushes")


def test_while_one_tab_is_in_sight_there_is_only_a_mark_on_the_others_until_they_are_seen(
    app: RunningApp, tabs: list[Page]
) -> None:
    turn_on(tabs[0], "System notifications")
    send_away(*tabs[1:])
    arrived(app, *tabs)
    assert made(*tabs) == []
    for page, title in zip(tabs, ["Settings · Rushes", *["● Video · Rushes"] * 2], strict=True):
        expect(page).to_have_title(title)
    send_away(*tabs[1:], away=False)
    for page, title in zip(tabs, ["Settings · Rushes", *["Video · Rushes"] * 2], strict=True):
        expect(page).to_have_title(title)


def test_a_tab_that_is_closed_is_not_in_sight_any_more(app: RunningApp, tabs: list[Page]) -> None:
    first, second, third = tabs
    turn_on(first, "System notifications")
    send_away(first, second)
    third.close()
    arrived(app, first, second)
    assert len(made(first, second)) == 1


def test_nothing_is_asked_or_shown_until_a_person_turns_it_on(app: RunningApp, tabs: list[Page]) -> None:
    expect(switch(tabs[0], "System notifications")).not_to_be_checked()
    send_away(*tabs)
    arrived(app, *tabs)
    assert made(*tabs) == []
    assert notes(*tabs) == 0
    assert [page.evaluate("window.asked") for page in tabs] == [None] * 3


def test_only_one_tab_plays_the_sound(app: RunningApp, tabs: list[Page]) -> None:
    turn_on(tabs[0], "Sound")
    for page in tabs[1:]:
        page.mouse.click(600, 5)
    arrived(app, *tabs)
    assert notes(*tabs) == 2  # the two notes of an arrival


def test_a_failure_is_shown_as_a_system_notification_too(app: RunningApp, page: Page) -> None:
    opened(page, app.url + "/settings")
    turn_on(page, "System notifications")
    send_away(page)
    news = {
        "key": "one failed 4",
        "address": "/g/one",
        "tone": "trouble",
        "title": "Failed.",
        "body": "A kite",
    }
    page.evaluate("news => Promise.all([rushes.notices.tell(news), rushes.notices.tell(news)])", news)
    assert [one["title"] for one in made(page)] == ["Failed."]
    page.reload()
    send_away(page)
    page.evaluate("news => rushes.notices.tell(news)", news)
    assert made(page) == []


def test_the_choice_is_remembered_and_can_be_taken_back(app: RunningApp, page: Page) -> None:
    opened(page, app.url + "/settings")
    system = switch(page, "System notifications")
    system.click()
    expect(system).to_be_checked()
    page.wait_for_function("window.made[0]?.title === 'Sample notification'")
    page.reload()
    expect(system).to_be_checked()
    system.click()
    expect(system).not_to_be_checked()
    page.reload()
    expect(system).not_to_be_checked()


@pytest.mark.parametrize(
    ("permission", "sentence"),
    [
        (("default", "denied"), "Notifications are blocked for this site."),
        (("denied", "denied"), "Notifications are blocked for this site."),
        (("default", "default"), "Permission was not granted."),
    ],
)
def test_a_denied_permission_is_explained_with_advice(app: RunningApp, page: Page, sentence: str) -> None:
    opened(page, app.url + "/settings")
    switch(page, "System notifications").click()
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(switch(page, "System notifications")).not_to_be_checked()


def test_a_browser_that_may_is_asked_by_its_own_question(app: RunningApp, context: BrowserContext) -> None:
    context.grant_permissions(["notifications"])
    page = opened(context.new_page(), app.url + "/settings")
    turn_on(page, "System notifications")
    expect(page.get_by_text("Shown by your system when Rushes is in the background.")).to_be_visible()


def test_over_plain_http_it_says_where_the_browser_allows_it(app: RunningApp, page: Page) -> None:
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    opened(page, app.url + "/settings")
    expect(page.get_by_text("Notifications require HTTPS or localhost.")).to_be_visible()
    expect(switch(page, "System notifications")).to_be_disabled()
    expect(switch(page, "Sound")).to_be_enabled()


def test_the_sound_can_be_tried(app: RunningApp, page: Page) -> None:
    opened(page, app.url + "/settings")
    page.get_by_role("button", name="Test sound").click()
    page.wait_for_function("window.notes === 2")


def test_switches_follow_each_other_between_tabs(
    app: RunningApp, page: Page, context: BrowserContext
) -> None:
    opened(page, app.url + "/settings")
    other = opened(context.new_page(), app.url + "/settings")
    switch(page, "Sound").click()
    expect(switch(other, "Sound")).to_be_checked()
