"""A failed iteration of a periodic task is logged, and the task goes on."""

from __future__ import annotations

import asyncio

import pytest

from services.core.errors import StoreFailed
from services.core.log_failures import log_failures


def test_a_database_failure_is_a_warning_of_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with log_failures("The leases could not be renewed"):
        raise StoreFailed("The database is held.")
    (line,) = caplog.records
    assert (
        line.getMessage()
        == "The leases could not be renewed; the next round tries again. The database is held."
    )
    assert (line.levelname, line.exc_info) == ("WARNING", None)


def test_a_bug_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with log_failures("The leases could not be renewed"):
        raise KeyError("kite")
    (line,) = caplog.records
    assert (line.getMessage(), line.levelname) == ("The leases could not be renewed.", "ERROR")
    assert line.exc_info


def test_a_cancellation_passes() -> None:
    with pytest.raises(asyncio.CancelledError), log_failures("The leases could not be renewed"):
        raise asyncio.CancelledError
