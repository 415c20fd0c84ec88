"""Settings of the hosted service, and the backends that speak its protocol."""

import ssl

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.backends.base import Capabilities
from services.backends.registry import ConfiguredBackend
from services.backends.superduperai.adapter import SuperDuperAI
from services.core.errors import CannotStart
from services.core.settings import read
from services.http.address import Address
from services.http.proxy import OutboundProxy


class SuperDuperAISettings(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env", env_prefix="SUPERDUPERAI_", extra="ignore", frozen=True
    )

    url: str | None = None
    token: SecretStr | None = None


def configured(tls: ssl.SSLContext, proxy: OutboundProxy) -> list[ConfiguredBackend]:
    """The hosted service where the environment names it. Raises CannotStart."""
    settings = read(SuperDuperAISettings)
    if bool(settings.url) != bool(settings.token):
        raise CannotStart("set both SUPERDUPERAI_URL and SUPERDUPERAI_TOKEN, or neither.")
    if settings.url is None or settings.token is None:
        return []
    address = Address(settings.url, settings.token.get_secret_value())
    return [_configured("superduperai", address, Capabilities(searchable=True), tls, proxy)]


def embedded(name: str, tls: ssl.SSLContext) -> ConfiguredBackend:
    """A server of our own that speaks the same protocol, on this machine's loopback; its address is not known
    yet.
    """
    capabilities = Capabilities(idempotent=True, searchable=True, cancel=True)
    return _configured(name, Address(), capabilities, tls, None)


def _configured(
    name: str,
    address: Address,
    capabilities: Capabilities,
    tls: ssl.SSLContext,
    proxy: OutboundProxy | None,
) -> ConfiguredBackend:
    backend = SuperDuperAI(
        name=name, address=address, capabilities=capabilities, ssl_context=tls, proxy=proxy
    )
    return ConfiguredBackend(backend=backend, address=address)
