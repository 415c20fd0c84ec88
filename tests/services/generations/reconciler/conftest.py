from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from services.backends.base import Capabilities
from services.backends.scripted import Script, Scripted
from tests.support.engine_harness import EngineHarness
from tests.support.late_counts import count_late


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[EngineHarness]:
    harness = EngineHarness(
        tmp_path, Scripted(Script(length_s=5.0), capabilities=Capabilities(searchable=True))
    )
    await harness.open()
    yield harness
    await harness.close()
    count_late(harness)
