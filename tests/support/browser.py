"""Actions and locators on the pages, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterable

from playwright.sync_api import Browser, BrowserContext, Locator, Page, TimeoutError, expect

from tests.support.app import RunningApp

ARRIVED = re.compile(r"^Video generated successfully( via SSE)?!$")
WITHIN_MS = 90_000
SMALL = {"resolution": "360p", "duration": 1, "fps": 12}
LONG = {"resolution": "360p", "duration": 20}
SCREEN = {"width": 1280, "height": 860}
PHONE = {"width": 360, "height": 740}


class Profiles:
    """Reused browser profiles, one for each set of options.

    They keep their cache, like a person's browser: the first page of a new one takes 0.6 s longer.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._kept: dict[str, BrowserContext] = {}

    def lend(self, **options: object) -> BrowserContext:
        key = str(sorted(options.items()))
        if key not in self._kept:
            self._kept[key] = self._browser.new_context(**{"viewport": SCREEN, **options})  # type: ignore[arg-type]
            self._kept[key].set_default_timeout(20_000)
        return self._kept[key]

    def wipe(self) -> None:
        """Closes all pages and clears what they have stored."""
        for context in self._kept.values():
            if context.pages:
                _forget(context)

    def close(self) -> None:
        for context in self._kept.values():
            context.close()


def _forget(context: BrowserContext) -> None:
    origins = {"/".join(page.url.split("/", 3)[:3]) for page in context.pages if page.url.startswith("http")}
    last, *others = context.pages
    for page in others:
        page.close()
    last.goto("about:blank")
    devtools = context.new_cdp_session(last)
    for origin in origins:
        devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    last.close()
    context.clear_cookies()
    context.clear_permissions()


def opened(page: Page, url: str) -> Page:
    """The page at that address, connected to its server."""
    page.goto(url)
    page.wait_for_function("window.did_handshake")
    return page


def film(app: RunningApp, prompt: str) -> str:
    """Makes the smallest possible video; returns its id when it is completed."""
    file_id = app.generate(prompt, **SMALL)
    app.wait_for(file_id)
    return file_id


def choose(page: Page, field: str, option: str) -> None:
    page.get_by_label(field, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def shrink(page: Page, *, film: bool = True) -> None:
    """Chooses the form's smallest length and resolution."""
    if film:
        choose(page, "Length", "1 s")
    if not page.get_by_label("Resolution").is_visible():
        page.get_by_text("More settings").click()
    choose(page, "Resolution", "360p")


def generate(page: Page, prompt: str) -> None:
    page.get_by_label("Prompt", exact=True).fill(prompt)
    press(page, "Generate")


def progress_bar(page: Page) -> Locator:
    """The stage's, which precedes those of the cards."""
    return page.get_by_role("progressbar", name="Progress").first


def toasts(page: Page) -> Locator:
    return page.get_by_text(ARRIVED)


def player(page: Page, prompt: str) -> Locator:
    video = page.locator("video").first
    expect(video).to_have_attribute("aria-label", prompt, timeout=WITHIN_MS)
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    return video


def widened(page: Page, widths: Iterable[int]) -> Iterable[int]:
    """Resizes the page to each width in turn."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 740})
        page.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 100)))")
        yield width


def too_wide(page: Page) -> bool:
    """Whether it still overflows the screen after layout."""
    try:
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth", timeout=3000)
    except TimeoutError:
        return True
    return False
