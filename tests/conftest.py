from __future__ import annotations

import asyncio
import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# NiceGUI would write its storage into the current folder, and each simulation clears it: in the other process too.
# Before anything imports it, whatever is collected first.
os.environ["NICEGUI_STORAGE_PATH"] = tempfile.mkdtemp(prefix="rushes-tests-")

import pytest

if TYPE_CHECKING:
    from tests.support.killable_app import ForkServer

IN_A_BROWSER = Path(__file__).parent / "ui" / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: two processes share them, and the short ones fill up what is left at the end."""
    items.sort(key=lambda item: not item.path.is_relative_to(IN_A_BROWSER))


@pytest.fixture(scope="module", autouse=True)
def what_was_there_before_is_not_looked_through() -> None:
    """What thousands of collected tests hold stays until the end: no collection need look through it again.

    Each test of a page makes four full ones (NiceGUI's simulation), 0.2-0.4 s apiece with the whole suite collected.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def a_loop_for_those_who_look_for_one() -> Iterator[None]:
    """Without it pytest-asyncio makes one and forgets it: a warning in whichever test comes later."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    """Where apps with a plug to pull are born fast."""
    from tests.support.killable_app import ForkServer  # 0.4 s, and few tests need one

    fork_server = ForkServer()
    yield fork_server
    fork_server.close()
