"""Theme and language settings in a real browser."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect

from tests.support.app import RunningApp
from tests.support.browser import opened, press


def test_the_chosen_theme_is_remembered_and_there_before_the_first_paint(app: RunningApp, page: Page) -> None:
    opened(page, app.url)
    press(page, "Theme")
    page.get_by_text("Light", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    time.sleep(0.3)
    page.reload(wait_until="commit")
    page.wait_for_function("document.body")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_the_language_is_changed_and_what_was_typed_stays(app: RunningApp, page: Page) -> None:
    opened(page, app.url)
    page.get_by_label("Prompt", exact=True).fill("A draft in the making")
    page.wait_for_timeout(500)
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("radio", name="Русский").check(force=True)
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    expect(page.get_by_role("heading", name="Язык")).to_be_visible()
    page.get_by_role("link", name="Видео").click()
    expect(page.get_by_role("button", name="Создать", exact=True)).to_be_visible()
    expect(page.get_by_label("Описание", exact=True)).to_have_value("A draft in the making")
