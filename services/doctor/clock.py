"""Whether two clocks agree, by an answer's Date header."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from services.doctor.finding import Finding, doubtful, well

OFF_BY_S = 60.0


def clock(whose: str, headers: Mapping[str, str]) -> Finding | None:
    """None where the answer does not say its time."""
    try:
        off_s = parsedate_to_datetime(headers["Date"]).timestamp() - time.time()
    except (KeyError, ValueError):
        return None
    if abs(off_s) <= OFF_BY_S:
        return well("clock", f"{whose}'s and this machine's agree.")
    says = f"{whose}'s is {abs(off_s):.0f} s {'ahead of' if off_s > 0 else 'behind'} this machine's."
    return doubtful(
        "clock", says, "Turn on time synchronisation (timedatectl set-ntp true) where it is wrong."
    )
