from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from services.backends.scripted import Script, Scripted
from tests.support.engine_harness import House
from tests.support.library_harness import kept_house

__all__ = ["house", "kept_house"]


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """For virtual time."""
    house = House(tmp_path, Scripted(Script(length_s=5.0)))
    await house.open()
    yield house
    await house.close()
