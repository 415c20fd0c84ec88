"""Time that never jumps."""

import asyncio


def monotonic() -> float:
    """Returns the running loop's clock in seconds: monotonic, and virtual in tests."""
    return asyncio.get_running_loop().time()
