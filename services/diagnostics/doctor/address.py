"""Checks through the address people use: the app, ranges and websockets."""

import asyncio
import json
import ssl
from typing import Any

import httpx

from services.core.errors import Sentence
from services.diagnostics.doctor.clock import clock
from services.diagnostics.doctor.finding import Finding, failed, passed, warning
from services.http.client import read_bounded
from services.http.redirects import get_anywhere
from services.http.websocket_probe import WebSocketRefused, first_message

WITHIN_S = 10.0
MAX_HEALTH_BYTES = 64 * 1024
FIRST, LAST = 100, 299
WEBSOCKET_PATH = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
COMPRESSED = {"Accept-Encoding": "gzip, deflate"}
PATTERN = bytes(range(256)) * 256
"""The content of /api/doctor/bytes."""
HOST = Sentence(
    "Proxy: pass the Host header on (nginx: proxy_set_header Host $http_host;) and set RUSHES_PUBLIC_URL."
)
UPGRADE = Sentence(
    "nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    'proxy_set_header Connection "upgrade"; proxy_set_header Host $http_host;'
)
REFUSED = Sentence(
    "nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    'proxy_set_header Connection "upgrade"; proxy_set_header Host $http_host; then set RUSHES_PUBLIC_URL.'
)


async def app(client: httpx.AsyncClient, url: str) -> tuple[bool, list[Finding]]:
    """Returns whether Rushes answers there at all; if not, no other check makes sense."""
    try:
        async with asyncio.timeout(WITHIN_S), get_anywhere(client, f"{url}/health", COMPRESSED) as response:
            answer = await read_bounded(response, MAX_HEALTH_BYTES)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            advice = Sentence("Renew the certificate, or use the host name it was issued for.")
            return False, [failed("app", Sentence("The certificate is not trusted."), advice)]
        advice = Sentence("Start Rushes and the proxy, or use the right address: main.py doctor https://…")
        return False, [failed("app", Sentence("No answer from this address."), advice)]
    status, body = response.status_code, _object(answer)
    if status in (400, 403):
        says = Sentence("Returned {status}: the address is not allowed.", status=status)
        return False, [failed("app", says, HOST)]
    if "models_known" not in body:
        advice = Sentence("Configure the proxy to pass all requests, including /health, to Rushes.")
        says = Sentence("Returned {status}, not from Rushes.", status=status)
        return False, [failed("app", says, advice)]
    health = judge_health(status, body)
    agree = clock("The app", response.headers)
    return True, [health, *([agree] if agree else [])]


def judge_health(status: int, body: dict[str, Any]) -> Finding:
    """Judges an answer of /health."""
    reasons = Sentence(" ".join(str(reason) for reason in body.get("reasons") or ()))
    version = str(body.get("version"))
    if status != 200:
        return failed("app", Sentence("Rushes does not accept work."), reasons)
    if reasons:
        says = Sentence("Rushes {version} responds but reports problems.", version=version)
        return warning("app", says, reasons)
    return passed("app", Sentence("Rushes {version} responds.", version=version))


async def ranges(client: httpx.AsyncClient, url: str) -> Finding:
    headers = {"Range": f"bytes={FIRST}-{LAST}", "Accept-Encoding": "identity"}
    try:
        async with (
            asyncio.timeout(WITHIN_S),
            get_anywhere(client, f"{url}/api/doctor/bytes", headers) as response,
        ):
            body = await read_bounded(response, len(PATTERN))
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
        return judge_ranges(0, 0, right=False)
    size_bytes = len(PATTERN) + 1 if body is None else len(body)
    return judge_ranges(response.status_code, size_bytes, right=body == PATTERN[FIRST : LAST + 1])


def judge_ranges(status: int, size_bytes: int, *, right: bool) -> Finding:
    """`status` is 0 without an answer; `right` means exactly the requested bytes."""
    if not status:
        says = Sentence("A range request got no answer.")
        return failed("ranges", says, Sentence("Check the proxy's error log."))
    if status == 206 and right:
        return passed("ranges", Sentence("Range requests work; videos can be seeked."))
    advice = Sentence(
        "nginx: proxy_set_header Range $http_range; no cache, slice or filter on /media/ and /api/."
    )
    says = Sentence("A range request returned {status} with {size} bytes.", status=status, size=size_bytes)
    return failed("ranges", says, advice)


async def websocket(url: str) -> Finding:
    """Opens the websocket that the pages use."""
    try:
        async with asyncio.timeout(WITHIN_S):
            message = await first_message(f"{url}{WEBSOCKET_PATH}", origin=url)
    except WebSocketRefused as error:
        says = Sentence("The handshake returned {status}; pages do not update.", status=error.status)
        return failed("websocket", says, REFUSED if error.status == 403 else UPGRADE)
    except TimeoutError:
        message = None
    return judge_websocket(opened=message is not None, ours=(message or "").startswith("0"))


def judge_websocket(*, opened: bool, ours: bool) -> Finding:
    """`ours` means that the first message is one of the pages' own socket."""
    if not opened:
        return failed("websocket", Sentence("Does not connect; pages do not update."), UPGRADE)
    if ours:
        return passed("websocket", Sentence("Connected."))
    return warning("websocket", Sentence("Connected, but not to Rushes."), UPGRADE)


def _object(answer: bytes | None) -> dict[str, Any]:
    try:
        body = json.loads(answer or b"")
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
