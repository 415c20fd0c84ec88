"""A page that cannot be built shows an error page."""

from __future__ import annotations

from typing import Any

import pytest
from nicegui.testing import User

from services.core.errors import StoreFailed
from tests.ui.stand_in_services import StandInServices

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            StoreFailed("The database is in use by another program. Try again in a moment."),
            "in use by another program",
        ),
        (RuntimeError("/secret/place"), "Your results are safe. See the log for details."),
    ],
)
async def test_a_page_that_cannot_be_built_says_why_and_where_to_go(
    error: Exception,
    expected: str,
    stand_in: StandInServices,
    user: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: Any,
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(stand_in, "get", fails)
    answer = await user.http_client.get("/g/some-id")
    assert answer.status_code == 500
    assert expected in answer.text
    assert "This page is unavailable right now." in answer.text
    assert "/secret/place" not in answer.text
    caplog.clear()
