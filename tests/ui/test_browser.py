"""The main ways in a real browser, against the real app with its embedded backend."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.support.app import RunningApp, running_app
from tests.support.chromium import FLAGS, chromium

ARRIVED = re.compile(r"^Video generated successfully( via SSE)?!$")
WITHIN_MS = 90_000
SMALL = {"resolution": "360p", "duration": 1, "fps": 12}
LONG = {"resolution": "360p", "duration": 20}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("rushes")) as running:
        running.wait_for_models()
        yield running
        assert " ERROR " not in running.log, running.log
        assert "Traceback" not in running.log, running.log


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # not longer than this module: while it lives, no asyncio test can run beside it
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 860}, color_scheme="dark")
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


@pytest.fixture
def page(app: RunningApp, context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(app.url)
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_visible()
    yield page
    assert errors == []


def choose(page: Page, field: str, option: str) -> None:
    page.get_by_label(field, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()


def generate(page: Page, prompt: str) -> None:
    """The smallest film that there is, through the form."""
    page.get_by_label("Prompt", exact=True).fill(prompt)
    choose(page, "Length", "1 s")
    if not page.get_by_label("Resolution").is_visible():
        page.get_by_text("More settings").click()
    choose(page, "Resolution", "360p")
    page.get_by_role("button", name="Generate", exact=True).click()


def figure(page: Page) -> Locator:
    """Of the one on the stage, which comes before the cards."""
    return page.get_by_role("progressbar", name="Progress").first


def toasts(page: Page) -> Locator:
    return page.get_by_text(ARRIVED)


def player(page: Page, prompt: str) -> Locator:
    video = page.locator("video").first
    expect(video).to_have_attribute("aria-label", prompt, timeout=WITHIN_MS)
    page.wait_for_function("document.querySelector('video').readyState >= 2")
    return video


def test_a_prompt_becomes_a_film_that_plays_and_seeks(page: Page) -> None:
    generate(page, "A lighthouse above a stormy sea")
    expect(toasts(page)).to_have_count(1, timeout=WITHIN_MS)
    video = player(page, "A lighthouse above a stormy sea")
    video.evaluate("video => video.play()")
    page.wait_for_function("document.querySelector('video').currentTime > 0.2")
    video.evaluate("video => { video.pause(); video.currentTime = 0.75 }")
    page.wait_for_function("const v = document.querySelector('video'); !v.seeking && v.currentTime > 0.7")
    expect(toasts(page)).to_have_count(1)
    expect(page.get_by_text(re.compile(r"^(Push|Poll) won$"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^on the page .+ s after"))).to_be_visible()


def test_a_reload_halfway_shows_the_progress_and_the_film_arrives(app: RunningApp, page: Page) -> None:
    app.generate("A long night train", **LONG)
    expect(page.get_by_role("option", name="A long night train")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="A long night train")).to_be_visible()
    expect(figure(page)).to_have_attribute("aria-valuetext", re.compile(r"\d+ %"), timeout=WITHIN_MS)
    page.reload()
    expect(figure(page)).to_have_attribute("aria-valuetext", re.compile(r"\d+ %"))
    player(page, "A long night train")
    expect(toasts(page)).to_have_count(1)


def test_what_is_finished_is_there_after_a_reload_and_not_told_again(app: RunningApp, page: Page) -> None:
    app.wait_for(app.generate("A quiet pond", **SMALL))
    page.reload()
    player(page, "A quiet pond")
    page.wait_for_timeout(1500)
    expect(toasts(page)).to_have_count(0)


def test_an_open_page_is_told_but_never_switched_by_another_tab(
    app: RunningApp, page: Page, context: BrowserContext
) -> None:
    app.wait_for(app.generate("First on the stage", **SMALL))
    page.reload()
    player(page, "First on the stage")
    other = context.new_page()
    other.goto(app.url)
    generate(other, "Started elsewhere")
    expect(toasts(page)).to_have_count(1, timeout=WITHIN_MS)
    expect(toasts(other)).to_have_count(1)
    expect(page.get_by_role("heading", name="First on the stage")).to_be_visible()
    page.get_by_role("button", name="Open", exact=True).click()
    player(page, "Started elsewhere")


def test_a_power_cut_halfway_loses_nothing(tmp_path: Path, browser: Browser) -> None:
    with running_app(tmp_path / "data") as app:
        app.wait_for_models()
        context = browser.new_context()
        page = context.new_page()
        page.goto(app.url)
        file_id = app.generate("Snow over the mountains", **LONG)
        expect(page.get_by_role("option", name="Snow over the mountains")).to_be_visible()
        page.get_by_role("option", name="Snow over the mountains").click()
        expect(figure(page)).to_be_visible(timeout=WITHIN_MS)
        app.kill()
        expect(
            page.get_by_text("Nothing is lost: what is running is watched, also after a restart.")
        ).to_be_visible()
        app.start()
        player(page, "Snow over the mountains")
        page.wait_for_timeout(1000)
        assert toasts(page).count() <= 1
        expect(page.get_by_role("option", name="Snow over the mountains")).to_have_count(1)
        assert [item["id"] for item in app.get("/api/files")["items"]] == [file_id]
        context.close()


def test_what_is_typed_while_the_server_is_away_is_kept(tmp_path: Path, browser: Browser) -> None:
    with running_app(tmp_path / "data") as app:
        app.wait_for_models()
        context = browser.new_context()
        page = context.new_page()
        page.goto(app.url)
        prompt = page.get_by_label("Prompt", exact=True)
        prompt.fill("Before the cut")
        page.wait_for_timeout(500)
        app.kill()
        expect(page.get_by_text("Connection lost.")).to_be_visible()
        prompt.fill("Typed <b>meanwhile</b>")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text("Not sent: no connection. Your text is kept here.")).to_be_visible()
        page.evaluate("window.old = true")
        app.start()
        page.wait_for_function("!window.old", timeout=WITHIN_MS)
        expect(prompt).to_have_value("Typed <b>meanwhile</b>")
        page.wait_for_timeout(500)
        page.reload()
        expect(prompt).to_have_value("Typed <b>meanwhile</b>")
        context.close()


def test_the_keyboard_alone_is_enough(app: RunningApp, page: Page) -> None:
    app.wait_for(app.generate("An earlier one", **SMALL))
    page.reload()
    player(page, "An earlier one")
    page.keyboard.press("/")
    expect(page.get_by_label("Prompt", exact=True)).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("Fog in a pine forest / dawn ?")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Fog in a pine forest / dawn ?")).to_be_visible()
    player(page, "Fog in a pine forest / dawn ?")
    page.keyboard.press("Escape")
    page.keyboard.press(" ")
    page.wait_for_function("!document.querySelector('video').paused")
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('video').paused")
    page.keyboard.press("ArrowRight")
    player(page, "An earlier one")
    page.keyboard.press("ArrowLeft")
    player(page, "Fog in a pine forest / dawn ?")
    with page.expect_download() as saved:
        page.keyboard.press("d")
    assert Path(saved.value.path()).stat().st_size > 1000
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()


def test_the_link_leads_to_the_one_generation(app: RunningApp, page: Page, context: BrowserContext) -> None:
    file_id = app.generate("A kite", **SMALL)
    app.wait_for(file_id)
    page.reload()
    player(page, "A kite")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("The link is on the clipboard.")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{app.url}/g/{file_id}"
    page.goto(link)
    player(page, "A kite")
    expect(page.get_by_role("table", name="Timeline")).to_be_visible()


def test_without_a_clipboard_the_link_is_shown(app: RunningApp, context: BrowserContext) -> None:
    context.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', { value: undefined }); document.execCommand = () => false"
    )
    file_id = app.generate("A kite", **SMALL)
    app.wait_for(file_id)
    page = context.new_page()
    page.goto(app.url)
    player(page, "A kite")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_have_value(f"{app.url}/g/{file_id}")


def test_a_delete_asks_and_then_it_is_gone_everywhere(app: RunningApp, page: Page) -> None:
    file_id = app.generate("To be deleted", **SMALL)
    app.wait_for(file_id)
    page.reload()
    player(page, "To be deleted")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("option", name="To be deleted")).to_have_count(0)
    answer = page.goto(f"{app.url}/g/{file_id}")
    assert answer is not None
    assert answer.status == 404
    page.get_by_role("link", name="Back to the video page").click()
    expect(page.get_by_label("Prompt", exact=True)).to_be_visible()


def test_a_stop_stops(app: RunningApp, page: Page) -> None:
    app.generate("To be stopped", **LONG)
    page.reload()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    expect(page.locator(".r-scene-words")).to_have_text("Stopped.")


def test_markup_in_a_prompt_stays_text(app: RunningApp, page: Page) -> None:
    prompt = "<img src=x onerror=window.bad=1> & ${7*7} {{8*8}}"
    app.wait_for(app.generate(prompt, **SMALL))
    page.reload()
    player(page, prompt)
    expect(page.get_by_role("heading", name=prompt, exact=True)).to_be_visible()
    assert page.evaluate("window.bad") is None


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_nothing_is_wider_than_the_screen(app: RunningApp, browser: Browser, width: int, scheme: str) -> None:
    app.wait_for(app.generate("A word" + " and another" * 30 + "x" * 200, **SMALL))
    context = browser.new_context(
        viewport={"width": width, "height": 740}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    for path in ("/", "/g/nothing", page_of_newest(app)):
        page.goto(app.url + path)
        page.wait_for_selector("main")
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
    context.close()


def page_of_newest(app: RunningApp) -> str:
    return f"/g/{app.get('/api/files')['items'][0]['id']}"


def test_a_phone_has_the_stage_first_and_the_composer_first_while_it_is_empty(
    app: RunningApp, browser: Browser
) -> None:
    app.wait_for(app.generate("On a phone", **SMALL))
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(app.url)
    player(page, "On a phone")

    def above() -> bool:
        return bool(
            page.evaluate(
                "document.querySelector('.r-stage').getBoundingClientRect().top"
                " < document.querySelector('.r-composer').getBoundingClientRect().top"
            )
        )

    assert above()
    page.get_by_role("button", name="New: clear the stage").click()
    expect(page.get_by_text("Nothing on the stage yet")).to_be_visible()
    assert not above()
    context.close()


def test_the_chosen_theme_is_remembered_and_there_before_the_first_paint(page: Page) -> None:
    page.get_by_role("button", name="Theme").click()
    page.get_by_text("Light", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    time.sleep(0.3)
    page.reload(wait_until="commit")
    page.wait_for_function("document.body")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_a_hidden_tab_gets_a_mark_until_it_is_seen(app: RunningApp, context: BrowserContext) -> None:
    context.add_init_script("Object.defineProperty(document, 'hidden', { get: () => window.away === true })")
    page = context.new_page()
    page.goto(app.url)
    expect(page).to_have_title("Video · Rushes")
    page.evaluate("window.away = true")
    app.generate("While you were away", **SMALL)
    expect(page).to_have_title("● Video · Rushes", timeout=WITHIN_MS)
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page).to_have_title("Video · Rushes")


def test_no_file_comes_from_another_host(app: RunningApp, context: BrowserContext) -> None:
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(app.url)
    page.wait_for_timeout(1000)
    assert asked
    assert [url for url in asked if not url.startswith((app.url, "data:", "blob:"))] == []


def test_every_name_of_the_contract_is_there_once(app: RunningApp, page: Page) -> None:
    app.wait_for(app.generate("Names", **SMALL))
    page.reload()
    player(page, "Names")
    for name in ("Generate", "Download", "Copy link", "Delete", "Clear all"):
        expect(page.get_by_role("button", name=name)).to_have_count(1)
    expect(page.get_by_label("Prompt")).to_have_count(1)
    expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_have_count(1)
    expect(page.get_by_role("link", name="Video")).to_have_count(1)
    assert page.locator("video").first.get_attribute("preload") == "auto"


def test_the_language_is_changed_and_what_was_typed_stays(page: Page) -> None:
    page.get_by_label("Prompt", exact=True).fill("A draft in the making")
    page.wait_for_timeout(500)
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("radio", name="Русский").check(force=True)
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    expect(page.get_by_role("heading", name="Язык")).to_be_visible()
    page.get_by_role("link", name="Видео").click()
    expect(page.get_by_role("button", name="Сделать", exact=True)).to_be_visible()
    expect(page.get_by_label("Описание", exact=True)).to_have_value("A draft in the making")


@pytest.mark.parametrize("width", [360, 1280])
def test_russian_words_have_room(app: RunningApp, browser: Browser, width: int) -> None:
    """Buttons, places and fields show their words whole."""
    generation = app.generate("Тихий пруд", **SMALL)
    app.wait_for(generation)
    context = browser.new_context(viewport={"width": width, "height": 780}, locale="ru-RU")
    page = context.new_page()
    for path in ("/", f"/g/{generation}", "/settings", "/nowhere"):
        page.goto(app.url + path)
        expect(page.get_by_role("link", name="Настройки")).to_be_visible()
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        cut = page.evaluate("""() => [...document.querySelectorAll("button, .r-btn, .r-place, .r-label, .r-option, .r-facts dt")]
            .filter((one) => one.clientWidth && one.scrollWidth > one.clientWidth).map((one) => one.textContent)""")
        assert cut == [], path
    page.goto(app.url)
    counted = re.compile(r"^Пуш принёс \d+ событи[еяй]\. Опрос спросил \d+ раза?\.")
    expect(page.get_by_role("img", name=counted)).to_be_visible()
    context.close()
