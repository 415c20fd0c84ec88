"""Compares two clocks by the Date header of an answer."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from services.core.errors import Sentence
from services.diagnostics.doctor.finding import Finding, passed, warning

MAX_SKEW_S = 60.0
ADVICE = Sentence(
    "Turn on time synchronization (timedatectl set-ntp true) on the machine with the wrong time."
)


def clock(whose: str, headers: Mapping[str, str]) -> Finding | None:
    """None when the answer has no Date."""
    try:
        off_s = parsedate_to_datetime(headers["Date"]).timestamp() - time.time()
    except (KeyError, ValueError):
        return None
    values = {"whose": whose, "seconds": round(abs(off_s))}
    return _judge(
        off_s,
        agree=Sentence("{whose}: the clock is correct.", whose=whose),
        ahead=Sentence("{whose}: the clock is {seconds} s ahead of this machine's.", **values),
        behind=Sentence("{whose}: the clock is {seconds} s behind this machine's.", **values),
    )


def browser_clock(off_s: float) -> Finding:
    """`off_s` is how far the browser's clock is ahead of this machine's."""
    seconds = round(abs(off_s))
    return _judge(
        off_s,
        agree=Sentence("This browser's clock matches the server's."),
        ahead=Sentence("This browser's clock is {seconds} s ahead of the server's.", seconds=seconds),
        behind=Sentence("This browser's clock is {seconds} s behind the server's.", seconds=seconds),
    )


def _judge(off_s: float, *, agree: Sentence, ahead: Sentence, behind: Sentence) -> Finding:
    if abs(off_s) <= MAX_SKEW_S:
        return passed("clock", agree)
    return warning("clock", ahead if off_s > 0 else behind, ADVICE)
