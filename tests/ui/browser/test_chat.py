"""Conversations in a real browser, against the real app with its embedded backend."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from uuid6 import uuid7

from tests.support.app import RunningApp
from tests.support.browser import ARRIVED, PHONE, WITHIN_MS, Profiles, press, too_wide, widened

SHORT = "make a 1 second vertical video of {}, 360p"
LONG = "make a 20 second video of {}, 360p"


@pytest.fixture
def page(app: RunningApp, page: Page) -> Page:
    page.goto(app.url + "/chat/new")
    return page


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def say(page: Page, text: str) -> None:
    field(page).fill(text)
    press(page, "Send")


def figure(page: Page) -> Locator:
    return page.get_by_role("progressbar", name="Progress")


def plays(page: Page, prompt: str) -> None:
    video = page.get_by_label(prompt, exact=True)
    expect(video).to_have_count(1, timeout=WITHIN_MS)
    video.evaluate("video => video.play()")
    page.wait_for_function("document.querySelector('video').currentTime > 0.1")


def test_a_video_is_asked_for_left_and_found_again_exactly_once(page: Page) -> None:
    say(page, LONG.format("a lighthouse in a storm"))
    expect(page.get_by_text("A video, 20 s, 16:9, with Animatic film:")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}$"))
    address = page.url
    expect(figure(page)).to_have_attribute("aria-valuetext", re.compile(r"\d+ %"), timeout=WITHIN_MS)
    page.reload()
    expect(figure(page)).to_have_attribute("aria-valuetext", re.compile(r"\d+ %"), timeout=WITHIN_MS)
    page.get_by_role("link", name="Video", exact=True).click()
    expect(page.get_by_text(ARRIVED)).to_have_count(1, timeout=WITHIN_MS)
    page.get_by_role("link", name="Chat", exact=True).click()
    expect(page).to_have_url(address)
    plays(page, "a lighthouse in a storm")
    expect(page.locator(".r-artifact")).to_have_count(1)
    expect(page.locator(".is-result")).to_have_count(1)
    expect(page.locator("video")).to_have_count(1)
    expect(page.get_by_text(ARRIVED)).to_have_count(0)


def test_the_last_one_is_changed_by_a_word(page: Page) -> None:
    say(page, SHORT.format("a kite"))
    plays(page, "a kite")
    field(page).fill("сделай ночь")
    page.keyboard.press("Enter")
    expect(page.get_by_text("То же описание, ночью.")).to_be_visible()
    expect(page.get_by_label("a kite, at night", exact=True)).to_have_count(1, timeout=WITHIN_MS)
    expect(page.locator("video")).to_have_count(2)


def test_enter_sends_and_shift_enter_is_a_new_line(page: Page) -> None:
    field(page).focus()
    page.keyboard.type("hello")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("there")
    expect(field(page)).to_have_value("hello\nthere")
    page.keyboard.press("Enter")
    expect(field(page)).to_have_value("")
    expect(page.locator(".is-person")).to_have_count(1)
    expect(page.locator(".is-studio")).to_have_count(1)


def test_a_double_click_is_one_message(page: Page) -> None:
    field(page).fill("hello")
    page.get_by_role("button", name="Send", exact=True).dblclick()
    expect(page.locator(".is-studio")).to_have_count(1)
    page.wait_for_timeout(500)
    expect(page.locator(".is-person")).to_have_count(1)


def test_what_is_too_long_stays_in_the_field_also_after_a_reload(page: Page) -> None:
    say(page, "x" * 50_000)
    expect(page.get_by_role("alert")).to_have_text(
        "The message has 50,000 characters; the limit is 8,000. Your text is still here."
    )
    expect(field(page)).to_have_value("x" * 50_000)
    page.reload()
    expect(field(page)).to_have_value("x" * 50_000)
    say(page, "")
    expect(page.get_by_role("alert")).to_have_text("Describe what you want to see.")


def test_markup_in_a_message_stays_text(page: Page) -> None:
    text = "<img src=x onerror=window.bad=1> {{7*7}} <b>bold</b>"
    say(page, text)
    expect(page.locator(".is-person").get_by_text(text, exact=True)).to_be_visible()
    expect(page.get_by_text("A video or an image?")).to_be_visible()
    assert page.evaluate("window.bad") is None


def test_the_thread_keeps_to_its_end_unless_somebody_reads_further_up(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 480})
    for number in range(5):
        say(page, f"asdf{number}")
        expect(page.locator(".is-studio")).to_have_count(number + 1)
    at_end = "(() => { const b = document.querySelector('.r-thread'); return b.scrollHeight - b.scrollTop - b.clientHeight < 4 })()"
    page.wait_for_function(at_end)
    page.locator(".r-thread").hover()
    page.mouse.wheel(0, -600)
    page.wait_for_function(f"!{at_end}")
    says_hello_elsewhere(page)
    expect(page.get_by_role("button", name="New messages below")).to_be_visible()
    assert not page.evaluate(at_end)
    page.get_by_role("button", name="New messages below").click()
    page.wait_for_function(at_end)


def says_hello_elsewhere(page: Page) -> None:
    other = page.context.new_page()
    other.goto(page.url)
    say(other, "hello")
    expect(other.locator(".is-studio")).to_have_count(6)
    other.close()


def test_an_unknown_conversation_says_so_and_leads_on(app: RunningApp, page: Page) -> None:
    answer = page.goto(f"{app.url}/chat/{uuid7()}")
    assert answer is not None
    assert answer.status == 404
    page.get_by_role("link", name="Back to conversations").click()
    expect(field(page)).to_be_visible()


def test_a_conversation_is_renamed_and_deleted(page: Page) -> None:
    say(page, "hello")
    press(page, "Rename")
    page.get_by_label("Conversation name", exact=True).last.fill("A short one")
    page.get_by_role("dialog").get_by_role("button", name="Rename", exact=True).click()
    expect(page.get_by_role("heading", name="A short one")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("A short one"))).to_be_visible()
    address = page.url
    page.get_by_role("button", name="Delete conversation").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page).not_to_have_url(address)
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 404


def test_nothing_is_wider_than_the_screen(app: RunningApp, profiles: Profiles) -> None:
    page = profiles.lend(viewport=PHONE, locale="ru-RU").new_page()
    page.goto(f"{app.url}/chat/new")
    page.get_by_role("textbox", name="Сообщение").fill("/video 1s 360p " + "word " * 40 + "x" * 300)
    page.keyboard.press("Enter")
    expect(page.locator("video")).to_have_count(1, timeout=WITHIN_MS)
    for width in widened(page, (360, 768, 1280)):
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            expect(page.locator("html")).to_have_attribute("data-theme", scheme)
            assert not too_wide(page), (scheme, width)
