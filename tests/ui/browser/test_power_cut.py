"""A power cut, seen from a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.app import running_app
from tests.support.browser import LONG, WITHIN_MS, opened, player, progress_bar, toasts


def test_a_power_cut_halfway_loses_neither_the_film_nor_what_is_typed_meanwhile(
    tmp_path: Path, page: Page
) -> None:
    with running_app(tmp_path / "data") as app:
        app.wait_for_models()
        opened(page, app.url)
        prompt = page.get_by_label("Prompt", exact=True)
        prompt.fill("Before the cut")
        file_id = app.generate("Snow over the mountains", **LONG)
        page.get_by_role("option", name="Snow over the mountains").click()
        expect(progress_bar(page)).to_be_visible(timeout=WITHIN_MS)
        page.wait_for_timeout(500)  # the server has what was typed
        app.kill()
        expect(page.get_by_text("Connection lost.")).to_be_visible()
        expect(page.get_by_text("Running jobs continue and resume after a restart.")).to_be_visible()
        prompt.fill("Typed <b>meanwhile</b>")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("Not sent: no connection. Your text is still here.")).to_be_visible()
        page.evaluate("window.old = true")

        app.start()
        page.wait_for_function("!window.old", timeout=WITHIN_MS)
        expect(prompt).to_have_value("Typed <b>meanwhile</b>")
        player(page, "Snow over the mountains")
        page.wait_for_timeout(1000)
        assert toasts(page).count() <= 1
        expect(page.get_by_role("option", name="Snow over the mountains")).to_have_count(1)
        assert [item["id"] for item in app.get("/api/files")["items"]] == [file_id]
        page.reload()
        expect(prompt).to_have_value("Typed <b>meanwhile</b>")
        page.goto("about:blank")  # an open page holds the shutdown up
