"""Every page in both themes, as axe-core sees it: without serious or critical findings."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from uuid6 import uuid7

from tests.support.app import RunningApp
from tests.support.axe import grave_findings
from tests.support.browser import SMALL, WITHIN_MS, Profiles, opened
from tests.support.proof_counts import proven

STATES: dict[str, dict[str, object]] = {
    "working": {"phase": "processing", "progress": 0.42, "stage": "rendering", "late_since": time.time()},
    "failed": {"phase": "error", "error_code": "failed", "error_text": "out of memory"},
    "unconfirmed": {"phase": "unconfirmed"},
    "stopped": {"phase": "dropped", "stop_requested_at": 1.0},
    "not wanted": {"stop_requested_at": 1.0},
    "in the trash": {"hidden_at": time.time()},
}
PROMPTS = ("A quiet forest in the rain", "A lighthouse above a stormy sea")
STILL = """new Promise((still) => {
    const ends = () => document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity);
    const seen = new MutationObserver(() => wait());
    const stop = () => { seen.disconnect(); Promise.allSettled(ends().map((one) => one.finished)).then(still); };
    let pause;
    const wait = () => { clearTimeout(pause); pause = setTimeout(stop, 250); };
    seen.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    setTimeout(stop, 3000);
    wait();
}).then(() => document.fonts.ready).then(() => true)"""
"""Waits until the page has not changed for a quarter of a second."""


class Studio:
    """The running app with one generation in each state."""

    def __init__(self, app: RunningApp) -> None:
        self.app = app
        films = [app.generate(prompt, **SMALL) for prompt in PROMPTS]
        talk = a_conversation(app)
        for film in films:
            app.wait_until(lambda film=film: app.get(f"/api/file/{film}")["thumbnail_url"], 90)
        self.ids = {state: self._like(films[0], changes) for state, changes in STATES.items()}
        self.ids |= {"talk": talk, "finished": films[1]}
        self._change(films[1], {"starred_at": time.time(), "tags": json.dumps(["night shoot"])})

    def _like(self, film: str, changes: dict[str, object]) -> str:
        """A copy of a row in another state; the lease is somebody else's, so it stays as it is."""
        copy = str(uuid7())
        lease = {"lease_owner": "somebody else", "lease_until": time.time() + 86_400}
        new: dict[str, object] = {"id": copy, "job_id": None, "seq": None, **lease, **changes}
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

    def forget(self) -> None:
        """The copies: the app never made them."""
        with self._rows() as rows:
            rows.executemany(
                "DELETE FROM generations WHERE id = :id", [{"id": self.ids[state]} for state in STATES]
            )

    def _rows(self) -> sqlite3.Connection:
        return sqlite3.connect(self.app.data_dir / "rushes.db", timeout=10)


def a_conversation(app: RunningApp) -> str:
    """Returns the id of a conversation with a film and a message that was not understood."""
    chat = str(app.post("/api/chat", {"text": "/video a kite, 1 s, 360p"}).json()["chatId"])

    def sent_marks() -> list[dict[str, Any]]:
        return list(app.get(f"/api/chat/{chat}")["messages"])

    app.wait_until(lambda: "result" in [each["type"] for each in sent_marks()], 90)
    before = len(sent_marks())
    app.post(f"/api/chat/{chat}/messages", {"text": "a joke"})
    app.wait_until(lambda: len(sent_marks()) == before + 2, 30)
    return chat


@pytest.fixture(scope="module")
def studio(app: RunningApp) -> Iterator[Studio]:
    studio = Studio(app)
    yield studio
    studio.forget()


Handler = Callable[[Page], None]


def press(name: str) -> Handler:
    return lambda page: page.get_by_role("button", name=re.compile(f"^{name}")).first.click()


def key(name: str) -> Handler:
    return lambda page: page.keyboard.press(name)


def more_settings(page: Page) -> None:
    page.get_by_text("More settings").click()


def lengths(page: Page) -> None:
    page.get_by_label("Length", exact=True).click()


def look(address: str, there: str, *actions: Handler, long: bool = False) -> pytest.ParameterSet:
    return pytest.param(address, there, actions, id=address, marks=pytest.mark.proof if long else ())


LOOKS = [
    look("/", ".r-stage video", more_settings, lengths, key("?"), press("Clear all")),
    look("/image", ".r-composer .r-input"),
    look("/chat/new", ".r-begin"),
    look("/chat/{talk}", "text=A video or an image?"),
    look("/library", ".r-tile img", key("Control+a"), press("More")),
    look("/library?trash=1", ".r-tile"),
    look("/library?q=nothing+like+it", "text=No results.", long=True),
    look("/deliveries", ".r-plot-drawing svg >> nth=4"),
    look("/checkup", "text=Run reliability test"),
    look("/settings", "role=switch"),
    look("/nowhere", ".r-lost"),
    look("/g/{finished}", ".r-single video"),
    look("/g/{working}", ".r-single"),
    look("/g/{unconfirmed}", ".r-single"),
    look("/g/{failed}", ".r-single", long=True),
    look("/g/{stopped}", ".r-single", long=True),
    look("/g/{not wanted}", ".r-single", long=True),
]
"""A path, a condition before axe runs, and an action before it runs again."""


@pytest.fixture(params=[pytest.param("dark", marks=pytest.mark.proof), "light"])
def context(profiles: Profiles, request: pytest.FixtureRequest) -> BrowserContext:
    return profiles.lend(color_scheme=request.param, reduced_motion="reduce")


def looked_at(page: Page) -> None:
    page.evaluate(STILL)
    found = grave_findings(page)
    proven("pages", looked_at=1, grave_findings=len(found.splitlines()))
    assert found == ""


@pytest.mark.parametrize(("address", "there", "actions"), LOOKS)
def test_pages_are_accessible(
    studio: Studio, page: Page, address: str, there: str, actions: tuple[Handler, ...]
) -> None:
    opened(page, studio.app.url + address.format(**studio.ids))
    expect(page.locator(there).first).to_be_visible()
    looked_at(page)
    for act in actions:
        act(page)
        looked_at(page)
        page.keyboard.press("Escape")


@pytest.mark.proof
def test_pages_are_accessible_while_a_drill_runs(studio: Studio, page: Page) -> None:
    opened(page, studio.app.url + "/checkup")
    press("Run reliability test")(page)
    expect(page.get_by_text(re.compile(r"^\d+ of \d+ checks done$"))).to_be_visible()
    looked_at(page)


@pytest.mark.proof
def test_a_russian_page_is_accessible(studio: Studio, profiles: Profiles) -> None:
    page = profiles.lend(locale="ru-RU", reduced_motion="reduce").new_page()
    opened(page, studio.app.url)
    expect(page.locator(".r-stage video")).to_be_visible()
    looked_at(page)


def test_notifications_are_accessible(studio: Studio, page: Page) -> None:
    opened(page, studio.app.url + "/settings")
    studio.app.generate("A kite", **SMALL)
    expect(page.get_by_role("button", name="Open", exact=True)).to_be_visible(timeout=WITHIN_MS)
    looked_at(page)
