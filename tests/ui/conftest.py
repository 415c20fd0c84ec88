"""Pages without a browser: NiceGUI's simulated user at the stand-in door, a visitor in a library with real rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import pytest_asyncio
from nicegui.testing import User, user_simulation

from tests.support.library_harness import KeptHouse
from tests.support.library_harness import kept_house as house
from tests.ui.stand_in_services import Door
from ui.pages.routes import register

__all__ = ["door", "house", "user", "visitor"]


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


@pytest_asyncio.fixture
async def visitor(house: KeptHouse) -> AsyncIterator[User]:
    async with user_simulation() as simulated:
        register(house.generations, house.library, cast(Any, None), house.deliveries, cast(Any, None))
        yield simulated
