"""The video page by the keyboard alone, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.app import RunningApp
from tests.support.browser import Profiles, film, opened, player


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
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()


def keys(page: Page) -> str:
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    text = dialog.inner_text()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    return text


@pytest.mark.parametrize("source", ["navigator.platform", "navigator.userAgentData"])
def test_a_mac_shows_its_own_key(app: RunningApp, profiles: Profiles, source: str) -> None:
    page = profiles.lend(color_scheme="dark").new_page()
    assert "Ctrl" in opened(page, app.url).locator(".r-hint").inner_text()
    assert "Ctrl" in keys(page)
    value = "'MacIntel'" if source.endswith("platform") else "{ platform: 'macOS' }"
    owner, name = source.split(".")
    page.add_init_script(f"Object.defineProperty({owner}, '{name}', {{ value: {value} }})")
    if name == "platform":
        page.add_init_script("Object.defineProperty(navigator, 'userAgentData', { value: undefined })")
    hint = opened(page, app.url).locator(".r-hint").inner_text()
    assert "⌘" in hint
    assert "Ctrl" not in hint
    listed = keys(page)
    assert "⌘" in listed
    assert "Ctrl" not in listed


def test_letters_are_keys_in_other_scripts_and_with_caps_lock_too(app: RunningApp, page: Page) -> None:
    film(app, "A tagged one")
    opened(page, f"{app.url}/library")
    tile = page.locator(".r-tile-link").first
    tile.focus()
    for key in ("ч", "X"):
        tile.dispatch_event("keydown", {"key": key, "code": "KeyX", "bubbles": True})
        expect(page.get_by_role("toolbar")).to_have_count(1 if key == "ч" else 0)
