"""Reads `Retry-After` (RFC 9110, 10.2.3) and `Date` headers."""

import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

MAX_WAIT_S = 600.0


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Returns the seconds to wait, at most 600; None without a readable header.

    A date is compared with the response's own `Date`, so that a wrong clock here does no harm.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), MAX_WAIT_S)
    if (until := date_of(headers, "Retry-After")) is None:
        return None
    return min(max(until - (date_of(headers) or time.time()), 0.0), MAX_WAIT_S)


def date_of(headers: Mapping[str, str], name: str = "Date") -> float | None:
    """Returns a header's date in Unix seconds; None without a readable one."""
    try:
        date = parsedate_to_datetime(headers.get(name, ""))
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
