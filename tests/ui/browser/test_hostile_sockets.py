"""What anybody sends over a page's websocket: a short log line at most, and the page goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.support.app import RunningApp, running_app
from tests.support.browser import opened
from ui.session.socket_events import MAX_LINES

PATH = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("data"), RUSHES_ANIMATIC="false") as running:
        yield running


def a_page(app: RunningApp) -> str:
    """Its client's id."""
    page = httpx.get(app.url, trust_env=False).text
    found = re.search(r"client_id['\"]: ?['\"]([0-9a-f-]{36})", page)
    assert found is not None
    return found[1]


def send(app: RunningApp, *packets: str) -> None:
    address = app.url.replace("http", "ws") + PATH
    with connect(address, origin=Origin(app.url), proxy=None) as socket:
        socket.recv()
        socket.send("40")
        socket.recv()
        try:
            for packet in packets:
                socket.send(packet)
            socket.send("42" + json.dumps(["log", {"client_id": NOBODY}]))
            socket.close()
        except ConnectionClosed:
            pass


def event(name: str, *values: object) -> str:
    return "42" + json.dumps([name, *values])


@pytest.mark.parametrize(
    "packet",
    [
        *(
            "4",
            "42",
            "42[",
            "42{}",
            "42" + "[" * 5000,
            "9",
            "xx",
            "420[1]",
            "451-[]",
            "42[1]",
            '42/evil,["x"]',
        ),
        event("event"),
        event("event", None),
        event("event", {}),
        event("event", {"client_id": []}),
        event("log"),
        event("log", "text"),
        event("log", 1, 2, 3),
        event("javascript_response", {"client_id": 1}),
        event("ack", {}),
        event("handshake", None),
        event("handshake", {"client_id": NOBODY}),
        event("handshake", {}),
    ],
)
def test_no_malformed_packet_is_a_traceback(target: RunningApp, packet: str) -> None:
    start = len(target.log)
    send(target, packet)
    assert target.get("/alive") == {"status": "alive"}
    assert "Traceback" not in target.log[start:]
    assert " ERROR " not in target.log[start:]


def test_a_pages_message_is_one_line_of_a_few(target: RunningApp) -> None:
    client = a_page(target)
    forged = "told\n2026-01-01 00:00:00,000 ERROR forged \x1b[31m"
    message = event("log", {"client_id": client, "level": "error", "message": forged})
    send(target, *[message] * (MAX_LINES * 5))
    target.get("/alive")
    lines = target.log.splitlines()
    assert not [line for line in lines if line.startswith("2026-01-01")]
    assert "\x1b" not in target.log
    assert len([line for line in lines if "A page reports: told" in line]) <= MAX_LINES


def test_a_page_goes_on_beside_them(target: RunningApp, page: Page) -> None:
    opened(page, target.url)
    send(target, "42", event("event", None), "xx")
    page.get_by_label("Prompt", exact=True).fill("a kite")
    page.get_by_role("link", name="Library", exact=True).click()
    expect(page).to_have_url(re.compile("/library$"))


def test_a_closed_page_is_forgotten(target: RunningApp, page: Page) -> None:
    """The guard leaves the library's own ways of calling a handler alone."""
    start = len(target.log)
    opened(page, target.url)
    page.goto("about:blank")
    target.get("/alive")
    assert "disconnect" not in target.log[start:]
