"""Reads the bytes that a `data:` address carries (RFC 2397)."""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from services.core.errors import DeliveryFailed

SCHEME = "data:"
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNESCAPED = re.compile(r"[^\x21-\x7e]")
_SPACE = re.compile(rb"[\t\n\f\r ]+")


def is_data_uri(address: str) -> bool:
    return address[: len(SCHEME)].lower() == SCHEME


def data_in(address: str) -> bytes:
    """Base64 may lack its padding and have line ends, as in browsers; all else must be exact.

    Raises DeliveryFailed (undecodable), which does not repeat the address.
    """
    about, comma, data = address[len(SCHEME) :].partition(",")
    data = data.partition("#")[0]
    if not comma:
        raise _unreadable()
    if about.rpartition(";")[2].strip().lower() != "base64":
        if _UNESCAPED.search(data) or _BROKEN_ESCAPE.search(data):
            raise _unreadable()
        return unquote_to_bytes(data)
    if not data.isascii() or _BROKEN_ESCAPE.search(data):
        raise _unreadable()
    encoded = _SPACE.sub(b"", unquote_to_bytes(data))
    try:
        return base64.b64decode(
            encoded + b"=" * (-len(encoded) % 4 if b"=" not in encoded else 0), validate=True
        )
    except binascii.Error as error:
        raise _unreadable() from error


def _unreadable() -> DeliveryFailed:
    return DeliveryFailed("The file came inside its address, and that cannot be read.", reason="undecodable")
