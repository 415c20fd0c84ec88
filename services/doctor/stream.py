"""The event stream as it arrives: held back on its way, or cut?"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field

import aiohttp

from services.doctor.finding import Finding, ill, well

WHAT = "event stream"
HELD_S = 2.0
GRACE_S = 5.0
AS_BROWSERS_DO = {"Accept": "text/event-stream", "Accept-Encoding": "gzip, deflate"}
UNBUFFER = "nginx: proxy_buffering off; gzip off; (and no proxy_ignore_headers X-Accel-Buffering) there."
KEEP = "nginx: proxy_read_timeout 1h; load balancers: an idle time-out of an hour."


@dataclass(slots=True)
class Heard:
    """`lags_s` hold the difference of two clocks too: only how they differ from each other counts."""

    status: int = 0
    lags_s: list[float] = field(default_factory=list)
    complete: bool = False
    lived_s: float = 0.0
    quiet_s: float = 0.0
    """How long nothing had come when it ended."""

    @property
    def held_s(self) -> float:
        return max(self.lags_s) - min(self.lags_s) if self.lags_s else 0.0


async def stream(session: aiohttp.ClientSession, url: str, seconds: int) -> list[Finding]:
    return judged(await _heard(session, f"{url}/api/doctor/stream?seconds={seconds}", seconds), seconds)


def judged(heard: Heard, seconds: int) -> list[Finding]:
    if heard.status not in (0, 200):
        return [ill(WHAT, f"It answers {heard.status}.", "Let the proxy pass /api/ to Rushes as it is.")]
    if not heard.lags_s:
        return [
            ill(WHAT, f"Nothing came within {heard.lived_s:.0f} s: buffered or cut.", f"{UNBUFFER} {KEEP}")
        ]
    if heard.held_s > HELD_S:
        buffered = ill(
            WHAT, f"Buffered: events came up to {heard.held_s:.0f} s after they were sent.", UNBUFFER
        )
    else:
        buffered = well(WHAT, "Not buffered: events come when they are sent.")
    if heard.complete:
        return [buffered, well(WHAT, f"Not cut within {seconds} s.")]
    says = f"Cut after about {heard.lived_s:.0f} s, {heard.quiet_s:.0f} s after the last event."
    return [buffered, ill(WHAT, says, KEEP)]


async def _heard(session: aiohttp.ClientSession, url: str, seconds: int) -> Heard:
    heard, begun = Heard(), time.monotonic()
    last = begun
    try:
        async with asyncio.timeout(seconds + GRACE_S), session.get(url, headers=AS_BROWSERS_DO) as answer:
            heard.status = answer.status
            async for line in answer.content:
                if line.startswith(b"data:"):
                    last = time.monotonic()
                    event = json.loads(line[5:])
                    heard.lags_s.append(time.time() - float(event["sent_at"]))
                    heard.complete = bool(event["last"])
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
        pass  # how far it came is what is asked
    ended = time.monotonic()
    heard.lived_s, heard.quiet_s = ended - begun, ended - last
    return heard
