"""Several tabs in a real browser: each is notified, none is switched."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, expect

from tests.support.app import RunningApp
from tests.support.browser import WITHIN_MS, film, generate, opened, player, press, shrink, toasts


def test_an_open_page_is_notified_but_never_switched_by_another_tab(
    app: RunningApp, page: Page, context: BrowserContext
) -> None:
    film(app, "First on the stage")
    player(opened(page, app.url), "First on the stage")
    other = opened(context.new_page(), app.url)
    shrink(other)
    generate(other, "Started elsewhere")
    expect(toasts(page)).to_have_count(1, timeout=WITHIN_MS)
    expect(toasts(other)).to_have_count(1)
    expect(page.get_by_role("heading", name="First on the stage")).to_be_visible()
    press(page, "Open")
    player(page, "Started elsewhere")
