from __future__ import annotations

import asyncio
import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# NiceGUI would write its storage into the current folder, where each simulation clears the other process's too.
# Set before anything imports NiceGUI.
os.environ["NICEGUI_STORAGE_PATH"] = tempfile.mkdtemp(prefix="rushes-tests-")

import pytest

if TYPE_CHECKING:
    from tests.support.killable_app import ForkServer

IN_A_BROWSER = Path(__file__).parent / "ui" / "browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that two processes finish at the same time."""
    items.sort(key=lambda item: not item.path.is_relative_to(IN_A_BROWSER))


@pytest.fixture(scope="module", autouse=True)
def freeze_collected_objects() -> None:
    """Exempts the collected tests' objects from garbage collection.

    NiceGUI's simulation runs four full collections per test, 0.2-0.4 s each with the whole suite collected.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def default_event_loop() -> Iterator[None]:
    """Without one, pytest-asyncio creates one and leaks it: a warning in some later test."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()


@pytest.fixture(scope="session", autouse=True)
def ready_database() -> Iterator[None]:
    """Opens each new store on a copy; the migrations have tests of their own, and apps in processes run them."""
    from tests.support.ready_database import migrate_by_copy

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.store.store.migrate", migrate_by_copy)
        yield


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    """Starts apps with failpoints quickly."""
    from tests.support.killable_app import ForkServer  # 0.4 s, and few tests need one

    fork_server = ForkServer()
    yield fork_server
    fork_server.close()
