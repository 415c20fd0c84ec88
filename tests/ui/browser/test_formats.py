"""Formats that this browser shows as pictures, or not at all (Debian's Chromium has no HEVC)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.app import RunningApp, running_app
from tests.support.axe import grave_findings
from tests.support.browser import PHONE, WITHIN_MS, Profiles, opened, too_wide
from tests.support.fault_server import WireServer
from tests.support.killable_app import wire_settings
from tests.support.odd_media import RED_LEFT, animation, encoded, film

CANNOT_PLAY = "This browser cannot play this format ({}). Download it to watch it."
UNPLAYABLE = {
    "hevc.mp4": "HEVC",
    "hevc with sound.mp4": "HEVC",
    "hevc.mkv": "MKV with HEVC",
    "mpeg4.mov": "MOV with MPEG-4",
}
SHOWN = "document.querySelector('{}')?.{}"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    film(folder / "hevc.mp4", codec="libx265")
    film(folder / "hevc with sound.mp4", codec="libx265", sound=True)
    film(folder / "hevc.mkv", codec="libx265", name="matroska")
    film(folder / "mpeg4.mov", codec="mpeg4", name="mov")
    film(folder / "h264.mp4")
    for kind in ("WEBP", "GIF", "PNG"):
        (folder / f"moving.{kind.lower()}").write_bytes(animation(kind, 12))
    (folder / "picture.tif").write_bytes(encoded(RED_LEFT, "TIFF"))
    return folder


@pytest.fixture(scope="module")
def wire() -> Iterator[WireServer]:
    with WireServer() as wire:
        yield wire


@pytest.fixture(scope="module")
def app(wire: WireServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("rushes"), **wire_settings(wire)) as running:
        running.wait_for_models()
        yield running


def ordered(app: RunningApp, wire: WireServer, sample: Path) -> str:
    """Starts a generation whose result is that file; returns its id."""
    kind, model = ("image", "wire/still") if sample.suffix == ".tif" else ("video", "wire/film")
    wire.script(prompt=sample.name, length_s=0.3, result=str(sample))
    answer = app.post(f"/api/generate/{kind}", {"prompt": sample.name, "model": model})
    return str(answer.json()["fileId"])


def arrived(app: RunningApp, wire: WireServer, sample: Path) -> str:
    file_id = ordered(app, wire, sample)
    app.wait_for(file_id)
    return file_id


@pytest.mark.parametrize("name", UNPLAYABLE)
def test_a_codec_that_the_browser_lacks_is_named_beside_a_download(
    app: RunningApp, wire: WireServer, samples: Path, page: Page, name: str
) -> None:
    file_id = arrived(app, wire, samples / name)
    opened(page, f"{app.url}/g/{file_id}")
    expect(page.get_by_text(CANNOT_PLAY.format(UNPLAYABLE[name]), exact=True)).to_be_visible()
    expect(page.get_by_role("img", name=name, exact=True)).to_be_visible()
    expect(page.locator("video")).to_have_count(0)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download", exact=True).click()
    assert saved.value.path().stat().st_size >= (samples / name).stat().st_size


def test_it_is_told_on_an_open_page_and_the_poster_follows(
    app: RunningApp, wire: WireServer, samples: Path, profiles: Profiles
) -> None:
    page = profiles.lend(viewport=PHONE).new_page()
    file_id = ordered(app, wire, samples / "hevc.mp4")
    opened(page, f"{app.url}/g/{file_id}")
    expect(page.get_by_text(CANNOT_PLAY.format("HEVC"))).to_be_visible(timeout=WITHIN_MS)
    page.wait_for_function(SHOWN.format(".r-unshown-poster", "naturalWidth"))
    assert page.evaluate("""() => {
        const gate = document.querySelector(".r-gate"), words = document.querySelector(".r-unshown-words");
        return words.getBoundingClientRect().height <= gate.getBoundingClientRect().height;
    }""")
    assert not too_wide(page)
    assert grave_findings(page) == ""


@pytest.mark.parametrize("name", ["moving.webp", "moving.gif", "moving.png"])
def test_a_moving_picture_that_came_as_the_video_moves_and_opens_large(
    app: RunningApp, wire: WireServer, samples: Path, page: Page, name: str
) -> None:
    file_id = arrived(app, wire, samples / name)
    opened(page, f"{app.url}/g/{file_id}")
    still = page.get_by_role("img", name=name, exact=True)
    page.wait_for_function(SHOWN.format("img.r-player", "naturalWidth"))
    expect(page.locator("video")).to_have_count(0)
    seen = set()
    for _ in range(20):
        seen.add(still.screenshot())
        if len(seen) > 1:
            break
        page.wait_for_timeout(70)
    assert len(seen) > 1, "it stands still"
    assert still.bounding_box() == page.locator(".r-gate").bounding_box()
    page.get_by_role("button", name="View large").click()
    expect(page.get_by_role("dialog", name=name)).to_be_visible()


def test_a_moving_picture_rests_for_whoever_asked_for_less_motion(
    app: RunningApp, wire: WireServer, samples: Path, profiles: Profiles
) -> None:
    page = profiles.lend(reduced_motion="reduce").new_page()
    file_id = ordered(app, wire, samples / "moving.gif")
    opened(page, f"{app.url}/g/{file_id}")
    poster = f"document.querySelector('img.r-player')?.currentSrc.endsWith('/media/{file_id}/poster')"
    page.wait_for_function(poster, timeout=WITHIN_MS)
    page.get_by_role("button", name="View large").click()
    expect(page.get_by_role("dialog").locator("img")).to_have_attribute("src", f"/media/{file_id}/file")


def test_the_lightbox_steps_over_films(app: RunningApp, wire: WireServer, samples: Path, page: Page) -> None:
    app.clear()
    for name in ("moving.gif", "h264.mp4", "moving.webp"):
        file_id = arrived(app, wire, samples / name)
        app.wait_until(lambda file_id=file_id: app.get(f"/api/file/{file_id}")["thumbnail_url"], 30)
    opened(page, app.url)
    page.locator("img.r-player").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("1 of 2")


def test_a_picture_that_the_browser_cannot_show_is_named_and_its_poster_shown(
    app: RunningApp, wire: WireServer, samples: Path, page: Page
) -> None:
    file_id = arrived(app, wire, samples / "picture.tif")
    opened(page, f"{app.url}/g/{file_id}")
    told = "This browser cannot show this format (TIFF). Download it to see it."
    expect(page.get_by_text(told, exact=True)).to_be_visible()
    page.wait_for_function(SHOWN.format(".r-unshown-poster", "naturalWidth"))
    expect(page.get_by_role("button", name="View large")).to_have_count(0)


def test_a_file_that_is_gone_is_no_format(
    app: RunningApp, wire: WireServer, samples: Path, page: Page
) -> None:
    media = app.data_dir / "media"
    before = set(media.rglob("*.mp4"))
    file_id = arrived(app, wire, samples / "h264.mp4")
    for new in set(media.rglob("*.mp4")) - before:
        new.unlink()
    opened(page, f"{app.url}/g/{file_id}")
    expect(page.get_by_text("This file is missing from the disk.")).to_be_visible()


def test_a_line_at_fault_is_no_format_and_the_film_is_fetched_again(
    app: RunningApp, wire: WireServer, samples: Path, page: Page
) -> None:
    file_id = arrived(app, wire, samples / "h264.mp4")
    broken: list[str] = []

    def break_first(route: Route) -> None:
        if len(broken) < 4:
            broken.append(route.request.method)
            route.abort()
        else:
            route.continue_()

    page.route("**/media/*/file", break_first)
    opened(page, f"{app.url}/g/{file_id}")
    page.wait_for_function(SHOWN.format("video", "videoWidth"), timeout=WITHIN_MS)
    assert len(broken) == 4
    expect(page.get_by_text("cannot play")).to_have_count(0)
