"""Finds the generation services that the environment configures."""

import importlib
import pkgutil
import ssl
from dataclasses import dataclass

from services import backends
from services.backends.base import Backend
from services.http.address import Address
from services.http.proxy import OutboundProxy


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredBackend:
    backend: Backend
    address: Address


def configured_backends(tls: ssl.SSLContext, proxy: OutboundProxy) -> list[ConfiguredBackend]:
    """Asks each folder of this package for what its own settings configure, in alphabetical order.

    Raises CannotStart.
    """
    folders = sorted(module.name for module in pkgutil.iter_modules(backends.__path__) if module.ispkg)
    found: list[ConfiguredBackend] = []
    for folder in folders:
        found += importlib.import_module(f"{backends.__name__}.{folder}").configured(tls, proxy)
    return found
