"""The check-up in a real browser: a true drill, and a doctor who measures through this very browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from services.drill.plan import TRIALS
from tests.support.app import RunningApp, running_app
from tests.support.nginx import PASSED_ON, cutting_after, standing_before
from tests.support.proven import proven
from tests.ui.test_browser import browser

__all__ = ["browser"]  # a fixture, found by its name

DRILLED_MS = 60_000
NO_UPGRADE = " ERROR Invalid websocket upgrade"
"""What the pages' own socket says, rightly, behind a proxy that does not pass it."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("rushes")) as running:
        running.wait_for_models()
        yield running
        log = running.log.replace(NO_UPGRADE, "")
        assert " ERROR " not in log, log
        assert "Traceback" not in log, log


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 360, "height": 740}) as phone:
        page = phone.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        assert errors == []


def opened(page: Page, url: str) -> None:
    page.goto(f"{url}/checkup")
    page.wait_for_function("window.did_handshake")


def way(page: Page) -> Locator:
    return page.get_by_role("list", name="Between this browser and Rushes").get_by_role("listitem")


def item(page: Page, name: str) -> Locator:
    return way(page).filter(has_text=re.compile(f"^{name}"))


def test_drill_and_doctor_by_the_keyboard_on_a_phone(page: Page, app: RunningApp) -> None:
    page.goto(f"{app.url}/deliveries")
    page.get_by_role("link", name="Check-up").click()
    page.wait_for_function("window.did_handshake")
    page.get_by_role("button", name="Run the drill").focus()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="5 s", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Ask the doctor").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text(re.compile(rf"^\d+ of {len(TRIALS)} tried$"))).to_be_visible()
    expect(way(page)).to_have_count(5, timeout=60_000)  # a busy server may not know of the 5 s yet
    assert way(page).evaluate_all("(all) => all.map((one) => one.className)") == ["r-check held"] * 5
    around = page.get_by_role("list", name="Around Rushes").get_by_role("listitem")
    expect(around.filter(has_text="animatic")).to_have_class(
        [re.compile("held")] * around.filter(has_text="animatic").count()
    )
    expect(page.get_by_text("All 12 rules held.")).to_be_visible(timeout=DRILLED_MS)
    expect(page.get_by_role("list", name="The rules").locator(".held")).to_have_count(12)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.reload()
    expect(page.get_by_text("All 12 rules held.")).to_be_visible()


def test_a_second_page_watches_the_same_drill(page: Page, app: RunningApp) -> None:
    other = page.context.new_page()
    for each in (page, other):
        opened(each, app.url)
    page.get_by_role("button", name="Run the drill").click()
    expect(other.get_by_text(re.compile(rf"^\d+ of {len(TRIALS)} tried$"))).to_be_visible()
    other.close()


@pytest.mark.proof
def test_behind_a_proxy_that_buffers_the_browser_sees_it(page: Page, app: RunningApp, tmp_path: Path) -> None:
    held_back = (
        "proxy_buffering on; gzip on; gzip_types text/event-stream; gzip_proxied any; gzip_min_length 0;"
        f" proxy_ignore_headers X-Accel-Buffering; {PASSED_ON}"
    )
    with standing_before(app.url, held_back, tmp_path) as url:
        opened(page, url)
        page.get_by_text("5 s", exact=True).click()
        page.get_by_role("button", name="Ask the doctor").click()
        expect(item(page, "Event stream")).to_contain_text("uffered: events came up to", timeout=30_000)
        expect(item(page, "Event stream")).to_have_class(re.compile("broken"))
        expect(item(page, "Websocket")).to_have_class(re.compile("held"))
    proven("doctor", proxies_seen_through=1)


@pytest.mark.proof
def test_behind_a_proxy_without_websocket_and_ranges_the_page_still_says_so(
    page: Page, app: RunningApp, tmp_path: Path
) -> None:
    with standing_before(
        app.url, 'proxy_set_header Host $http_host; proxy_set_header Range "";', tmp_path
    ) as url:
        opened(page, url)
        page.get_by_text("5 s", exact=True).click()
        page.get_by_role("button", name="Ask the doctor").click()
        expect(item(page, "Websocket")).to_have_class(re.compile("broken"), timeout=40_000)
        expect(item(page, "Parts of files")).to_have_class(re.compile("broken"))
    proven("doctor", proxies_seen_through=1)


@pytest.mark.proof
def test_a_true_cut_after_30_s_is_seen_by_the_browser(page: Page, app: RunningApp, tmp_path: Path) -> None:
    with cutting_after(30, app.url, tmp_path) as (url, cut):
        opened(page, url)
        page.get_by_role("button", name="Ask the doctor").click()
        expect(page.get_by_text(re.compile("events heard: [1-9]"))).to_be_visible()
        cut()
        expect(item(page, "Event stream")).to_contain_text(
            re.compile(r"Cut after about 3\d s"), timeout=60_000
        )
    proven("doctor", true_cuts_named=1)
