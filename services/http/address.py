from urllib.parse import urlsplit

import httpx

from services.core.errors import CannotStart, DeliveryFailed
from services.core.strip_secrets import strip_secrets
from services.http.address_guard import origin_of


class Address:
    """The base URL and key of a backend; an embedded one gets new ones with each restart."""

    def __init__(self, url: str = "", token: str = "") -> None:
        self.url = self.token = ""
        if url:
            self.move(url, token)

    def move(self, url: str, token: str) -> None:
        """Requests in flight fail, and `channels` repeats them. Raises CannotStart."""
        try:
            parts = httpx.URL(urlsplit(url.strip()).geturl())  # only urlsplit refuses a broken IPv6 address
        except (httpx.InvalidURL, ValueError) as error:
            raise CannotStart("The backend's address cannot be read: write it as https://host.") from error
        if parts.scheme not in ("http", "https") or not parts.host:
            raise CannotStart("The backend's address must begin with http:// or https://.")
        token = token.strip()
        if not (token.isascii() and token.isprintable()):
            raise CannotStart("The backend's token has characters that no header can carry.")
        self.url = str(parts.copy_with(query=None, fragment=None)).rstrip("/")
        self.token = token

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def is_origin_of(self, url: str) -> bool:
        try:
            return bool(self.url) and origin_of(self.url) == origin_of(url)
        except DeliveryFailed:
            return False

    def redact(self, text: str) -> str:
        """Removes the key from a text that came from outside, before it is shortened."""
        return strip_secrets(text, [self.token])

    def __repr__(self) -> str:
        return "Address(…)"
