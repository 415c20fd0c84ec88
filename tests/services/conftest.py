from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from services.backends.scripted import Script, Scripted
from tests.support.engine_harness import EngineHarness
from tests.support.library_harness import library_harness

__all__ = ["harness", "library_harness"]


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[EngineHarness]:
    """For virtual time."""
    harness = EngineHarness(tmp_path, Scripted(Script(length_s=5.0)))
    await harness.open()
    yield harness
    await harness.close()
