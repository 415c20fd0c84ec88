"""The generation services that the settings name."""

from __future__ import annotations

import ssl

from services.backends.base import Backend, Capabilities
from services.backends.superduperai import Address, SuperDuperAI
from services.core.settings import Settings
from services.http.address_guard import AddressGuard, origin_of


def build_backends(settings: Settings, guard: AddressGuard) -> tuple[dict[str, Backend], Address | None]:
    """In the order of preference: cloud before animatic."""
    backends: dict[str, Backend] = {}
    tls = ssl.create_default_context()
    if settings.superduperai_url and settings.superduperai_token:
        guard.allow(origin_of(settings.superduperai_url))
        backends["superduperai"] = SuperDuperAI(
            name="superduperai",
            address=Address(settings.superduperai_url, settings.superduperai_token.get_secret_value()),
            capabilities=Capabilities(searchable=True),
            ssl_context=tls,
        )
    animatic = Address() if settings.animatic else None
    if animatic is not None:
        backends["animatic"] = SuperDuperAI(
            name="animatic",
            address=animatic,
            capabilities=Capabilities(keyed=True, searchable=True, cancel=True),
            ssl_context=tls,
        )
    return backends, animatic
