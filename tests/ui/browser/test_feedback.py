"""What a press answers, and where toasts stand, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.app import RunningApp
from tests.support.browser import WITHIN_MS, Profiles, film, opened, press

PHONE = {"width": 360, "height": 780}
LAPTOP = {"width": 1280, "height": 720}


@pytest.fixture
def phone(profiles: Profiles) -> Page:
    return profiles.lend(viewport=PHONE).new_page()


@pytest.fixture(scope="module")
def kite(app: RunningApp) -> str:
    return film(app, "A kite")


def staged(page: Page, app: RunningApp) -> None:
    """Opens the page, with any film on its stage."""
    expect(opened(page, app.url).locator(".r-stage video")).to_be_visible(timeout=WITHIN_MS)


def in_sight(page: Page, selector: str) -> bool:
    return bool(
        page.evaluate(
            "(one) => { const box = document.querySelector(one).getBoundingClientRect();"
            " return box.top >= 0 && box.top < innerHeight / 2 }",
            selector,
        )
    )


def keeps_clear_of(page: Page, selector: str) -> None:
    """Within a moment, as toasts slide to their place, and well before they go by themselves."""
    page.wait_for_function(
        """(selector) => {
            const boxes = (which) => [...document.querySelectorAll(which)].map((one) => one.getBoundingClientRect());
            return boxes(".r-toast").every((toast) => boxes(selector).every((box) => !box.width ||
                toast.left >= box.right || box.left >= toast.right || toast.top >= box.bottom || box.top >= toast.bottom));
        }""",
        arg=selector,
        timeout=2500,
    )


def test_generate_answers_at_once_and_leads_to_the_stage(app: RunningApp, phone: Page, kite: str) -> None:
    staged(phone, app)
    phone.get_by_label("Prompt", exact=True).fill("A boat")
    generate = phone.get_by_role("button", name="Generate", exact=True)
    generate.scroll_into_view_if_needed()
    assert not in_sight(phone, ".r-stage")
    busy = "document.querySelector('[data-act=generate]').getAttribute('aria-busy')"
    assert phone.evaluate(f"(document.querySelector('[data-act=generate]').click(), {busy})") == "true"
    expect(phone.get_by_role("heading", name="A boat")).to_be_visible()
    phone.wait_for_function("document.querySelector('.r-stage').getBoundingClientRect().top >= 0")
    assert in_sight(phone, ".r-stage")
    expect(generate).not_to_have_attribute("aria-busy", "true")


def test_a_refused_press_leaves_the_page_where_it_is(app: RunningApp, phone: Page, kite: str) -> None:
    staged(phone, app)
    phone.get_by_role("button", name="Generate", exact=True).scroll_into_view_if_needed()
    press(phone, "Generate")
    expect(phone.get_by_text("Describe what you want to see.")).to_have_count(1)
    expect(phone.get_by_role("button", name="Generate", exact=True)).not_to_have_attribute(
        "aria-busy", "true"
    )
    assert not in_sight(phone, ".r-stage")


@pytest.mark.parametrize("size", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_a_toast_covers_neither_generate_nor_the_title_nor_a_dialog(
    app: RunningApp, profiles: Profiles, kite: str, size: dict[str, int]
) -> None:
    page = profiles.lend(viewport=size, permissions=["clipboard-read", "clipboard-write"]).new_page()
    staged(page, app)
    toast = page.locator(".r-toast")
    press(page, "Copy link")
    expect(toast).to_have_count(1)
    height = page.evaluate("document.body.scrollHeight")
    for top in range(0, height, 60):
        page.evaluate("(top) => new Promise((done) => (scrollTo(0, top), setTimeout(done, 60)))", top)
        if not toast.count():
            page.evaluate("document.querySelector('[data-copy]').click()")
            expect(toast).to_have_count(1)
        keeps_clear_of(page, "[data-act=generate]")
        keeps_clear_of(page, "h1")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_role("button", name="Close")).to_be_visible()
    page.evaluate("document.querySelector('[data-copy]').click()")
    expect(toast.last).to_be_visible()
    keeps_clear_of(page, ".q-dialog button")


def test_a_toast_is_gone_after_four_seconds(app: RunningApp, page: Page, kite: str) -> None:
    staged(page, app)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "Copy link")
    expect(page.locator(".r-toast")).to_have_count(1)
    expect(page.locator(".r-toast")).to_have_count(0, timeout=8000)


def test_four_images_are_one_toast_without_a_button_to_the_stage(app: RunningApp, page: Page) -> None:
    opened(page, f"{app.url}/image")
    page.get_by_label("Images").click()
    page.get_by_role("option", name="4", exact=True).click()
    page.get_by_label("Prompt", exact=True).fill("Four boats")
    press(page, "Generate")
    expect(page.get_by_text("4 images: Four boats")).to_be_visible(timeout=WITHIN_MS)
    expect(page.locator(".r-toast")).to_have_count(1)
    expect(page.locator(".r-toast").get_by_role("button")).to_have_count(0)
