"""From a prompt to an image, to a film, to the next film, in a real browser."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.app import RunningApp
from tests.support.browser import WITHIN_MS, choose, generate, opened, player, press, shrink, toasts


@pytest.fixture
def page(app: RunningApp, page: Page) -> Page:
    return opened(page, app.url)


def thumbnail(page: Page) -> None:
    picture = page.get_by_role("img", name="Starting image")
    expect(picture).to_be_visible()
    page.wait_for_function("document.querySelector('.r-thumbnail')?.naturalWidth > 0")
    expect(page.locator(".r-composer")).to_contain_text("from an image")  # the form was drawn anew


def remove_picture(page: Page) -> None:
    page.wait_for_timeout(1000)  # sooner, a click on the same spot counts as the second of a double click
    press(page, "Remove image")
    expect(page.locator(".r-composer")).not_to_contain_text("from an image")


def test_an_image_becomes_a_film_and_its_last_frame_the_next_one(app: RunningApp, page: Page) -> None:
    page.get_by_role("link", name="Image", exact=True).click()
    shrink(page, film=False)
    choose(page, "Images", "2")
    generate(page, "A field of flowers in the morning")
    toast = page.get_by_text(re.compile(r"^Image generated successfully( via SSE)?!$"))
    expect(toast.first).to_be_visible(timeout=WITHIN_MS)
    still = page.get_by_role("img", name="A field of flowers in the morning", exact=True)
    expect(still).to_be_visible(timeout=WITHIN_MS)
    page.wait_for_function("document.querySelector('img.r-player')?.naturalWidth > 0")
    expect(page.get_by_role("option", name="A field of flowers in the morning")).to_have_count(2)

    press(page, "Animate")
    page.wait_for_url(app.url + "/")
    thumbnail(page)
    shrink(page)
    generate(page, "A slow pan over the flowers")
    player(page, "A slow pan over the flowers")
    expect(toasts(page)).to_have_count(1)

    press(page, "Use last frame")
    thumbnail(page)
    generate(page, "And on it goes")
    player(page, "And on it goes")
    page.wait_for_function(
        "const v = document.querySelector('video'); v.muted = true; v.play(); v.currentTime > 0.2"
    )
    page.get_by_label("Prompt", exact=True).fill("Kept")
    press(page, "Remove image")
    expect(page.get_by_role("button", name=re.compile("^Add an image"))).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("Kept")


def test_a_picture_is_dropped_pasted_or_chosen_and_a_film_plays_over_it(page: Page, tmp_path: Path) -> None:
    picture = tmp_path / "kite.png"
    Image.linear_gradient("L").resize((640, 360)).save(picture)
    page.set_input_files("input[type=file]", picture)
    thumbnail(page)
    for way in ("drop", "paste"):
        remove_picture(page)
        hand_over(page, way, picture.read_bytes())
        thumbnail(page)
    shrink(page)
    generate(page, "A kite over grey hills")
    player(page, "A kite over grey hills")


def test_a_file_that_is_no_picture_is_refused_at_once_and_the_prompt_stays(
    page: Page, tmp_path: Path
) -> None:
    page.get_by_label("Prompt", exact=True).fill("Still here")
    html = tmp_path / "picture.png"
    html.write_text("<html>")
    page.set_input_files("input[type=file]", html)
    expect(page.get_by_role("alert").filter(has_text="Use a PNG, JPEG or WebP image")).to_be_visible()
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(50 * 1024**2 + 1)
    page.set_input_files("input[type=file]", large)
    expect(page.get_by_role("alert").filter(has_text="at most 50 MB")).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("Still here")


def test_a_broken_upload_is_shown(page: Page) -> None:
    page.route("**/_source/**", lambda route: route.abort())
    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, "PNG")
    page.set_input_files(
        "input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": data.getvalue()}
    )
    expect(page.get_by_role("alert").filter(has_text="the connection was lost")).to_be_visible()


def hand_over(page: Page, way: str, content: bytes) -> None:
    page.evaluate(
        """([way, bytes]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "a.png", { type: "image/png" }));
          const event = way === "drop"
            ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
          document.querySelector("main, .r-main").dispatchEvent(event);
        }""",
        [way, list(content)],
    )
