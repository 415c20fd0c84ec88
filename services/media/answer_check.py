"""Decides by status and headers whether an answer carries a whole file."""

import re

import httpx

from services.core.errors import DeliveryFailed
from services.http.transport import UNPACKED

WHOLE = frozenset({200, 201, 203})
LATER = frozenset({408, 425, 429})
_RANGE = re.compile(r"bytes[ =]+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE | re.ASCII)


def require_whole_file(response: httpx.Response) -> None:
    """Raises DeliveryFailed."""
    status = response.status_code
    if status in WHOLE:
        return
    if status == 202:
        raise DeliveryFailed("The file's server is still preparing it (202).", reason="not_ready")
    if status == 206:
        if _whole_range(response) is None:
            raise DeliveryFailed("The file's server sent a part of it only.", reason="truncated")
        return
    if status >= 500 or status in LATER:
        raise DeliveryFailed(f"The file's server is in trouble ({status}).", reason="network")
    raise DeliveryFailed(f"The file's server refused it ({status}).", reason="refused")


def announced_bytes(response: httpx.Response) -> int | None:
    """The body's length as its server gives it; None where it gives none, and where it was unpacked."""
    if response.extensions.get(UNPACKED):
        return None
    length = response.headers.get("Content-Length", "").strip()
    if length.isascii() and length.isdigit():
        return int(length)
    return _whole_range(response) if response.status_code == 206 else None


def _whole_range(response: httpx.Response) -> int | None:
    """The length of the whole file, where Content-Range covers all of it, or begins at 0 and names no
    total: no part was asked for.
    """
    match = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if match is None:
        return None
    first, last = int(match[1]), int(match[2])
    length = last + 1 if match[3] == "*" else int(match[3])
    return length if first == 0 and last == length - 1 else None
