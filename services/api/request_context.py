"""Who sent a request, and under which URL people reach this install."""

from typing import Annotated

from fastapi import Depends, Request

from services.api.proxy_headers import host_of
from services.core.model import LOCAL_OWNER
from services.http.web_origin import WebOrigin


async def _owner() -> str:
    return LOCAL_OWNER  # as long as there is no sign-in


async def _base_url(request: Request) -> str:
    """Without a slash at the end. The guard has checked the Host before."""
    public_url: str | None = request.app.state.public_url
    here = WebOrigin.of(public_url) if public_url else host_of(request.scope)
    return here.url if here else ""


Owner = Annotated[str, Depends(_owner)]
BaseUrl = Annotated[str, Depends(_base_url)]
