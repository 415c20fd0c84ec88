"""Pages without a browser: `user` has stand-in services, `visitor` a library with real rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import pytest_asyncio
from nicegui.testing import User

from tests.support.library_harness import LibraryHarness
from tests.support.library_harness import library_harness as harness
from tests.support.patient_user import patient_user
from tests.ui.stand_in_services import StandInServices
from ui.pages.routes import register

__all__ = ["harness", "stand_in", "user", "visitor"]


@pytest.fixture
def stand_in() -> StandInServices:
    return StandInServices()


@pytest_asyncio.fixture
async def user(stand_in: StandInServices) -> AsyncIterator[User]:
    async with patient_user() as simulated:
        register(
            stand_in.as_generations(),
            stand_in.as_library(),
            stand_in.as_chats(),
            stand_in.as_deliveries(),
            stand_in.as_diagnostics(),
        )
        yield simulated


@pytest_asyncio.fixture
async def visitor(harness: LibraryHarness) -> AsyncIterator[User]:
    async with patient_user() as simulated:
        register(harness.generations, harness.library, cast(Any, None), harness.statistics, cast(Any, None))
        yield simulated
