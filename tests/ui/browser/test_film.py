"""A film made in a real browser, against the real app with its embedded backend."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.support.app import RunningApp
from tests.support.browser import LONG, WITHIN_MS, generate, opened, player, progress_bar, shrink, toasts


def test_a_prompt_becomes_a_film_that_plays_and_seeks_and_is_notified_once(
    app: RunningApp, page: Page
) -> None:
    opened(page, app.url)
    shrink(page)
    generate(page, "A lighthouse above a stormy sea")
    expect(toasts(page)).to_have_count(1, timeout=WITHIN_MS)
    video = player(page, "A lighthouse above a stormy sea")
    video.evaluate("video => video.play()")
    page.wait_for_function("document.querySelector('video').currentTime > 0.2")
    video.evaluate("video => { video.pause(); video.currentTime = 0.75 }")
    page.wait_for_function("const v = document.querySelector('video'); !v.seeking && v.currentTime > 0.7")
    expect(toasts(page)).to_have_count(1)
    expect(page.get_by_text(re.compile(r"^(Push|Poll) won$"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^shown .+ s after"))).to_be_visible()

    page.reload()
    player(page, "A lighthouse above a stormy sea")
    page.wait_for_timeout(1500)
    expect(toasts(page)).to_have_count(0)


def test_a_reload_halfway_shows_the_progress_and_the_film_arrives(app: RunningApp, page: Page) -> None:
    opened(page, app.url)
    app.generate("A long night train", **LONG)
    expect(page.get_by_role("option", name="A long night train")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="A long night train")).to_be_visible()
    expect(progress_bar(page)).to_have_attribute("aria-valuetext", re.compile(r"\d+ %"), timeout=WITHIN_MS)
    page.reload()
    expect(progress_bar(page)).to_have_attribute("aria-valuetext", re.compile(r"\d+ %"))
    player(page, "A long night train")
    expect(toasts(page)).to_have_count(1)
