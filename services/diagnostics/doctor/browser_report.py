"""What a browser has measured on the way between itself and this app; it may say anything."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.core.errors import Sentence
from services.diagnostics.doctor.address import judged_ranges, judged_websocket
from services.diagnostics.doctor.clock import browsers
from services.diagnostics.doctor.finding import Finding, doubtful, well
from services.diagnostics.doctor.stream import Heard
from services.diagnostics.doctor.stream import judged as judged_stream

MOST_S = 1e10
Seconds = Annotated[float, Field(ge=-MOST_S, le=MOST_S, allow_inf_nan=False)]
Span = Annotated[float, Field(ge=0, le=MOST_S, allow_inf_nan=False)]
Status = Annotated[int, Field(ge=0, le=999)]
"""0: no answer."""


class _Told(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class Part(_Told):
    """Of the question for a part of a file."""

    status: Status
    size: Annotated[int, Field(ge=0, le=1_000_000_000)]
    right: bool


class Socket(_Told):
    opened: bool
    ours: bool


class Stream(_Told):
    status: Status
    lags_s: Annotated[list[Seconds], Field(max_length=1000)]
    """The browser's clock when each event came, less the app's when it was sent."""
    complete: bool
    lived_s: Span
    quiet_s: Span


class Measured(_Told):
    """`origin` is the address in the browser; `seconds` how long it meant to listen."""

    number: Annotated[int, Field(ge=1, le=1_000_000)]
    """Of the page's measurements: 1, 2, …"""
    origin: Annotated[str, Field(max_length=300)]
    seconds: Annotated[int, Field(ge=1, le=3600)]
    stream: Stream
    ranges: Part
    websocket: Socket


def judged(measured: Measured, public_url: str | None) -> list[Finding]:
    """Of the way of just this browser; another address may go another way, and that is said."""
    told = measured.stream
    heard = Heard(
        status=told.status,
        lags_s=told.lags_s,
        complete=told.complete,
        lived_s=told.lived_s,
        quiet_s=told.quiet_s,
    )
    findings = [
        _address(measured.origin, public_url),
        *judged_stream(heard, measured.seconds),
        judged_ranges(measured.ranges.status, measured.ranges.size, right=measured.ranges.right),
        judged_websocket(opened=measured.websocket.opened, ours=measured.websocket.ours),
    ]
    return [*findings, browsers(min(told.lags_s))] if told.lags_s else findings


def _address(origin: str, public_url: str | None) -> Finding:
    if public_url is None or origin == public_url.rstrip("/"):
        return well("address", Sentence("Measured through {address}.", address=origin))
    says = Sentence("Measured through {address}, and people use {public}.", address=origin, public=public_url)
    return doubtful("address", says, Sentence("Open this page there, and ask again."))
