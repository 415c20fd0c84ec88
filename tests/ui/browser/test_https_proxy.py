"""The pages behind the README's nginx block: https, a certificate and a host name of its own."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.support.app import RunningApp, running_app
from tests.support.browser import SCREEN, generate, opened, player, shrink
from tests.support.chromium import FLAGS, chromium
from tests.support.https_proxy import client_of, https_proxy

NAME, CYRILLIC, PUNYCODE = "rushes.test", "кино.test", "xn--h1adke.test"
SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("data"), RUSHES_PUBLIC_URL=f"https://{NAME}") as running:
        running.wait_for_models()
        yield running


@pytest.fixture(scope="module")
def port(app: RunningApp, folder: Path) -> Iterator[int]:
    with https_proxy(app.url, folder, NAME, PUNYCODE) as port:
        yield port


@pytest.fixture
def client(port: int, folder: Path) -> Iterator[httpx.Client]:
    with client_of(port, NAME, folder / "certificate.pem") as client:
        yield client


def mapped(browser: Browser, port: int) -> Browser:
    """Another Chromium, for which the test's names lead to the proxy."""
    rules = f"MAP {NAME}:443 127.0.0.1:{port},MAP {PUNYCODE}:443 127.0.0.1:{port}"
    kind = browser.browser_type
    return kind.launch(executable_path=chromium(), args=[*FLAGS, f"--host-resolver-rules={rules}"])


@pytest.fixture
def page(browser: Browser, port: int) -> Iterator[Page]:
    launched = mapped(browser, port)
    context = launched.new_context(ignore_https_errors=True, viewport=SCREEN)
    context.set_default_timeout(20_000)
    yield context.new_page()
    launched.close()


def test_a_film_arrives_behind_the_readmes_proxy(page: Page, app: RunningApp) -> None:
    opened(page, f"https://{NAME}/")
    shrink(page)
    generate(page, "a kite behind a proxy")
    player(page, "a kite behind a proxy")
    assert [cookie for cookie in page.context.cookies() if cookie["name"] == "__Host-session"]


def test_a_change_from_the_public_address_is_taken(client: httpx.Client) -> None:
    answer = client.post(
        "/api/generate/video",
        json={"prompt": "a kite", "duration": 1, "resolution": "360p", "fps": 12},
        headers={"Origin": f"https://{NAME}", "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 202
    status = client.get(f"/api/file/{answer.json()['fileId']}")
    assert status.status_code == 200


def test_a_change_from_the_same_name_over_http_is_refused(client: httpx.Client) -> None:
    answer = client.post(
        "/api/generate/video", json={"prompt": "a kite"}, headers={"Origin": f"http://{NAME}"}
    )
    assert answer.status_code == 403


def test_cookie_and_hsts_are_for_https_only(client: httpx.Client) -> None:
    answer = client.get("/")
    cookie = answer.headers["Set-Cookie"].lower()
    assert cookie.startswith("__host-session=")
    assert "; path=/" in cookie
    assert "; secure" in cookie
    assert "; httponly" in cookie
    assert "domain" not in cookie
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_no_prefix_of_a_request_gets_into_a_page(client: httpx.Client) -> None:
    page = client.get("/", headers={"X-Forwarded-Prefix": "//evil.example"})
    assert page.status_code == 200
    assert "evil.example" not in page.text


def test_a_big_source_picture_passes(client: httpx.Client) -> None:
    answer = client.post("/api/source", files={"file": ("big.png", b"\x89PNG" + bytes(2_000_000))})
    assert answer.headers["Content-Type"] == "application/json", "nginx refused it itself"


def test_the_pages_websocket_opens_for_the_public_address_alone(port: int, folder: Path) -> None:
    tls = ssl.create_default_context(cafile=str(folder / "certificate.pem"))

    def first_message(origin: str) -> str:
        with (
            socket.create_connection(("127.0.0.1", port)) as connection,
            connect(f"wss://{NAME}{SOCKET}", sock=connection, ssl=tls, origin=Origin(origin)) as opened,
        ):
            return str(opened.recv())

    assert json.loads(first_message(f"https://{NAME}")[1:])["sid"]
    for foreign in ("https://evil.test", f"http://{NAME}"):
        with pytest.raises(InvalidStatus):
            first_message(foreign)


def test_a_public_address_in_another_script_opens(browser: Browser, tmp_path: Path, folder: Path) -> None:
    with (
        running_app(tmp_path / "data", RUSHES_PUBLIC_URL=f"https://{CYRILLIC}") as app,
        https_proxy(app.url, folder, PUNYCODE) as port,
    ):
        launched = mapped(browser, port)
        page = launched.new_page(ignore_https_errors=True)
        opened(page, f"https://{CYRILLIC}/library")
        launched.close()
