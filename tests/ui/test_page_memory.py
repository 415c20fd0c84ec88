"""Pages that nobody looks at are given back, and nobody's page is taken away."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from nicegui import Client
from nicegui.testing import User
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from ui.session import page_memory
from ui.session.page_memory import CONNECTS_WITHIN_S, PageLimit, PageMemory

pytestmark = pytest.mark.asyncio
VISITS = 8
OUTBOX_ENDS_WITHIN_S = 1.5


@pytest.fixture
def collections(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setattr(page_memory, "MAX_UNCONNECTED", 3)
    monkeypatch.setattr(page_memory, "MIN_DELETED", 5)
    return []


@pytest.fixture
def memory(user: User, collections: list[int]) -> PageMemory:
    memory = PageMemory(collect=lambda: collections.append(gc.collect()))
    memory.observe()
    return memory


async def fetched(user: User, count: int, *, ago_s: float) -> list[weakref.ref[Client]]:
    """Pages that a script fetched that long ago."""
    before = set(Client.instances)
    for _ in range(count):
        await user.http_client.get("/")
    made = [client for client in Client.instances.values() if client.id not in before]
    for client in made:
        client.created -= ago_s
    return [weakref.ref(client) for client in made]


async def test_pages_that_no_browser_connects_to_are_given_back(
    user: User, memory: PageMemory, collections: list[int]
) -> None:
    pages = await fetched(user, VISITS, ago_s=CONNECTS_WITHIN_S)
    assert len(pages) == VISITS
    memory.tend()
    await asyncio.sleep(OUTBOX_ENDS_WITHIN_S)
    memory.tend()
    assert len(collections) == 1
    alive = [page() for page in pages]
    assert alive[: VISITS - 3] == [None] * (VISITS - 3), "the oldest go first, and leave the memory"
    assert None not in alive[VISITS - 3 :]


async def test_most_of_a_page_leaves_the_memory_without_the_collector(
    user: User, memory: PageMemory, collections: list[int]
) -> None:
    gc.collect()
    gc.disable()
    try:
        (page,) = await fetched(user, 1, ago_s=0)
        client = page()
        assert client is not None
        props = [weakref.ref(element.props) for element in client.elements.values()]
        client.delete()
        del client
        await asyncio.sleep(OUTBOX_ENDS_WITHIN_S)
        left = sum(each() is not None for each in props)
    finally:
        gc.enable()
    assert left < len(props) / 2
    assert collections == []


async def test_a_page_may_wait_for_its_browser(user: User, memory: PageMemory) -> None:
    pages = await fetched(user, VISITS, ago_s=CONNECTS_WITHIN_S / 2)
    memory.tend()
    assert None not in [page() for page in pages]


async def test_a_tab_that_was_cut_off_is_kept(user: User, memory: PageMemory) -> None:
    await user.open("/")
    tab = user.client
    assert tab is not None
    tab.created -= 3600
    tab.tab_id = None  # its phone sleeps
    await fetched(user, VISITS, ago_s=CONNECTS_WITHIN_S)
    memory.tend()
    assert tab.id in Client.instances


async def test_the_collector_runs_the_less_often_the_more_pages_are_open(
    user: User, memory: PageMemory, collections: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await fetched(user, VISITS, ago_s=CONNECTS_WITHIN_S)
    monkeypatch.setattr(page_memory, "MIN_DELETED", 6)
    memory.tend()
    memory.tend()
    assert collections == []
    monkeypatch.setattr(page_memory, "MIN_DELETED", 5)
    memory.tend()
    assert len(collections) == 1


Get = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def get(memory: PageMemory) -> Get:
    """Asks a limited app, from an address."""

    async def answer(_: Request) -> PlainTextResponse:
        return PlainTextResponse("a page")

    limited: Any = PageLimit(Starlette(routes=[Route("/{path:path}", answer)]), memory=memory, most=VISITS)

    async def get(path: str, *, address: str = "127.0.0.1") -> httpx.Response:
        transport = httpx.ASGITransport(limited, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path)

    return get


async def test_one_address_cannot_open_pages_without_end(user: User, get: Get) -> None:
    assert (await get("/")).status_code == 200
    pages = await fetched(user, VISITS, ago_s=0)
    refusal = await get("/library")
    assert refusal.status_code == 429
    assert refusal.text == page_memory.TOO_MANY
    assert refusal.headers["Retry-After"] == "10"
    assert (await get("/api/files")).status_code == 200
    assert len(pages) == VISITS


async def test_another_address_is_not_locked_out(user: User, get: Get) -> None:
    await fetched(user, VISITS, ago_s=0)
    assert (await get("/", address="203.0.113.7")).status_code == 200
