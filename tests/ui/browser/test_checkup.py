"""The check-up in a real browser: a real drill, and the doctor's measurement in this browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from services.diagnostics.drill.checks import CHECKS
from tests.support.app import RunningApp
from tests.support.axe import grave_findings
from tests.support.browser import PHONE, Profiles, opened, too_wide
from tests.support.nginx import UPGRADE_HEADERS, nginx_cutting_after, nginx_proxy
from tests.support.proof_counts import proven

DRILLED_MS = 60_000
NO_UPGRADE = " ERROR Invalid websocket upgrade"
"""Expected console message of the websocket behind a proxy that blocks it."""


@pytest.fixture(scope="module")
def app(one_app: RunningApp) -> Iterator[RunningApp]:
    log_start = len(one_app.log)
    yield one_app
    log = one_app.log[log_start:].replace(NO_UPGRADE, "")
    assert " ERROR " not in log, log
    assert "Traceback" not in log, log


@pytest.fixture
def context(profiles: Profiles) -> BrowserContext:
    return profiles.lend(viewport=PHONE)


def way(page: Page) -> Locator:
    return page.get_by_role("list", name="Browser connection").get_by_role("listitem")


def item(page: Page, name: str) -> Locator:
    return way(page).filter(has_text=re.compile(f"^{name}"))


def test_drill_and_doctor_by_the_keyboard_on_a_phone_and_a_second_page_watches(
    page: Page, context: BrowserContext, app: RunningApp
) -> None:
    other = opened(context.new_page(), f"{app.url}/checkup")
    page.goto(f"{app.url}/deliveries")
    page.get_by_role("link", name="System check").click()
    page.wait_for_function("window.did_handshake")
    page.get_by_role("button", name="Run reliability test").focus()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="5 s", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Run diagnostics").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("progressbar")).to_be_visible()
    for each in (page, other):
        expect(each.get_by_text(re.compile(rf"^\d+ of {len(CHECKS)} checks done$"))).to_be_visible()
    assert grave_findings(other) == ""
    expect(way(page)).to_have_count(5, timeout=60_000)  # a busy server may not know of the 5 s yet
    expect(way(page)).to_have_class(["r-check held"] * 5)
    around = page.get_by_role("list", name="Server").get_by_role("listitem")
    expect(around.filter(has_text="animatic").first).to_be_visible()
    expect(around.filter(has_text="animatic")).to_have_class(
        [re.compile("held")] * around.filter(has_text="animatic").count()
    )
    expect(page.get_by_text("All 12 rules passed.")).to_be_visible(timeout=DRILLED_MS)
    expect(other.get_by_text("All 12 rules passed.")).to_be_visible()
    expect(page.get_by_role("list", name="Rules").locator(".held")).to_have_count(12)
    assert not too_wide(page)
    page.reload()
    expect(page.get_by_text("All 12 rules passed.")).to_be_visible()


@pytest.mark.proof
def test_behind_a_proxy_that_buffers_the_browser_sees_it(page: Page, app: RunningApp, tmp_path: Path) -> None:
    held_back = (
        "proxy_buffering on; gzip on; gzip_types text/event-stream; gzip_proxied any; gzip_min_length 0;"
        f" proxy_ignore_headers X-Accel-Buffering; {UPGRADE_HEADERS}"
    )
    with nginx_proxy(app.url, held_back, tmp_path) as url:
        opened(page, f"{url}/checkup")
        page.get_by_text("5 s", exact=True).click()
        page.get_by_role("button", name="Run diagnostics").click()
        expect(item(page, "Event stream")).to_contain_text("uffered: events arrive up to", timeout=30_000)
        expect(item(page, "Event stream")).to_have_class(re.compile("broken"))
        expect(item(page, "WebSocket")).to_have_class(re.compile("held"))
    proven("doctor", proxies_seen_through=1)


@pytest.mark.proof
def test_behind_a_proxy_without_websocket_and_ranges_the_page_still_says_so(
    page: Page, app: RunningApp, tmp_path: Path
) -> None:
    with nginx_proxy(
        app.url, 'proxy_set_header Host $http_host; proxy_set_header Range "";', tmp_path
    ) as url:
        opened(page, f"{url}/checkup")
        page.get_by_text("5 s", exact=True).click()
        page.get_by_role("button", name="Run diagnostics").click()
        expect(item(page, "WebSocket")).to_have_class(re.compile("broken"), timeout=40_000)
        expect(item(page, "Range requests")).to_have_class(re.compile("broken"))
    proven("doctor", proxies_seen_through=1)


@pytest.mark.proof
def test_a_true_cut_after_30_s_is_seen_by_the_browser(page: Page, app: RunningApp, tmp_path: Path) -> None:
    with nginx_cutting_after(30, app.url, tmp_path) as (url, cut):
        opened(page, f"{url}/checkup")
        page.get_by_role("button", name="Run diagnostics").click()
        expect(page.get_by_text(re.compile("events received: [1-9]"))).to_be_visible()
        cut()
        expect(item(page, "Event stream")).to_contain_text(
            re.compile(r"Disconnected after about 3\d s"), timeout=60_000
        )
    proven("doctor", true_cuts_named=1)
