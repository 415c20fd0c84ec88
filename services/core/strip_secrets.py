"""Removes secrets from text that came from outside; call it before the text is shortened."""

import re
from collections.abc import Iterable
from urllib.parse import quote

MIN_LENGTH = 4
MIN_PART = 8
_KEY_CHARS = re.compile(r"[\w.+/=~%-]*+")


def strip_secrets(text: str, secrets: Iterable[str], mark: str = "…") -> str:
    """Removes each secret, also as encoded for a URL or cut off after its first half."""
    known = {secret for secret in secrets if len(secret) >= MIN_LENGTH}
    for secret in sorted(
        known | {quote(secret, safe="", errors="replace") for secret in known}, key=len, reverse=True
    ):
        text = text.replace(secret, mark)
        start = secret[: max(MIN_PART, (len(secret) + 1) // 2)]
        if len(start) < len(secret):
            text = _without_words(text, start, mark)
    return text


def _without_words(text: str, start: str, mark: str) -> str:
    """Replaces each word that begins with `start`."""
    parts, end = [], 0
    while (at := text.find(start, end)) >= 0:
        word = _KEY_CHARS.match(text, at + len(start))
        parts += [text[end:at], mark]
        end = word.end() if word else at + len(start)
    return "".join([*parts, text[end:]])
