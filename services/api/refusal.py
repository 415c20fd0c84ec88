"""Answers a request or a websocket's handshake before any route sees it."""

from fastapi.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

Refused = tuple[int, str]
"""A status and a sentence."""


async def refuse(refusal: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    status, sentence = refusal
    response = JSONResponse({"success": False, "error": sentence, "field": None}, status)
    if scope["type"] != "websocket":
        await response(scope, receive, send)
    elif "websocket.http.response" in scope.get("extensions", {}):
        await receive()
        await WebSocket(scope, receive, send).send_denial_response(response)
    else:
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": sentence[:120]})
