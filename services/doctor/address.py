"""Through the address people use: is the app there, do ranges and websockets pass?"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from services.doctor.clock import clock
from services.doctor.finding import Finding, doubtful, ill, well

WITHIN_S = 10.0
FIRST, LAST = 100, 299
PATTERN = bytes(range(256)) * 256
"""What /api/doctor/bytes holds."""
HOST = "Proxy: pass the Host header on (nginx: proxy_set_header Host $http_host;) and set RUSHES_PUBLIC_URL."
UPGRADE = (
    "nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    'proxy_set_header Connection "upgrade"; proxy_set_header Host $http_host;'
)


async def app(session: aiohttp.ClientSession, url: str) -> tuple[bool, list[Finding]]:
    """Whether Rushes answers there at all; if not, nothing else need be asked."""
    try:
        async with asyncio.timeout(WITHIN_S), session.get(f"{url}/health") as answer:
            status, headers, body = answer.status, answer.headers, await _object(answer)
    except aiohttp.ClientConnectorCertificateError:
        return False, [
            ill("app", "The certificate is not trusted.", "Renew it, or use the name it was made for.")
        ]
    except (aiohttp.ClientError, TimeoutError):
        advice = "Start Rushes and the proxy, or name the right address: main.py doctor https://…"
        return False, [ill("app", "Nothing answers there.", advice)]
    if status in (400, 403):
        return False, [ill("app", f"It answers {status}: the address is not allowed.", HOST)]
    if "models_known" not in body:
        advice = "The proxy must pass /health to Rushes, and everything else too."
        return False, [ill("app", f"It answers {status}, and not as Rushes does.", advice)]
    reasons = " ".join(str(reason) for reason in body.get("reasons") or ())
    if status != 200:
        health = ill("app", "It takes no work.", reasons)
    elif reasons:
        health = doubtful("app", f"Rushes {body.get('version')} answers, not without trouble.", reasons)
    else:
        health = well("app", f"Rushes {body.get('version')} answers.")
    agree = clock("The app", headers)
    return True, [health, *([agree] if agree else [])]


async def ranges(session: aiohttp.ClientSession, url: str) -> Finding:
    what, wanted = "ranges", PATTERN[FIRST : LAST + 1]
    headers = {"Range": f"bytes={FIRST}-{LAST}", "Accept-Encoding": "identity"}
    try:
        async with (
            asyncio.timeout(WITHIN_S),
            session.get(f"{url}/api/doctor/bytes", headers=headers) as answer,
        ):
            status, body = answer.status, await answer.content.read(len(PATTERN) + 1)
    except (aiohttp.ClientError, TimeoutError):
        return ill(
            what, "The question for a part of a file was not answered.", "Look at the proxy's error log."
        )
    if status == 206 and body == wanted:
        return well(what, "A part of a file comes as asked: films can be wound.")
    advice = "nginx: proxy_set_header Range $http_range; and no cache, slice or filter on /media/ and /api/."
    return ill(what, f"A part of a file was asked for, and {status} with {len(body)} bytes came.", advice)


async def websocket(session: aiohttp.ClientSession, url: str) -> Finding:
    """The handshake of the pages' own socket."""
    what = "websocket"
    path = f"{url}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    try:
        async with asyncio.timeout(WITHIN_S), session.ws_connect(path, headers={"Origin": url}) as socket:
            said = await socket.receive_str()
    except aiohttp.WSServerHandshakeError as error:
        advice = f"{UPGRADE} Then set RUSHES_PUBLIC_URL." if error.status == 403 else UPGRADE
        return ill(what, f"Its handshake is answered with {error.status}: pages stay still.", advice)
    except (aiohttp.ClientError, TimeoutError, TypeError):
        return ill(what, "It does not open: pages stay still.", UPGRADE)
    if said.startswith("0"):
        return well(what, "It opens.")
    return doubtful(what, "It opens, and something else than Rushes speaks.", UPGRADE)


async def _object(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        body = await answer.json(content_type=None)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
