from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def a_loop_for_those_who_look_for_one() -> Iterator[None]:
    """Without it pytest-asyncio makes one and forgets it: a warning in whichever test comes later."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
