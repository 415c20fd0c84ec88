"""Web origins in one spelling: lower case, punycode, the port always named."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import idna

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_LENGTH = 300
_NOT_IN_A_HOST = re.compile(r"[\s\x00-\x20\x7f%\\<>^`{|}\"]")


@dataclass(frozen=True, slots=True)
class WebOrigin:
    scheme: str
    host: str
    port: int
    names_port: bool = field(default=False, compare=False)
    """Whether the text itself named the port."""

    @property
    def is_loopback(self) -> bool:
        return self.host in LOOPBACK

    @classmethod
    def of(cls, url: str) -> WebOrigin | None:
        """None unless it is a plain origin: no "null", user name, path or other scheme."""
        try:
            parts = urlsplit(url[: MAX_LENGTH + 1])
            name, port = parts.hostname, parts.port
        except ValueError:
            return None
        scheme = SCHEMES.get(parts.scheme)
        if not name or scheme is None or "@" in parts.netloc or len(url) > MAX_LENGTH:
            return None
        if parts.path.strip("/") or parts.query or parts.fragment or _NOT_IN_A_HOST.search(name):
            return None
        host = f"[{name}]" if ":" in name else ascii_host(name)
        return cls(scheme, host, DEFAULT_PORTS[scheme] if port is None else port, port is not None)

    @property
    def url(self) -> str:
        """As a browser writes it."""
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    def admits_host(self, asked: WebOrigin) -> bool:
        """Whether a Host header names this origin; proxies may leave the port out."""
        return self.host == asked.host and (not asked.names_port or self.port == asked.port)


def ascii_host(name: str) -> str:
    """In punycode, as browsers send it; also for names, as those of emoji, that IDNA 2008 does not know."""
    return ".".join(_ascii_label(label) for label in re.split("[.\u3002\uff0e\uff61]", name.lower()))


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label
    try:
        return idna.encode(label, uts46=True).decode()
    except idna.IDNAError:
        return "xn--" + unicodedata.normalize("NFKC", label).encode("punycode").decode()
