""" "Animate" and "Use as source" show what they act on, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.app import RunningApp
from tests.support.browser import PHONE, Profiles, opened

IN_SIGHT = """(one) => {
    const { top, bottom } = one.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
}"""


@pytest.fixture(scope="module")
def images(app: RunningApp) -> list[str]:
    """Four of one request, in their order."""
    wanted = {"prompt": "A boat", "resolution": "360p", "count": 4}
    ids = list(app.post("/api/generate/image", wanted).json()["fileIds"])
    for each in ids:
        app.wait_for(each)
    return ids


def third(page: Page, app: RunningApp) -> Page:
    """The image page with the third of the four on the stage; the newest stands first."""
    opened(page, f"{app.url}/image")
    page.get_by_role("option", name="A boat").nth(1).click()
    expect(page.locator(".r-meta")).to_contain_text("image 3 of 4")
    return page


def sees_the_source(page: Page) -> None:
    thumbnail = page.get_by_role("img", name="Starting image")
    expect(thumbnail).to_be_visible()
    expect(page.get_by_text("image 3 of 4 · A boat", exact=True)).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_be_focused()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("A boat")
    page.wait_for_timeout(300)
    assert thumbnail.evaluate(IN_SIGHT)
    assert page.get_by_label("Prompt", exact=True).evaluate(IN_SIGHT)


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("act", ["Animate", "Use as source"])
@pytest.mark.parametrize("size", [{"width": 1280, "height": 720}, PHONE])
def test_the_form_shows_the_picture_and_takes_the_focus(
    app: RunningApp, profiles: Profiles, size: dict[str, int], act: str
) -> None:
    page = third(profiles.lend(viewport=size).new_page(), app)
    page.get_by_role("button", name=act).click()
    sees_the_source(page)
    expect(page).to_have_url(f"{app.url}/" if act == "Animate" else f"{app.url}/image")


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("act", ["Animate", "Use as source"])
def test_the_picture_is_marked_while_the_button_has_pointer_or_focus(
    app: RunningApp, page: Page, act: str
) -> None:
    third(page, app)
    outline = "getComputedStyle(document.querySelector('.r-gate')).outlineStyle"
    button = page.get_by_role("button", name=act)
    assert page.evaluate(outline) == "none"
    button.hover()
    assert page.evaluate(outline) == "solid"
    expect(button).to_have_attribute("title", "Starting image: image 3 of 4 · A boat")
    page.mouse.move(2, 2)
    page.get_by_role("button", name="Copy link").focus()
    page.keyboard.press("Tab" if act == "Animate" else "Shift+Tab")
    button.focus()
    assert page.evaluate(outline) == "solid"


def test_the_library_and_the_page_of_one_lead_there_too(
    app: RunningApp, page: Page, images: list[str]
) -> None:
    opened(page, f"{app.url}/g/{images[2]}")
    page.get_by_role("button", name="Animate").click()
    sees_the_source(page)
    page.get_by_role("button", name="Remove image").click()
    opened(page, f"{app.url}/library")
    tile = page.locator(".r-tile").nth(1)
    tile.hover()
    tile.get_by_role("button", name=re.compile("^More")).click()
    expect(tile).to_have_class(re.compile("acting"))
    page.get_by_role("menuitem", name="Use as source").click()
    sees_the_source(page)


def test_a_reload_later_takes_no_focus(app: RunningApp, page: Page, images: list[str]) -> None:
    opened(page, f"{app.url}/g/{images[2]}")
    page.get_by_role("button", name="Animate").click()
    sees_the_source(page)
    opened(page, app.url)
    page.wait_for_timeout(300)
    expect(page.get_by_label("Prompt", exact=True)).not_to_be_focused()
