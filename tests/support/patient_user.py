"""NiceGUI's simulated user with longer timeouts, for a busy machine."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from nicegui.testing import User, user_simulation

RETRIES = 100
"""Ten seconds to appear, five to disappear; NiceGUI's own three retries take 0.3 s."""


class PatientUser(User):
    async def should_see(self, *target: Any, retries: int = RETRIES, **named: Any) -> None:
        await super().should_see(*target, retries=retries, **named)

    async def should_not_see(self, *target: Any, retries: int = RETRIES, **named: Any) -> None:
        await super().should_not_see(*target, retries=retries, **named)


@asynccontextmanager
async def patient_user() -> AsyncIterator[User]:
    async with user_simulation() as simulated:
        yield PatientUser(simulated.http_client)
    gc.freeze()  # what is left of the pages would slow down the two full collections of each later simulation
