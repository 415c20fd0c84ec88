"""`Retry-After`: seconds or a date (RFC 9110, 10.2.3); and `Date`, the sender's own clock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

LONGEST_S = 600.0


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, 600 at most; None where nothing readable is said.

    A date is taken against the answer's own `Date`, so that a wrong clock here does no harm.
    """
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said), LONGEST_S)
    until = _moment(said)
    if until is None:
        return None
    now = date_of(headers) or time.time()
    return min(max(until - now, 0.0), LONGEST_S)


def date_of(headers: Mapping[str, str]) -> float | None:
    """When the answer was made, in Unix seconds; None where nothing readable is said."""
    return _moment(headers.get("Date", ""))


def _moment(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
