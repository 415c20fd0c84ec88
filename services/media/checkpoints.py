from collections.abc import Awaitable, Callable

Checkpoint = Callable[[str], Awaitable[None] | None]
"""Told when a named point is reached: before_download, mid_download, before_rename, after_rename."""


async def reach(checkpoint: Checkpoint | None, point: str) -> None:
    if checkpoint is not None and (pause := checkpoint(point)) is not None:
        await pause
