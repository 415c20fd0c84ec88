"""The clocks, the random source and the test hook that the parts of one engine share."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field


def monotonic() -> float:
    """Returns the running loop's clock in seconds: monotonic, and virtual in tests."""
    return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    now: Callable[[], float] = time.time
    """Unix seconds."""
    rng: random.Random = field(default_factory=random.SystemRandom)
    checkpoint: Callable[[str], None] = lambda _: None
    """Called at each named boundary of a generation's life; tests stop or fail the process there."""
