"""Gaps between tries: full jitter, doubled at each failure, reset after two quiet minutes."""

import random

from services.core.errors import ChannelLost

FIRST_GAP_S = 0.8
MAX_GAP_S = 30.0
MIN_GAP_S = 0.05
QUIET_S = 120.0
UNAUTHORIZED_GAP_S = 600.0


class Backoff:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._failures = 0

    def after(self, lost: ChannelLost, *, lived_s: float) -> float:
        """Seconds until the next try, for a connection that lived `lived_s`."""
        if lost.reason == "worn_out":
            self._failures = 0
            return 0.0
        if lost.reason == "unauthorized":
            return UNAUTHORIZED_GAP_S
        if lived_s >= QUIET_S:
            self._failures = 0
        ceiling = min(MAX_GAP_S, FIRST_GAP_S * 2 ** min(self._failures, 10))
        self._failures += 1
        if lost.reason == "busy" and lost.retry_after_s is not None:
            return lost.retry_after_s + self._rng.uniform(0, FIRST_GAP_S)
        # A stream's own `retry:` is a floor; alone it would allow reopening at that rate for ever.
        return max(MIN_GAP_S, lost.retry_after_s or 0.0, self._rng.uniform(0, ceiling))
