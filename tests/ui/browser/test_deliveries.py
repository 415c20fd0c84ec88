"""The deliveries in a real browser: drawn in both themes, live, nothing cut off on a phone, a bundle to save."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.app import RunningApp
from tests.support.browser import PHONE, Profiles, film, too_wide


@pytest.fixture(scope="module")
def lighthouse(app: RunningApp) -> str:
    return film(app, "A lighthouse above a stormy sea")


@pytest.fixture
def page(app: RunningApp, page: Page, lighthouse: str) -> Page:
    page.goto(f"{app.url}/deliveries")
    expect(page.locator(".r-plot-drawing svg")).to_have_count(5)
    expect(page.get_by_text(re.compile("^Based on"))).to_be_visible()
    return page


def bar(page: Page) -> Locator:
    """Returns the first mark of a delivery over push or poll."""
    bars = page.locator(
        '.r-plot-drawing svg path[fill="var(--push)"], .r-plot-drawing svg path[fill="var(--poll)"]'
    )
    return bars.last


def test_the_plots_are_drawn_and_change_colour_with_the_theme(page: Page) -> None:
    expect(page.locator(".r-plot-drawing svg text").first).to_be_attached()
    page.evaluate("rushes.theme('dark')")
    expect(bar(page)).to_have_css("fill", re.compile(r"rgb\((111, 211, 155|122, 178, 255)\)"))
    page.evaluate("rushes.theme('light')")
    expect(bar(page)).to_have_css("fill", re.compile(r"rgb\((26, 122, 72|29, 91, 184)\)"))
    expect(page.get_by_role("img", name=re.compile(r"^Of \d+, \d+ by push"))).to_be_visible()


def test_what_is_made_now_comes_and_goes_and_is_counted(page: Page, app: RunningApp) -> None:
    delivered = page.locator(".r-tile-figure", has_text="Delivered").locator(".r-tile-value")
    before = int(delivered.inner_text())
    app.generate("Red dunes at noon", resolution="360p", duration=4, fps=12)
    row = page.locator(".r-open-row", has_text="Red dunes at noon")
    expect(row).to_be_visible()
    expect(row).to_contain_text("connected")
    expect(row).to_have_count(0, timeout=90_000)
    expect(delivered).to_have_text(str(before + 1), timeout=20_000)


def test_the_table_opens_by_the_keyboard_and_says_the_same(page: Page) -> None:
    page.locator("summary", has_text="Show as table").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("table").get_by_role("rowheader", name="Total")).to_be_visible()


def test_the_bundle_is_saved_under_its_own_name(app: RunningApp, profiles: Profiles, lighthouse: str) -> None:
    page = profiles.lend().new_page()
    page.goto(f"{app.url}/deliveries?id={lighthouse}")
    expect(page.locator(".r-lanes svg")).to_be_visible()
    with page.expect_download() as saving:
        page.get_by_role("link", name="Download bug report").click()
    assert saving.value.suggested_filename == f"rushes-{lighthouse}.json"
    text = Path(saving.value.path()).read_text()
    bundle = json.loads(text)
    assert bundle["receipt"]["won_by"] in ("push", "poll")
    assert {entry["lane"] for entry in bundle["trace"]} >= {"push", "engine"}
    assert "http" not in text and "127.0.0.1" not in text


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
def test_nothing_is_cut_off_at_360_pixels(
    app: RunningApp, profiles: Profiles, lighthouse: str, locale: str
) -> None:
    page = profiles.lend(viewport=PHONE, locale=locale).new_page()
    page.goto(f"{app.url}/deliveries?id={lighthouse}")
    expect(page.locator(".r-plot-drawing svg")).to_have_count(5)
    page.locator("summary").last.click()
    assert not too_wide(page)
    beyond = page.evaluate(
        "[...document.querySelectorAll('.r-main *')].filter((one) => !one.closest('.r-scroll')"
        " && one.getBoundingClientRect().right > 360).map((one) => one.className || one.tagName)"
    )
    assert beyond == []
    cut = page.evaluate(
        "[...document.querySelectorAll('.r-place')].filter((one) => one.offsetWidth"
        " && one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
    )
    assert cut == []
    expect(page.locator(".r-place:visible")).to_have_count(6)
