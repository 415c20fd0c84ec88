"""Host names and addresses that lead into a private network, and a resolver that answers as a test wants."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import pytest

PRIVATE_LITERALS = [
    "127.0.0.1",
    "10.1.2.3",
    "169.254.169.254",
    "[::1]",
    "[fd00:ec2::254]",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "127.1",
]
"""Addresses that need no look-up, as a URL spells them."""


def resolve_to(patch: pytest.MonkeyPatch, *answers: Sequence[str]) -> list[str]:
    """Each look-up on this loop gets the next answer, the last one again and again; returns the names asked for."""
    asked: list[str] = []

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    patch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return asked
