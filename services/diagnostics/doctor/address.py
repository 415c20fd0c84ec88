"""Through the address people use: is the app there, do ranges and websockets pass?"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from services.core.errors import Sentence
from services.diagnostics.doctor.clock import clock
from services.diagnostics.doctor.finding import Finding, doubtful, ill, well

WITHIN_S = 10.0
FIRST, LAST = 100, 299
PATTERN = bytes(range(256)) * 256
"""What /api/doctor/bytes holds."""
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


async def app(session: aiohttp.ClientSession, url: str) -> tuple[bool, list[Finding]]:
    """Whether Rushes answers there at all; if not, nothing else need be asked."""
    try:
        async with asyncio.timeout(WITHIN_S), session.get(f"{url}/health") as answer:
            status, headers, body = answer.status, answer.headers, await _object(answer)
    except aiohttp.ClientConnectorCertificateError:
        return False, [
            ill(
                "app",
                Sentence("The certificate is not trusted."),
                Sentence("Renew it, or use the name it was made for."),
            )
        ]
    except (aiohttp.ClientError, TimeoutError):
        advice = Sentence("Start Rushes and the proxy, or name the right address: main.py doctor https://…")
        return False, [ill("app", Sentence("Nothing answers there."), advice)]
    if status in (400, 403):
        return False, [
            ill("app", Sentence("It answers {status}: the address is not allowed.", status=status), HOST)
        ]
    if "models_known" not in body:
        advice = Sentence("The proxy must pass /health to Rushes, and everything else too.")
        says = Sentence("It answers {status}, and not as Rushes does.", status=status)
        return False, [ill("app", says, advice)]
    health = judged_health(status, body)
    agree = clock("The app", headers)
    return True, [health, *([agree] if agree else [])]


def judged_health(status: int, body: dict[str, Any]) -> Finding:
    """Of what /health says."""
    reasons = Sentence(" ".join(str(reason) for reason in body.get("reasons") or ()))
    version = str(body.get("version"))
    if status != 200:
        return ill("app", Sentence("It takes no work."), reasons)
    if reasons:
        says = Sentence("Rushes {version} answers, not without trouble.", version=version)
        return doubtful("app", says, reasons)
    return well("app", Sentence("Rushes {version} answers.", version=version))


async def ranges(session: aiohttp.ClientSession, url: str) -> Finding:
    headers = {"Range": f"bytes={FIRST}-{LAST}", "Accept-Encoding": "identity"}
    try:
        async with (
            asyncio.timeout(WITHIN_S),
            session.get(f"{url}/api/doctor/bytes", headers=headers) as answer,
        ):
            status, body = answer.status, await answer.content.read(len(PATTERN) + 1)
    except (aiohttp.ClientError, TimeoutError):
        return judged_ranges(0, 0, right=False)
    return judged_ranges(status, len(body), right=body == PATTERN[FIRST : LAST + 1])


def judged_ranges(status: int, size_bytes: int, *, right: bool) -> Finding:
    """`status` 0: no answer came. `right`: just the bytes that were asked for."""
    what = "ranges"
    if not status:
        says = Sentence("The question for a part of a file was not answered.")
        return ill(what, says, Sentence("Look at the proxy's error log."))
    if status == 206 and right:
        return well(what, Sentence("A part of a file comes as asked: films can be wound."))
    advice = Sentence(
        "nginx: proxy_set_header Range $http_range; and no cache, slice or filter on /media/ and /api/."
    )
    says = Sentence(
        "A part of a file was asked for, and {status} with {size} bytes came.", status=status, size=size_bytes
    )
    return ill(what, says, advice)


async def websocket(session: aiohttp.ClientSession, url: str) -> Finding:
    """The handshake of the pages' own socket."""
    path = f"{url}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    try:
        async with asyncio.timeout(WITHIN_S), session.ws_connect(path, headers={"Origin": url}) as socket:
            said = await socket.receive_str()
    except aiohttp.WSServerHandshakeError as error:
        says = Sentence("Its handshake is answered with {status}: pages stay still.", status=error.status)
        return ill("websocket", says, REFUSED if error.status == 403 else UPGRADE)
    except (aiohttp.ClientError, TimeoutError, TypeError):
        return judged_websocket(opened=False, ours=False)
    return judged_websocket(opened=True, ours=said.startswith("0"))


def judged_websocket(*, opened: bool, ours: bool) -> Finding:
    """`ours`: what came first is what the pages' own socket says."""
    if not opened:
        return ill("websocket", Sentence("It does not open: pages stay still."), UPGRADE)
    if ours:
        return well("websocket", Sentence("It opens."))
    return doubtful("websocket", Sentence("It opens, and something else than Rushes speaks."), UPGRADE)


async def _object(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        body = await answer.json(content_type=None)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
