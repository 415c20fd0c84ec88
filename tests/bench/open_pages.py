"""A hundred open pages that show one generation's progress, twice a second.

The pages are sockets of a light client: it fetches the real page, shakes hands and acknowledges as NiceGUI's own
script does, and counts the updates that arrive; no browser draws them. The CPU is the app's own process, against the
same generation with no page open.
"""

from __future__ import annotations

import ast
import asyncio
import json
import re
import uuid
from dataclasses import dataclass

import httpx
import socketio

from tests.bench import rig
from tests.bench.table import Figure, one

PAGES, OPENED_AT_ONCE = 100, 4
LENGTH_S, EVERY_S = 60.0, 0.5
"""Nearly every event adds one percent."""
SETTLED_S, OBSERVED_S = 5.0, 20.0
QUERY = re.compile(r"^\s*query: (\{.*\}),$", re.MULTILINE)
SOCKET = "/_nicegui_ws/socket.io"
ACKNOWLEDGED_EVERY_S = 5.0


def measure() -> list[Figure]:
    with rig.wire(length_s=LENGTH_S, progress_every_s=EVERY_S) as backend, rig.studio(backend) as app:
        return asyncio.run(_measure(app))


async def _measure(app: rig.RunningApp) -> list[Figure]:
    await rig.submitted(app, ["a clip without spectators"])
    await asyncio.sleep(SETTLED_S)
    unwatched = await _share(app)
    # The generation first: only a page opened later has it on its stage.
    await rig.submitted(app, ["a clip that everybody watches"])
    pages = [Page(app.url) for _ in range(PAGES)]
    turn = asyncio.Semaphore(OPENED_AT_ONCE)
    await asyncio.gather(*(page.open(turn) for page in pages))
    await asyncio.sleep(SETTLED_S)
    received = sum(page.updates for page in pages)
    busy = await _share(app)
    received = sum(page.updates for page in pages) - received
    for page in pages:
        await page.close()
    return [
        one("100 pages, 2 updates a second", "% core", busy, at_most=10),
        one("no page, the same generation", "% core", unwatched),
        one("updates received by a page", "a second", received / PAGES / OBSERVED_S),
    ]


async def _share(app: rig.RunningApp) -> float:
    before = rig.cpu(app)
    await asyncio.sleep(OBSERVED_S)
    return rig.cpu(app).since(before).share


@dataclass(slots=True)
class Page:
    """One open page."""

    url: str
    updates: int = 0
    _next: int = 0
    _socket: socketio.AsyncClient | None = None
    _acknowledging: asyncio.Task[None] | None = None

    async def open(self, turn: asyncio.Semaphore) -> None:
        async with turn, httpx.AsyncClient(trust_env=False, timeout=30) as http:
            html = (await http.get(self.url + "/")).text
        found = QUERY.search(html)
        assert found is not None
        query = ast.literal_eval(found[1])
        self._next = query["next_message_id"]
        query |= {"document_id": str(uuid.uuid4()), "tab_id": str(uuid.uuid4()), "old_tab_id": ""}
        params = {
            name: json.dumps(value) if isinstance(value, bool) else value for name, value in query.items()
        }
        self._socket = socketio.AsyncClient(reconnection=False)
        self._socket.on("*", self._on_message)
        await self._socket.connect(
            f"{self.url}?{httpx.QueryParams(params)}",
            headers={"Origin": self.url},
            transports=["websocket"],
            socketio_path=SOCKET,
        )
        self._acknowledging = asyncio.create_task(self._acknowledge(query["client_id"]), name="acknowledge")

    async def close(self) -> None:
        if self._acknowledging is not None:
            self._acknowledging.cancel()
            await asyncio.gather(self._acknowledging, return_exceptions=True)
        if self._socket is not None:
            await self._socket.disconnect()

    async def _on_message(self, event: str, *_: object) -> None:
        self._next += 1
        self.updates += event == "update"

    async def _acknowledge(self, client_id: str) -> None:
        while True:
            await asyncio.sleep(ACKNOWLEDGED_EVERY_S)
            assert self._socket is not None
            await self._socket.emit("ack", {"client_id": client_id, "next_message_id": self._next})
