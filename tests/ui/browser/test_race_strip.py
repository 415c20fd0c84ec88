"""The race strip while the page is cut off from its server, and at the end of a race."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.app import ROOT, running_app
from tests.support.browser import LONG, opened, progress_bar

DRAWING = """() => ({
    drawn: document.querySelector(".r-lanes svg").outerHTML,
    since: document.querySelector(".r-gate time").textContent,
})"""
ASKS = """async (source) => {
    const module = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const { asks } = (await import(module)).default.computed;
    const kinds = (events, ended) => {
        const all = events.map((kind, n) => ({ n, t: n, kind, lane: "poll", text: kind }));
        return asks.call({ all, ended }).map((ask) => ask.kind + (ask.bad ? " lost" : ""));
    };
    return {
        needless: kinds(["check", "answer", "attempt", "due"], true),
        two: kinds(["attempt", "answer", "check", "attempt"], true),
        only: kinds(["check"], true),
        unheard: kinds(["attempt", "lost", "attempt", "answer"], true),
        running: kinds(["check", "answer", "attempt"], false),
    };
}"""


def test_a_page_that_is_cut_off_shows_what_was_known_last_and_counts_nothing(
    tmp_path: Path, page: Page
) -> None:
    with running_app(tmp_path / "data") as app:
        app.wait_for_models()
        app.generate("Snow over the mountains", **LONG)
        opened(page, app.url)
        expect(progress_bar(page)).to_be_visible()
        expect(page.locator(".r-lanes .r-band").first).to_be_attached()
        expect(page.get_by_text("Push connected · polling")).to_be_visible()
        expect(page.get_by_text("Last known state")).to_be_hidden()
        app.kill()
        expect(page.get_by_text("Connection lost.")).to_be_visible()
        expect(page.get_by_text("Last known state")).to_be_visible()
        expect(page.get_by_text("Push connected · polling")).to_be_hidden()
        expect(page.locator(".r-next")).to_have_count(0)
        before = page.evaluate(DRAWING)
        page.wait_for_timeout(2500)
        assert page.evaluate(DRAWING) == before

        page.evaluate("window.old = true")
        app.start()
        page.wait_for_function("!window.old && window.did_handshake")
        expect(page.get_by_text("Last known state")).to_be_hidden()
        page.goto("about:blank")  # an open page holds the shutdown up


def test_a_poll_that_the_end_made_needless_leaves_no_mark(page: Page) -> None:
    drawing = (ROOT / "ui/components/race_lanes.js").read_text()
    assert page.evaluate(ASKS, drawing) == {
        "needless": ["check"],
        "two": ["attempt"],
        "only": [],
        "unheard": ["attempt lost", "attempt"],
        "running": ["check", "attempt"],
    }
