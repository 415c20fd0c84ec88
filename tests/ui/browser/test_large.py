"""The picture is as large as the window allows, on the stage and in the lightbox."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.app import RunningApp
from tests.support.axe import grave_findings
from tests.support.browser import WITHIN_MS, Profiles, opened

SHAPES = ("16:9", "9:16", "1:1")
MEASURED = """() => {
    const player = document.querySelector(".r-player"), box = player.getBoundingClientRect();
    const [width, height] = [player.videoWidth || player.naturalWidth, player.videoHeight || player.naturalHeight];
    return { bars: Math.abs(box.width / box.height - width / height) * 100, width: box.width, height: box.height,
        column: document.querySelector(".r-column").clientWidth };
}"""


@pytest.fixture(scope="module")
def images(app: RunningApp) -> list[str]:
    """Oldest first."""
    ids = []
    for shape in SHAPES:
        wanted = {"prompt": f"A boat in {shape}", "aspect_ratio": shape, "resolution": "360p"}
        ids.append(app.post("/api/generate/image", wanted).json()["fileId"])
        app.wait_for(ids[-1])
    return ids


@pytest.fixture
def large(app: RunningApp, page: Page, images: list[str]) -> Page:
    """The lightbox over the newest image."""
    page.set_viewport_size({"width": 1280, "height": 720})
    opened(page, f"{app.url}/image")
    app.wait_until(lambda: all(app.get(f"/api/file/{each}")["thumbnail_url"] for each in images), 60)
    expect(page.locator(".r-strip .r-card-picture img:not(.hidden)")).to_have_count(len(SHAPES))
    page.locator("img.r-player").click()
    expect(page.get_by_role("dialog", name="A boat in 1:1")).to_be_visible()
    return page


@pytest.mark.parametrize("size", [(1280, 720), (360, 780)])
def test_the_picture_is_as_large_as_the_window_allows_without_bars(
    app: RunningApp, profiles: Profiles, images: list[str], size: tuple[int, int]
) -> None:
    page = profiles.lend(viewport={"width": size[0], "height": size[1]}).new_page()
    opened(page, f"{app.url}/image")
    for shape in SHAPES:
        page.get_by_role("option", name=f"A boat in {shape}").click()
        expect(page.get_by_role("img", name=f"A boat in {shape}", exact=True)).to_be_visible()
        page.wait_for_function("document.querySelector('.r-player').complete")
        page.wait_for_timeout(200)
        found = page.evaluate(MEASURED)
        assert found["bars"] < 2, shape
        widest = found["column"] - (48 if size[0] > 700 else 0)
        assert found["width"] >= widest - 2 or found["height"] >= size[1] - 145, (shape, found)
        if size[0] > 700:  # the buttons below it are in sight
            box = page.get_by_role("button", name="Download", exact=True).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= size[1], shape


def test_a_film_has_no_bars_either(app: RunningApp, page: Page) -> None:
    file_id = app.generate("A tall tower", aspect_ratio="9:16", resolution="360p", duration=1, fps=12)
    app.wait_for(file_id)
    page.set_viewport_size({"width": 1280, "height": 720})
    opened(page, app.url)
    page.wait_for_function("document.querySelector('video').readyState >= 2", timeout=WITHIN_MS)
    found = page.evaluate(MEASURED)
    assert found["bars"] < 2
    assert found["height"] >= 575


def test_a_click_opens_the_picture_large_and_escape_leaves_it(large: Page) -> None:
    box = large.locator(".r-large img").bounding_box()
    assert box is not None
    assert box["height"] == pytest.approx(720, abs=1)
    assert grave_findings(large) == ""
    large.keyboard.press("Escape")
    expect(large.locator("dialog[open]")).to_have_count(0)
    expect(large.get_by_role("heading", name="A boat in 1:1")).to_be_visible()


def test_arrows_step_to_the_neighbours_and_the_stage_follows(large: Page) -> None:
    large.keyboard.press("ArrowLeft")
    expect(large.get_by_role("dialog", name="A boat in 1:1")).to_be_visible()
    large.keyboard.press("ArrowRight")
    expect(large.get_by_role("dialog", name="A boat in 9:16")).to_be_visible()
    expect(large.get_by_role("dialog").get_by_role("status")).to_have_text("2 of 3")
    large.get_by_role("button", name="Next image").click()
    expect(large.get_by_role("dialog", name="A boat in 16:9")).to_be_visible()
    expect(large.get_by_role("button", name="Next image")).to_be_disabled()
    large.keyboard.press("Escape")
    expect(large.get_by_role("heading", name="A boat in 16:9")).to_be_visible()


def test_it_zooms_by_click_wheel_and_key(large: Page) -> None:
    width = "document.querySelector('.r-large img').getBoundingClientRect().width"
    whole = large.evaluate(width)
    large.mouse.click(640, 360)
    assert large.evaluate(width) >= 2 * whole - 1
    large.mouse.click(640, 360)
    assert large.evaluate(width) == pytest.approx(whole, abs=1)
    large.keyboard.press("+")
    assert large.evaluate(width) == pytest.approx(1.5 * whole, abs=1)
    large.keyboard.press("0")
    large.mouse.move(640, 360)
    large.mouse.wheel(0, -200)
    large.wait_for_function(f"{width} > {whole} * 1.2")


def test_the_keyboard_alone_opens_it(app: RunningApp, page: Page, images: list[str]) -> None:
    opened(page, f"{app.url}/g/{images[0]}")
    button = page.get_by_role("button", name="View large")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="A boat in 16:9")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(button).to_be_focused()
