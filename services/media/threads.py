import asyncio
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

_Result = TypeVar("_Result")
_Args = TypeVarTuple("_Args")


async def in_thread(act: Callable[[*_Args], _Result], *args: *_Args) -> _Result:
    """Runs file work off the loop. A cancel is passed on only once the thread is done with the file,
    so that whoever clears up afterwards finds nothing half-made later.
    """
    work = asyncio.get_running_loop().run_in_executor(None, act, *args)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        raise
