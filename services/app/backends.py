"""The install's generation services: those that the environment configures, and the embedded animatic."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.animatic.film.prompt_parser import recognises
from services.animatic.process import AnimaticProcess
from services.backends.base import Backend
from services.backends.registry import configured_backends
from services.backends.superduperai import embedded
from services.catalogue import Catalogue
from services.core.model import ANIMATIC, Request
from services.core.settings import Settings
from services.http.address import Address
from services.http.address_guard import AddressGuard, origin_of
from services.http.proxy import OutboundProxy


def is_recognised(request: Request) -> bool:
    """False where the animatic finds nothing in the prompt to draw, and chooses a scene at random."""
    style, has_source = request.settings.style, request.source is not None
    return request.backend != ANIMATIC or recognises(request.prompt, style, has_source=has_source)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledBackends:
    backends: dict[str, Backend]
    """By name, in the order of preference: cloud services before the animatic."""
    addresses: dict[str, Address]
    proxy: OutboundProxy = field(default_factory=OutboundProxy)

    @classmethod
    def configured(cls, settings: Settings, guard: AddressGuard) -> InstalledBackends:
        """Allows results from the services' own origins. Raises CannotStart."""
        tls = ssl.create_default_context()
        proxy = OutboundProxy.configured(settings.outbound_proxy.get_secret_value())
        found = configured_backends(tls, proxy)
        for each in found:
            guard.allow(origin_of(each.address.url))
        if settings.animatic:
            found.append(embedded(ANIMATIC, tls))
        return cls(
            backends={each.backend.name: each.backend for each in found},
            addresses={each.backend.name: each.address for each in found},
            proxy=proxy,
        )

    @classmethod
    def replaced_by(cls, backends: Sequence[Backend]) -> InstalledBackends:
        return cls(backends={backend.name: backend for backend in backends}, addresses={})

    def url_of(self, name: str) -> str:
        """Empty while the address is not known."""
        return self.addresses[name].url if name in self.addresses else ""

    @property
    def tokens(self) -> list[str]:
        return [address.token for address in self.addresses.values() if address.token]

    def animatic(self, folder: Path, guard: AddressGuard, catalogue: Catalogue) -> AnimaticProcess | None:
        """The process behind the embedded backend; it has a new port and a new token after each start."""
        if ANIMATIC not in self.addresses:
            return None
        address = self.addresses[ANIMATIC]

        def moved(url: str, token: str) -> None:
            if address.url:
                guard.forget(address.url)
                self.proxy.forget(address.url)
            guard.allow(url)
            self.proxy.bypass(url)
            address.move(url, token)
            catalogue.wake()

        return AnimaticProcess(folder.absolute(), moved)
