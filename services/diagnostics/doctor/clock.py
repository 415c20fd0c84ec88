"""Compares two clocks by the Date header of an answer."""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from services.core.errors import Sentence
from services.diagnostics.doctor.finding import Finding, passed, warning

MAX_SKEW_S = 60.0
ADVICE = Sentence("Turn on time synchronisation (timedatectl set-ntp true) where it is wrong.")


def clock(whose: str, headers: Mapping[str, str]) -> Finding | None:
    """None when the answer has no Date."""
    try:
        off_s = parsedate_to_datetime(headers["Date"]).timestamp() - time.time()
    except (KeyError, ValueError):
        return None
    if abs(off_s) <= MAX_SKEW_S:
        return passed("clock", Sentence("{whose}: its clock and this machine's agree.", whose=whose))
    values = {"whose": whose, "seconds": round(abs(off_s))}
    if off_s > 0:
        says = Sentence("{whose}: its clock is {seconds} s ahead of this machine's.", **values)
    else:
        says = Sentence("{whose}: its clock is {seconds} s behind this machine's.", **values)
    return warning("clock", says, ADVICE)


def browser_clock(off_s: float) -> Finding:
    """`off_s` is how far the browser's clock is ahead of this machine's."""
    if abs(off_s) <= MAX_SKEW_S:
        return passed("clock", Sentence("This browser's clock and Rushes' agree."))
    seconds = round(abs(off_s))
    if off_s > 0:
        says = Sentence("This browser's clock is {seconds} s ahead of Rushes'.", seconds=seconds)
    else:
        says = Sentence("This browser's clock is {seconds} s behind Rushes'.", seconds=seconds)
    return warning("clock", says, ADVICE)
