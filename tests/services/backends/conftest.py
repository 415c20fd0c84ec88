from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio

from services.backends.base import Capabilities
from services.backends.superduperai import SuperDuperAI
from services.http.address import Address
from tests.support.fault_http import Call, Closed, read_call

TOKEN = "secret-token"
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Nothing here is encrypted; reading the certificates would be most of a test's time."""


@dataclass
class Canned:
    """Answers every call with the next of `answers`, the last again and again; keeps what was asked."""

    url: str = ""
    answers: list[tuple[int, bytes, dict[str, str]] | str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    def says(self, said: Any, *, status: int = 200, **headers: str) -> None:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        head = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, body, {"Content-Type": "application/json"} | head))

    def fails(self, how: str) -> None:
        """close · hang · half (the answer breaks off)"""
        self.answers.append(how)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (call := await read_call(reader, writer)) is not None:
                self.calls.append(call)
                what = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if not isinstance(what, str):
                    call.send(*what[:2], what[2])
                    continue
                if what == "hang":
                    await call.wait_for_disconnect()
                if what == "half":
                    call.send(200, b'{"id": ', {"Content-Length": "999"})
                raise Closed
        except (ConnectionError, asyncio.IncompleteReadError, Closed, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@pytest_asyncio.fixture
async def canned() -> AsyncIterator[Canned]:
    canned = Canned()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(canned.serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    canned.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield canned
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks)
    await asyncio.sleep(0)


@pytest_asyncio.fixture
async def backend(canned: Canned) -> AsyncIterator[SuperDuperAI]:
    """Keyed, searchable, with a cancel: as the animatic is."""
    backend = SuperDuperAI(
        name="superduperai",
        address=Address(canned.url, TOKEN),
        capabilities=Capabilities(idempotent=True, searchable=True, cancel=True),
        ssl_context=PLAIN,
    )
    yield backend
    await backend.close()
