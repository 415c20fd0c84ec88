"""One Chromium and one app for all browser tests; each test gets a fresh profile and an empty app."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.app import RunningApp, running_app
from tests.support.browser import Profiles
from tests.support.chromium import FLAGS, chromium

EXPECTED_WITHIN_MS = 20_000
SCRIPT_ERROR = re.compile(r"(Uncaught )?(Type|Reference|Range|Syntax)Error\b")
"""Errors that Vue catches reach the console only."""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # not longer than this folder: while it lives, no asyncio test can run beside it
    with sync_playwright() as playwright:
        expect.set_options(timeout=EXPECTED_WITHIN_MS)  # a busy machine needs more than the usual 5 s
        launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def one_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("rushes")) as running:
        running.wait_for_models()
        yield running


@pytest.fixture(scope="module")
def app(one_app: RunningApp) -> Iterator[RunningApp]:
    """The running app without data; the test must not cause an error in its log."""
    one_app.clear()
    log_start = len(one_app.log)
    yield one_app
    log = one_app.log[log_start:]
    assert " ERROR " not in log, log
    assert "Traceback" not in log, log


@pytest.fixture(scope="package")
def all_profiles(browser: Browser) -> Iterator[Profiles]:
    profiles = Profiles(browser)
    yield profiles
    profiles.close()


@pytest.fixture
def profiles(all_profiles: Profiles) -> Iterator[Profiles]:
    yield all_profiles
    all_profiles.wipe()


@pytest.fixture
def context(profiles: Profiles) -> BrowserContext:
    return profiles.lend(color_scheme="dark")


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A blank page; the test must not cause a script error."""
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if SCRIPT_ERROR.match(line.text) else None)
    yield page
    assert errors == []
