"""The library in a real browser: search, tags, reuse, ZIP, trash and restore."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from services.media.xmp import facts_in
from tests.support.app import RunningApp
from tests.support.browser import PHONE, SMALL, WITHIN_MS, Profiles, too_wide, widened

PROMPTS = ("A lighthouse above a stormy sea", "A quiet forest in the rain", "Red dunes at noon")


@pytest.fixture(scope="module")
def library(app: RunningApp) -> str:
    """Its address; three films are in it."""
    for file_id in [app.generate(prompt, **SMALL) for prompt in PROMPTS]:
        app.wait_until(lambda file_id=file_id: app.get(f"/api/file/{file_id}")["thumbnail_url"], 90)
    return f"{app.url}/library"


@pytest.fixture
def page(library: str, page: Page) -> Page:
    page.goto(library)
    expect(page.locator(".r-tile")).to_have_count(3)
    return page


def test_a_search_finds_while_it_is_typed_and_the_way_back_leads_to_it(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("light")
    expect(page.locator(".r-tile")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=light$"))
    page.locator(".r-tile-link").click()
    expect(page).to_have_url(re.compile(r"/g/"))
    expect(page.get_by_role("heading", name="A lighthouse above a stormy sea")).to_be_visible()
    page.go_back()
    expect(page.locator(".r-tile")).to_have_count(1)
    expect(page.get_by_label("Search", exact=True)).to_have_value("light")
    page.get_by_label("Search", exact=True).fill('"no such )')
    expect(page.get_by_text("No results.")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator(".r-tile")).to_have_count(3)


def test_a_preview_lives_only_while_the_pointer_is_there(page: Page) -> None:
    expect(page.locator("video")).to_have_count(0)
    page.locator(".r-tile-link").nth(1).hover()
    expect(page.locator(".r-tile video")).to_have_count(1)
    page.mouse.move(5, 5)
    expect(page.locator("video")).to_have_count(0)


def test_the_menu_of_a_tile_opens_each_time(page: Page) -> None:
    for tile in (0, 1, 1):
        page.locator(".r-tile").nth(tile).hover()
        page.locator(".r-tile-more").nth(tile).click()
        expect(page.get_by_role("menu")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("menu")).to_have_count(0)


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("s")
    middle = page.locator(".r-tile").nth(1)
    expect(middle.locator(".r-tile-star")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("x")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_role("toolbar")).to_contain_text("2 selected")
    page.keyboard.press("Escape")
    expect(page.get_by_role("toolbar")).to_have_count(0)
    page.keyboard.press("Control+a")
    expect(page.get_by_role("toolbar")).to_contain_text("3 selected")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Starred").click()
    expect(page.locator(".r-tile")).to_have_count(1)
    page.locator(".r-tile-link").focus()
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/g/"))


@pytest.mark.parametrize("key", ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight"])
@pytest.mark.parametrize("place", ["page", "background", "search", "button"])
def test_arrow_keys_enter_the_grid(page: Page, place: str, key: str) -> None:
    if place == "background":
        page.locator(".r-library-sum").click()
    elif place == "search":
        page.get_by_label("Search", exact=True).click()
        if key != "ArrowDown":
            return
    elif place == "button":
        page.get_by_role("button", name="Starred").focus()
    page.keyboard.press(key)
    expect(page.locator(".r-tile-link").first).to_be_focused()


def test_shift_and_x_select_a_range(page: Page) -> None:
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+X")
    expect(page.get_by_role("toolbar")).to_contain_text("1 selected")
    page.keyboard.press("End")
    page.keyboard.press("Shift+X")
    expect(page.get_by_role("toolbar")).to_contain_text("3 selected")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+X")
    expect(page.get_by_role("toolbar")).to_contain_text("2 selected")


def test_settings_are_reused_in_the_composer(page: Page) -> None:
    card = page.locator(".r-tile", has_text="Red dunes")
    card.hover()
    card.get_by_role("button", name=re.compile("^More")).click()
    page.get_by_role("menuitem", name="Reuse settings").click()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("Red dunes at noon")


def test_a_tag_is_given_and_found_by(page: Page) -> None:
    page.locator(".r-tile-link").first.focus()
    page.keyboard.press("t")
    page.get_by_label("New tag").fill("night shoot")
    page.keyboard.press("Enter")
    expect(page.locator(".r-tile-tag", has_text="night shoot")).to_have_count(1)
    page.get_by_role("combobox", name="All tags").click()
    page.get_by_role("option", name="night shoot").click()
    expect(page.locator(".r-tile")).to_have_count(1)


def test_a_zip_opens_and_holds_the_metadata(page: Page) -> None:
    page.locator(".r-tile-link").first.focus()
    page.keyboard.press("Control+a")
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download as ZIP").click()
    assert caught.value.suggested_filename == "rushes.zip"
    with zipfile.ZipFile(io.BytesIO(Path(caught.value.path()).read_bytes())) as archive:
        assert archive.testzip() is None
        facts = [facts_in(archive.read(name)) for name in archive.namelist()]
    assert {each["prompt"] for each in facts if each} == set(PROMPTS)
    expect(page).to_have_url(re.compile(r"/library$"))


def test_what_is_deleted_comes_back_by_undo_or_from_the_trash(page: Page) -> None:
    page.locator(".r-tile", has_text="forest").locator("a").focus()
    page.keyboard.press("Delete")
    expect(page.locator(".r-tile")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".r-tile")).to_have_count(3)
    expect(page.locator(".r-tile").nth(1)).to_contain_text("forest")
    page.locator(".r-tile", has_text="forest").locator("a").focus()
    page.keyboard.press("Delete")
    expect(page.locator(".r-tile")).to_have_count(2)
    page.get_by_role("button", name="Trash").click()
    expect(page.locator(".r-tile")).to_have_count(1)
    expect(page.locator(".r-tile img")).to_have_js_property("complete", True)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("The trash is empty.")).to_be_visible()
    page.get_by_role("button", name="Back to library").click()
    expect(page.locator(".r-tile")).to_have_count(3)


def test_a_file_from_here_brings_its_settings_back(app: RunningApp, page: Page, tmp_path: Path) -> None:
    card = page.locator(".r-tile", has_text="Red dunes")
    card.locator("a").focus()
    with page.expect_download() as caught:
        page.keyboard.press("d")
    copy = tmp_path / caught.value.suggested_filename
    caught.value.save_as(copy)
    facts = facts_in(copy.read_bytes())
    assert facts is not None
    page.goto(f"{app.url}/image")
    page.locator(".r-well input[type=file]").set_input_files(copy)
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("Red dunes at noon")
    expect(page).to_have_url(f"{app.url}/")
    expect(page.get_by_label(re.compile("^Seed"))).to_have_value(str(facts["seed"]))


def test_a_new_one_comes_by_itself_and_waits_while_somebody_points(app: RunningApp, page: Page) -> None:
    page.locator(".r-tile-link").first.hover()
    kite = app.generate("A kite that has just been made", **SMALL)
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    expect(page.locator(".r-tile").first).not_to_contain_text("A kite")
    page.get_by_role("button", name="1 new").click()
    expect(page.locator(".r-tile").first).to_contain_text("A kite")
    expect(page.locator(".r-tile").first.locator("img")).to_have_count(1, timeout=WITHIN_MS)
    app.delete(f"/api/file/{kite}")
    expect(page.locator(".r-tile")).to_have_count(3)


def test_nothing_is_wider_than_the_screen(profiles: Profiles, library: str) -> None:
    page = profiles.lend(viewport=PHONE).new_page()
    page.goto(library)
    page.locator(".r-tile-link").first.focus()
    page.keyboard.press("x")
    expect(page.get_by_role("toolbar")).to_be_visible()
    for width in widened(page, (360, 768, 1280)):
        assert not too_wide(page), width
        bar = page.get_by_role("toolbar").bounding_box()
        assert bar is not None
        assert bar["x"] >= 0
        assert bar["x"] + bar["width"] <= width
