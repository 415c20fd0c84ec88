"""One press, one generation, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support.app import RunningApp
from tests.support.browser import opened

APART_MS = 1_100
QUIET_S = 0.5
"""Long enough for an unwanted second generation to appear."""


def made(app: RunningApp, prompt: str) -> int:
    """How many generations of that prompt there are."""
    items = app.get("/api/files?limit=200")["items"]
    return sum(one["video_generation"]["prompt"] == prompt for one in items if one["video_generation"])


def makes(app: RunningApp, prompt: str, count: int) -> None:
    """There are that many, also a moment later."""
    app.wait_until(lambda: made(app, prompt) >= count, 20)
    time.sleep(QUIET_S)
    assert made(app, prompt) == count


@pytest.fixture(autouse=True)
def _empty(app: RunningApp) -> Iterator[None]:
    yield
    app.clear()


def write(page: Page, prompt: str) -> None:
    page.get_by_label("Prompt", exact=True).fill(prompt)


def test_a_double_click_makes_one_generation(app: RunningApp, page: Page) -> None:
    write(opened(page, app.url), "double click")
    page.get_by_role("button", name="Generate").dblclick()
    makes(app, "double click", 1)


def test_ctrl_enter_twice_makes_one_generation(app: RunningApp, page: Page) -> None:
    write(opened(page, app.url), "two keys")
    for _ in range(2):
        page.keyboard.press("Control+Enter")
    makes(app, "two keys", 1)


def test_two_presses_a_second_apart_make_two(app: RunningApp, page: Page) -> None:
    write(opened(page, app.url), "meant twice")
    for _ in range(2):
        page.get_by_role("button", name="Generate").click()
        page.wait_for_timeout(APART_MS)
    makes(app, "meant twice", 2)


def test_a_form_changed_between_two_quick_presses_makes_two(app: RunningApp, page: Page) -> None:
    opened(page, app.url)
    for prompt in ("first thought", "second thought"):
        write(page, prompt)
        page.keyboard.press("Control+Enter")
    for prompt in ("first thought", "second thought"):
        makes(app, prompt, 1)


def test_a_press_repeated_before_the_page_has_answered_is_the_same(app: RunningApp, page: Page) -> None:
    write(opened(page, app.url), "slow line")
    page.evaluate("window.rushes.answered = () => {}")  # the answer is on its way, for longer than the moment
    for _ in range(3):
        page.get_by_role("button", name="Generate").click()
        page.wait_for_timeout(APART_MS)
    makes(app, "slow line", 1)


def test_a_press_repeated_after_a_reload_that_lost_its_answer_is_the_same(
    app: RunningApp, page: Page
) -> None:
    write(opened(page, app.url), "cut off")
    page.evaluate("window.rushes.answered = () => {}")
    page.get_by_role("button", name="Generate").click()
    page.wait_for_timeout(APART_MS)
    page.reload()
    page.wait_for_function("window.did_handshake")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("cut off")
    page.get_by_role("button", name="Generate").click()
    makes(app, "cut off", 1)


def test_a_press_that_was_answered_before_a_reload_is_over(app: RunningApp, page: Page) -> None:
    write(opened(page, app.url), "seen")
    page.get_by_role("button", name="Generate").click()
    page.wait_for_timeout(APART_MS)
    page.reload()
    page.wait_for_function("window.did_handshake")
    page.get_by_role("button", name="Generate").click()
    makes(app, "seen", 2)


def test_a_double_click_on_an_example_starts_it_and_nothing_else(app: RunningApp, page: Page) -> None:
    opened(page, app.url)
    example = page.locator(".r-example").first
    prompt = example.inner_text().strip()
    example.dblclick()
    makes(app, prompt, 1)


def test_a_double_click_on_send_sends_one_message(app: RunningApp, page: Page) -> None:
    opened(page, f"{app.url}/chat/new")
    page.get_by_role("textbox", name="Message").fill("A video of a kite, 2 seconds")
    page.get_by_role("button", name="Send").dblclick()
    page.wait_for_timeout(1_500)
    expect(page.get_by_role("article", name="You")).to_have_count(1)
    expect(page.get_by_text("Describe what you want to see.")).to_be_hidden()


def test_a_double_click_on_an_offer_sends_one_message(app: RunningApp, page: Page) -> None:
    opened(page, f"{app.url}/chat/new")
    page.locator(".r-offer").first.dblclick()
    page.wait_for_timeout(1_500)
    expect(page.get_by_role("article", name="You")).to_have_count(1)


def test_half_a_character_is_refused_with_a_sentence_and_stays_in_the_box(
    app: RunningApp, page: Page
) -> None:
    opened(page, app.url)
    write(page, "an old text")
    box = page.get_by_label("Prompt", exact=True)
    box.evaluate(
        "(box) => { box.value = 'a kite \\ud83d flies'; box.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("alert").filter(has_text="contains an invalid character")).to_be_visible()
    assert made(app, "an old text") == 0
    assert "a kite" in box.input_value() and "flies" in box.input_value()


@pytest.mark.parametrize(
    ("text", "said"),
    [("a\0kite", "contains an invalid character (U+0000)"), ("x" * 20_000, "prompt has")],
    ids=["NUL", "too long"],
)
def test_what_no_backend_may_have_is_refused_with_a_sentence(
    app: RunningApp, page: Page, text: str, said: str
) -> None:
    opened(page, app.url)
    write(page, "an old text")
    box = page.get_by_label("Prompt", exact=True)
    box.evaluate(
        "(box, text) => { box.value = text; box.dispatchEvent(new Event('input', {bubbles: true})) }", text
    )
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("alert").filter(has_text=said)).to_be_visible()
    assert made(app, "an old text") == 0
    assert box.input_value() == text


def test_a_text_beyond_the_sockets_limit_is_kept_and_said(app: RunningApp, page: Page) -> None:
    opened(page, app.url)
    write(page, "an old text")
    box = page.get_by_label("Prompt", exact=True)
    box.evaluate(
        "(box) => { box.value = 'a kite\\n'.repeat(44_000); box.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_text("Not sent: the text is too long. Your text is still here.")).to_be_visible()
    assert made(app, "an old text") == 0
    assert len(box.input_value()) == 7 * 44_000


def test_half_a_character_in_the_chat_is_refused_and_stays_in_the_box(app: RunningApp, page: Page) -> None:
    opened(page, f"{app.url}/chat/new")
    box = page.get_by_role("textbox", name="Message")
    box.evaluate(
        "(box) => { box.value = 'a kite \\ud83d'; box.dispatchEvent(new Event('input', {bubbles: true})) }"
    )
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert").filter(has_text="contains an invalid character")).to_be_visible()
    assert box.evaluate("(box) => box.value") == box.evaluate("() => 'a kite \\ud83d'")
    expect(page.get_by_role("article", name="You")).to_have_count(0)


def test_every_script_reaches_the_generation_as_it_stands_in_the_box(app: RunningApp, page: Page) -> None:
    prompt = "עפיפון מעל הים, طائرة ورقية, 𝒌𝒊𝒕𝒆 👩🏽‍🚀, 凧, é e\u0301, \u202eabc\u202c"
    write(opened(page, app.url), prompt)
    page.get_by_role("button", name="Generate").click()
    makes(app, prompt, 1)
