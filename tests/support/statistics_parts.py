"""Receipts and timelines for the figures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from uuid6 import uuid7

from services.core.model import Channel, Generation, Receipt, TraceEntry
from tests.support.library_harness import LibraryHarness

NOON = datetime(2026, 11, 20, 12, 30).timestamp()


def id_at(at: float) -> str:
    made = uuid7().hex
    stamp = f"{int(at * 1000):012x}" + made[12:]
    return "-".join((stamp[:8], stamp[8:12], stamp[12:16], stamp[16:20], stamp[20:]))


def won(by: Channel = Channel.PUSH, *, lag_s: float = 0.1, at: float = NOON, **fields: Any) -> Receipt:
    return Receipt(
        won_by=by, backend_said_at=at, backend_finished_at=at - 0.5, kept_at=at - 0.5 + lag_s, **fields
    )


async def put(harness: LibraryHarness, at: float = NOON, **changes: Any) -> Generation:
    return await harness.put(id=id_at(at), created_at=at, **changes)


async def trace(harness: LibraryHarness, row: Generation, *entries: tuple[Any, ...]) -> None:
    """Entries are (lane, event) or (lane, event, data)."""
    lines = [
        TraceEntry(
            owner="local",
            generation_id=row.id,
            seq=number,
            at=NOON + number,
            lane=lane,
            event=event,
            data=data[0] if data else {},
        )
        for number, (lane, event, *data) in enumerate(entries)
    ]
    await harness.store.append_log(lines, [])
