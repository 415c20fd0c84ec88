"""Checks whether the event stream is buffered or cut on its way."""

import asyncio
import json
import time
from dataclasses import dataclass, field

import httpx

from services.core.errors import Sentence
from services.diagnostics.doctor.finding import Finding, failed, passed
from services.http.redirects import get_anywhere

WHAT = "stream"
MAX_SPREAD_S = 2.0
GRACE_S = 5.0
HEADERS = {"Accept": "text/event-stream", "Accept-Encoding": "gzip, deflate"}
UNBUFFER = Sentence("nginx: proxy_buffering off; gzip off; (without proxy_ignore_headers X-Accel-Buffering).")
KEEP = Sentence("nginx: proxy_read_timeout 1h; load balancers: an idle timeout of one hour.")
BOTH = Sentence(
    "nginx: proxy_buffering off; gzip off; proxy_read_timeout 1h; load balancers: an idle "
    "timeout of one hour."
)


@dataclass(slots=True)
class StreamMeasurement:
    """`lags_s` include the difference of two clocks: only their spread counts."""

    status: int = 0
    lags_s: list[float] = field(default_factory=list)
    complete: bool = False
    lived_s: float = 0.0
    quiet_s: float = 0.0
    """Time from the last event to the end."""

    @property
    def held_s(self) -> float:
        return max(self.lags_s) - min(self.lags_s) if self.lags_s else 0.0


async def stream(client: httpx.AsyncClient, url: str, seconds: int) -> list[Finding]:
    return judge(await _measure(client, f"{url}/api/doctor/stream?seconds={seconds}", seconds), seconds)


def judge(measured: StreamMeasurement, seconds: int) -> list[Finding]:
    if measured.status not in (0, 200):
        advice = Sentence("Configure the proxy to pass /api/ to Rushes unchanged.")
        return [failed(WHAT, Sentence("The event stream returned {status}.", status=measured.status), advice)]
    lived_s, quiet_s, held_s = map(round, (measured.lived_s, measured.quiet_s, measured.held_s))
    if not measured.lags_s:
        says = Sentence("No events within {seconds} s: the stream is buffered or blocked.", seconds=lived_s)
        return [failed(WHAT, says, BOTH)]
    if measured.held_s > MAX_SPREAD_S:
        says = Sentence("Buffered: events arrive up to {seconds} s late.", seconds=held_s)
        buffered = failed(WHAT, says, UNBUFFER)
    else:
        buffered = passed(WHAT, Sentence("Not buffered: events arrive without delay."))
    if measured.complete:
        return [buffered, passed(WHAT, Sentence("Stable for {seconds} s.", seconds=seconds))]
    values = {"lived": lived_s, "quiet": quiet_s}
    says = Sentence("Disconnected after about {lived} s, {quiet} s after the last event.", **values)
    return [buffered, failed(WHAT, says, KEEP)]


async def _measure(client: httpx.AsyncClient, url: str, seconds: int) -> StreamMeasurement:
    measured = StreamMeasurement()
    last = begun = time.monotonic()
    try:
        async with asyncio.timeout(seconds + GRACE_S), get_anywhere(client, url, HEADERS) as response:
            measured.status = response.status_code
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    last = time.monotonic()
                    event = json.loads(line[5:])
                    measured.lags_s.append(time.time() - float(event["sent_at"]))
                    measured.complete = bool(event["last"])
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, KeyError, TypeError):
        pass  # the events so far are judged
    ended = time.monotonic()
    measured.lived_s, measured.quiet_s = ended - begun, ended - last
    return measured
