"""Removes secrets from text that came from outside; call it before the text is shortened."""

import re
from collections.abc import Iterable
from urllib.parse import quote

MIN_LENGTH = 4
MIN_PART = 8
_KEY_CHAR = r"[\w.+/=~%-]"


def strip_secrets(text: str, secrets: Iterable[str], mark: str = "…") -> str:
    """Removes each secret, also as encoded for a URL or cut off after its first half."""
    known = {secret for secret in secrets if len(secret) >= MIN_LENGTH}
    for secret in sorted(
        known | {quote(secret, safe="", errors="replace") for secret in known}, key=len, reverse=True
    ):
        text = text.replace(secret, mark)
        start = secret[: max(MIN_PART, (len(secret) + 1) // 2)]
        if len(start) < len(secret):
            text = re.sub(re.escape(start) + _KEY_CHAR + "*", lambda _: mark, text)
    return text
