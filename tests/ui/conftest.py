"""Pages without a browser: NiceGUI's simulated user, and the stand-in door."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator

# NiceGUI would write its storage into the current folder
os.environ.setdefault("NICEGUI_STORAGE_PATH", tempfile.mkdtemp(prefix="rushes-tests-"))

import pytest
import pytest_asyncio
from nicegui.testing import User, user_simulation

from tests.ui.door import Door
from ui.app import register


@pytest.fixture
def door() -> Door:
    return Door()


@pytest_asyncio.fixture
async def user(door: Door) -> AsyncIterator[User]:
    async with user_simulation() as simulated:
        register(
            door.as_generations(), door.as_library(), door.as_chats(), door.as_deliveries(), door.as_checkup()
        )
        yield simulated
