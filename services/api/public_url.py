"""The URL under which people reach this install."""

from fastapi import Request


class Addresses:
    def __init__(self, public_url: str | None) -> None:
        self._public = public_url.rstrip("/") if public_url else None

    def base(self, request: Request) -> str:
        """Without a slash at the end. The guard has checked the Host before."""
        return self._public or f"{request.scope['scheme']}://{request.headers['host']}"
