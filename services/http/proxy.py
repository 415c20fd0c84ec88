"""Which requests go through an HTTP proxy, as the admin asked."""

import ipaddress
import os
import re
from collections.abc import Mapping
from typing import Self

import httpx

from services.core.errors import CannotStart
from services.http.address_guard import host_of, origin_of, port_of

SETTING = "RUSHES_OUTBOUND_PROXY"


class OutboundProxy:
    """`by_scheme` names the proxy for http and for https; `exceptions` is written as NO_PROXY is."""

    def __init__(self, by_scheme: Mapping[str, str] | None = None, exceptions: str = "") -> None:
        self._by_scheme = dict(by_scheme or {})
        self._exceptions = [entry for entry in re.split(r"[\s,]+", exceptions.lower()) if entry]
        self._direct: set[str] = set()

    @classmethod
    def configured(cls, setting: str, environment: Mapping[str, str] = os.environ) -> Self:
        """`setting` is empty, `env`, or the proxy's URL, which then has no exceptions. Raises CannotStart."""
        setting = setting.strip()
        if not setting:
            return cls()
        if setting.lower() != "env":
            url = _checked(setting, SETTING)
            return cls({"http": url, "https": url})
        by_scheme = {}
        for scheme in ("http", "https"):
            name, value = _variable(environment, f"{scheme}_proxy")
            if value:
                by_scheme[scheme] = _checked(value, name)
        return cls(by_scheme, _variable(environment, "no_proxy")[1])

    def bypass(self, origin: str) -> None:
        """For the embedded backend: no proxy reaches this machine's loopback."""
        self._direct.add(origin_of(origin))

    def forget(self, origin: str) -> None:
        self._direct.discard(origin_of(origin))

    def url_for(self, url: httpx.URL) -> str | None:
        """Returns the proxy that the request takes; None for a direct connection."""
        proxy = self._by_scheme.get(url.scheme)
        if proxy is None or origin_of(url) in self._direct:
            return None
        host, port = host_of(url), port_of(url)
        return None if any(_covers(entry, host, port) for entry in self._exceptions) else proxy


def _variable(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    """The name under which it is set, and its value; the lower-case spelling counts first, as in curl."""
    spelling = name if name in environment else name.upper()
    return spelling, environment.get(spelling, "").strip()


def _checked(proxy: str, name: str) -> str:
    """Raises CannotStart, which does not repeat the URL: it may hold a password."""
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    try:
        url = httpx.URL(proxy)
    except (httpx.InvalidURL, ValueError):
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or url.path != "/" or url.query:
        raise CannotStart(
            f"{name} must be the address of an HTTP proxy, as http://proxy.example:3128"
            + (", or env." if name == SETTING else ".")
        )
    return proxy


def _covers(entry: str, host: str, port: int) -> bool:
    """An entry of NO_PROXY is a name, which covers all below it, an address, or a block of addresses."""
    if entry == "*":
        return True
    named, _, only_port = _split_port(entry)
    if only_port and only_port != str(port):
        return False
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(named, strict=False)
    except ValueError:
        name = named.removeprefix("*").strip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, str, str]:
    if match := re.fullmatch(r"\[([^\[\]]*+)\](?::(\d+))?", entry):
        return match[1], ":", match[2] or ""
    return entry.partition(":") if entry.count(":") == 1 else (entry, "", "")
