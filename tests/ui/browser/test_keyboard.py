"""The video page by the keyboard alone, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.app import RunningApp
from tests.support.browser import film, opened, player


def test_the_keyboard_alone_is_enough(app: RunningApp, page: Page) -> None:
    film(app, "An earlier one")
    player(opened(page, app.url), "An earlier one")
    page.keyboard.press("/")
    expect(page.get_by_label("Prompt", exact=True)).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("Fog in a pine forest / dawn ?")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Fog in a pine forest / dawn ?")).to_be_visible()
    player(page, "Fog in a pine forest / dawn ?")
    page.keyboard.press("Escape")
    page.keyboard.press(" ")
    page.wait_for_function("!document.querySelector('video').paused")
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('video').paused")
    page.keyboard.press("ArrowRight")
    player(page, "An earlier one")
    page.keyboard.press("ArrowLeft")
    player(page, "Fog in a pine forest / dawn ?")
    with page.expect_download() as saved:
        page.keyboard.press("d")
    assert Path(saved.value.path()).stat().st_size > 1000
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
