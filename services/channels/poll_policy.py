"""Polling policies, as data."""

from dataclasses import dataclass

LATE_GAPS_S = (15.0, 30.0, 60.0)
LATE_AFTER_AN_HOUR_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPolicy:
    """`first_s` and `gaps_s` hold while a stream is healthy, `quick_gaps_s` while none is (R7).

    The last gap of each row repeats.
    """

    first_s: float = 10.0
    gaps_s: tuple[float, ...] = (10.0,)
    quick_gaps_s: tuple[float, ...] = (2.0,) * 10 + (3.0, 5.0, 8.0, 10.0)
    max_quick_gap_s: float = 10.0
    min_gap_s: float = 0.0
    """The limit that the backend sets."""
    healthy_within_s: float = 3.0
    """A stream that has not reported on the job by then counts as unhealthy."""

    def calm(self, attempt: int) -> float:
        """Seconds before the calm attempt of that number (0 is the first)."""
        if attempt == 0:
            return max(self.first_s, self.min_gap_s)
        return max(_nth(self.gaps_s, attempt - 1), self.min_gap_s)

    def quick(self, attempt: int) -> float:
        return max(min(_nth(self.quick_gaps_s, attempt), self.max_quick_gap_s), self.min_gap_s)

    def late(self, attempt: int, late_s: float) -> float:
        """Seconds between attempts after the message (R5); `late_s` is the time since it was due."""
        return LATE_AFTER_AN_HOUR_S if late_s >= 3600 else _nth(LATE_GAPS_S, attempt)


def tool_policy(every_s: float, *, min_gap_s: float = 0.0) -> PollPolicy:
    """Polls at one interval beside the stream: the video and the image tool."""
    return PollPolicy(first_s=every_s, gaps_s=(every_s,), max_quick_gap_s=every_s, min_gap_s=min_gap_s)


def chat_policy(after_s: float, every_s: float, *, min_gap_s: float = 0.0) -> PollPolicy:
    """Waits for the stream first, then polls more and more slowly: the chat."""
    return PollPolicy(
        first_s=after_s,
        gaps_s=(1.0, 2.0, 5.0, 10.0),
        max_quick_gap_s=every_s,
        min_gap_s=min_gap_s,
    )


def _nth(row: tuple[float, ...], index: int) -> float:
    return row[min(index, len(row) - 1)]
