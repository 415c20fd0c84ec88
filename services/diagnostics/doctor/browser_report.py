"""Judges measurements that a browser reports; they are untrusted input."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.core.errors import Sentence
from services.diagnostics.doctor.address import judge_ranges, judge_websocket
from services.diagnostics.doctor.clock import browser_clock
from services.diagnostics.doctor.finding import Finding, passed, warning
from services.diagnostics.doctor.stream import StreamMeasurement
from services.diagnostics.doctor.stream import judge as judge_stream
from services.http.web_origin import WebOrigin

MAX_S = 1e10
Seconds = Annotated[float, Field(ge=-MAX_S, le=MAX_S, allow_inf_nan=False)]
Span = Annotated[float, Field(ge=0, le=MAX_S, allow_inf_nan=False)]
Status = Annotated[int, Field(ge=0, le=999)]
"""0: no answer."""


class _Report(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class RangeReport(_Report):
    """Of a range request."""

    status: Status
    size: Annotated[int, Field(ge=0, le=1_000_000_000)]
    right: bool


class SocketReport(_Report):
    opened: bool
    ours: bool


class StreamReport(_Report):
    status: Status
    lags_s: Annotated[list[Seconds], Field(max_length=1000)]
    """The browser's clock when each event came, less the app's when it was sent."""
    complete: bool
    lived_s: Span
    quiet_s: Span


class BrowserReport(_Report):
    """`origin` is the address in the browser, `seconds` the time it meant to listen."""

    number: Annotated[int, Field(ge=1, le=1_000_000)]
    """Counts the measurements of a page: 1, 2, …"""
    origin: Annotated[str, Field(max_length=300)]
    seconds: Annotated[int, Field(ge=1, le=3600)]
    stream: StreamReport
    ranges: RangeReport
    websocket: SocketReport


def judge(measured: BrowserReport, public_url: str | None) -> list[Finding]:
    """Judges the way of this one browser; warns when people use another address."""
    stream = StreamMeasurement(**measured.stream.model_dump())
    findings = [
        _address(measured.origin, public_url),
        *judge_stream(stream, measured.seconds),
        judge_ranges(measured.ranges.status, measured.ranges.size, right=measured.ranges.right),
        judge_websocket(opened=measured.websocket.opened, ours=measured.websocket.ours),
    ]
    return [*findings, browser_clock(min(stream.lags_s))] if stream.lags_s else findings


def _address(origin: str, public_url: str | None) -> Finding:
    if public_url is None or WebOrigin.of(origin) == WebOrigin.of(public_url):
        return passed("address", Sentence("Measured at {address}.", address=origin))
    says = Sentence(
        "Measured at {address}, but the public address is {public}.", address=origin, public=public_url
    )
    return warning(
        "address", says, Sentence("Open this page at the public address and run diagnostics again.")
    )
