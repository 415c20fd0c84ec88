"""Words have room at every width, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.app import RunningApp
from tests.support.browser import LONG, PHONE, Profiles, film, opened, player, press, too_wide, widened

CUT = """[...document.querySelectorAll("button, .r-btn, .r-place, .r-label, .r-option, .r-facts dt")]
    .filter((one) => one.clientWidth && one.scrollWidth > one.clientWidth).map((one) => one.textContent)"""

WORDS = "A word, тихий пруд" + " and another" * 30 + "x" * 200
COUNTED = re.compile(r"^Поток: \d+ событи[еяй]\. Опрос: \d+ запрос(?:а|ов)?\.")


@pytest.fixture(scope="module")
def wordy(app: RunningApp) -> str:
    return film(app, WORDS)


@pytest.fixture
def phone(profiles: Profiles) -> Page:
    return profiles.lend(viewport=PHONE).new_page()


def test_nothing_is_wider_than_the_screen(app: RunningApp, phone: Page, wordy: str) -> None:
    for path in ("/", "/g/nothing", f"/g/{wordy}"):
        opened(phone, app.url + path)
        phone.wait_for_timeout(300)
        for width in widened(phone, (360, 768, 1280)):
            for scheme in ("light", "dark"):
                phone.emulate_media(color_scheme=scheme)
                expect(phone.locator("html")).to_have_attribute("data-theme", scheme)
                assert not too_wide(phone), (path, scheme, width)


@pytest.mark.usefixtures("wordy")
def test_a_phone_has_the_stage_first_and_the_composer_first_while_it_is_empty(
    app: RunningApp, phone: Page
) -> None:
    player(opened(phone, app.url), WORDS)

    top = "document.querySelector('{}').getBoundingClientRect().top"
    stage, composer = top.format(".r-stage"), top.format(".r-composer")
    phone.wait_for_function(f"{stage} < {composer}")
    press(phone, "New: clear the current result")
    expect(phone.get_by_text("Nothing here yet")).to_be_visible()
    phone.wait_for_function(f"{stage} > {composer}")


def test_russian_words_have_room(app: RunningApp, profiles: Profiles, wordy: str) -> None:
    """Buttons, navigation and fields show their whole text."""
    page = profiles.lend(viewport=PHONE, locale="ru-RU").new_page()
    for path in ("/", f"/g/{wordy}", "/settings", "/nowhere"):
        opened(page, app.url + path)
        expect(page.get_by_role("link", name="Настройки")).to_be_visible()
        page.wait_for_timeout(300)
        for width in widened(page, (360, 1280)):
            assert not too_wide(page), (path, width)
            assert page.evaluate(CUT) == [], (path, width)
            if path == "/":
                expect(page.get_by_role("img", name=COUNTED)).to_be_visible()


SCROLLBAR_PX = 17
"""On Windows; a headless browser draws none."""
ROWS = """[...document.querySelectorAll(".r-acts, .r-unwanted")].filter((row) => row.clientWidth).map((row) => {
    const shown = [...row.querySelectorAll(".r-btn")].map((one) => one.getBoundingClientRect());
    return {
        rows: new Set(shown.map((box) => Math.round(box.top))).size,
        lines: Math.max(...shown.map((box) => box.height)),
        spare: row.clientWidth - shown.reduce((sum, box) => sum + box.width + 8, -8),
    };
})"""


@pytest.mark.parametrize("language", ["en-US", "ru-RU"])
def test_the_stage_s_buttons_stand_in_one_row_at_1280(
    app: RunningApp, profiles: Profiles, wordy: str, language: str
) -> None:
    page = profiles.lend(viewport={"width": 1280, "height": 720}, locale=language).new_page()
    image = app.post("/api/generate/image", {"prompt": "A boat", "resolution": "360p"}).json()["fileId"]
    app.wait_for(image)
    stopped = app.generate("To be stopped", **LONG)
    addresses = ["/image", f"/g/{image}", f"/g/{wordy}", f"/g/{stopped}", "/"]
    for round_, wanted in (("working", addresses[-2:]), ("done", addresses)):
        if round_ == "done":
            app.post(f"/api/file/{stopped}/stop")
            app.wait_for(stopped, status="dropped")
        for path in wanted:
            opened(page, app.url + path)
            expect(page.locator(".r-acts .r-btn").first).to_be_visible()
            for row in page.evaluate(ROWS):
                assert row["rows"] == 1, (round_, path, row)
                assert row["lines"] < 40, (round_, path, row)
                assert row["spare"] > SCROLLBAR_PX, (round_, path, row)
