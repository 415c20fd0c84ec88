"""Every page in both themes, as axe-core sees it: without serious or critical findings."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from uuid6 import uuid7

from tests.support.app import RunningApp, running_app
from tests.support.axe import grave_findings
from tests.support.proven import proven
from tests.ui.test_browser import SMALL, WITHIN_MS, browser

__all__ = ["browser"]  # a fixture, found by its name

STATES = {
    "working": {"phase": "processing", "progress": 0.42, "stage": "rendering", "late_since": time.time()},
    "failed": {"phase": "error", "error_code": "failed", "error_text": "out of memory"},
    "unconfirmed": {"phase": "unconfirmed"},
    "stopped": {"phase": "dropped", "stop_requested_at": 1.0},
    "not wanted": {"stop_requested_at": 1.0},
    "in the trash": {"hidden_at": time.time()},
}


class Studio:
    """The running app with one of everything in it."""

    def __init__(self, app: RunningApp) -> None:
        self.app = app
        first = self._film("A quiet forest in the rain")
        self.ids = {state: self._like(first, changes) for state, changes in STATES.items()}
        self.ids["finished"] = self._film("A lighthouse above a stormy sea")
        self._change(self.ids["finished"], {"starred_at": time.time(), "tags": json.dumps(["night shoot"])})

    def _film(self, prompt: str) -> str:
        film = self.app.generate(prompt, **SMALL)
        self.app.wait_until(lambda: self.app.get(f"/api/file/{film}")["thumbnail_url"], 90)
        return film

    def _like(self, film: str, changes: dict[str, object]) -> str:
        """A copy of a row in another state; nobody watches it, so it stays as it is."""
        copy = str(uuid7())
        new: dict[str, object] = {"id": copy, "job_id": None, "seq": None, **changes}
        if changes.get("phase") is not None:
            new |= {"kept": None, "poster": None, "preview": None, "receipt": None}
        if changes.get("phase") in ("processing", "unconfirmed"):
            new["finished_at"] = None
        with self._rows() as rows:
            columns = [name for _, name, *_ in rows.execute("PRAGMA table_info(generations)")]
            values = ", ".join(f":{name}" if name in new else name for name in columns)
            rows.execute(
                f"INSERT INTO generations ({', '.join(columns)}) SELECT {values} FROM generations WHERE id = :film",
                {**new, "film": film},
            )
        return copy

    def _change(self, film: str, changes: dict[str, object]) -> None:
        with self._rows() as rows:
            rows.execute(
                f"UPDATE generations SET {', '.join(f'{name} = :{name}' for name in changes)} WHERE id = :id",
                {**changes, "id": film},
            )

    def _rows(self) -> sqlite3.Connection:
        return sqlite3.connect(self.app.data_dir / "rushes.db", timeout=10)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    with running_app(tmp_path_factory.mktemp("rushes")) as app:
        app.wait_for_models()
        talk = a_conversation(app, browser)
        studio = Studio(app)
        studio.ids["talk"] = talk
        yield studio


def a_conversation(app: RunningApp, browser: Browser) -> str:
    page = browser.new_page()
    page.goto(app.url + "/chat/new")
    for words, answer in (("/video a kite, 1 s, 360p", "The video is here"), ("a joke", "Is that to be")):
        page.get_by_role("textbox", name="Message", exact=True).fill(words)
        page.get_by_role("button", name="Send", exact=True).click()
        expect(page.get_by_text(answer).first).to_be_visible(timeout=WITHIN_MS)
    page.close()
    return page.url.rsplit("/", 1)[1]


def nothing(_page: Page) -> None:
    pass


def press(name: str) -> Callable[[Page], None]:
    return lambda page: page.get_by_role("button", name=re.compile(f"^{name}")).first.click()


def key(*names: str) -> Callable[[Page], None]:
    def strike(page: Page) -> None:
        for name in names:
            page.keyboard.press(name)

    return strike


LOOKS: list[tuple[str, Callable[[Page], None]]] = [
    ("/", nothing),
    ("/", lambda page: page.get_by_text("More settings").click()),
    ("/", lambda page: page.get_by_label("Length", exact=True).click()),
    ("/", key("?")),
    ("/", press("Delete")),
    ("/image", nothing),
    ("/chat/new", nothing),
    ("/chat/{talk}", nothing),
    ("/library", nothing),
    ("/library", key("Control+a")),
    ("/library", press("More")),
    ("/library?trash=1", nothing),
    ("/library?q=nothing+like+it", nothing),
    ("/deliveries", nothing),
    ("/checkup", nothing),
    ("/checkup", press("Run the drill")),
    ("/settings", nothing),
    ("/nowhere", nothing),
    ("/g/{finished}", nothing),
    *[(f"/g/{{{state}}}", nothing) for state in STATES if state != "in the trash"],
]
"""An address, and what is done there before axe looks."""


@pytest.fixture(params=[pytest.param("dark", marks=pytest.mark.proof), "light"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    opened = browser.new_context(
        viewport={"width": 1280, "height": 860}, color_scheme=request.param, reduced_motion="reduce"
    )
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


def looked_at(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function("window.did_handshake")
    page.wait_for_timeout(500)


@pytest.mark.parametrize(("address", "act"), LOOKS, ids=lambda value: value if isinstance(value, str) else "")
def test_nobody_is_kept_out(
    studio: Studio, context: BrowserContext, address: str, act: Callable[[Page], None]
) -> None:
    page = context.new_page()
    looked_at(page, studio.app.url + address.format(**studio.ids))
    act(page)
    page.wait_for_timeout(500)
    found = grave_findings(page)
    proven("pages", looked_at=1, grave_findings=len(found.splitlines()))
    assert found == ""


def test_a_russian_page_keeps_nobody_out(studio: Studio, browser: Browser) -> None:
    context = browser.new_context(locale="ru-RU", reduced_motion="reduce")
    page = context.new_page()
    looked_at(page, studio.app.url)
    assert grave_findings(page) == ""
    context.close()


def test_what_is_told_keeps_nobody_out(studio: Studio, context: BrowserContext) -> None:
    page = context.new_page()
    looked_at(page, studio.app.url + "/settings")
    studio.app.generate("A kite", **SMALL)
    expect(page.get_by_role("button", name="Open", exact=True)).to_be_visible(timeout=WITHIN_MS)
    page.wait_for_timeout(500)
    assert grave_findings(page) == ""
