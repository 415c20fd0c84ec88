"""Removes secrets and links from text that leaves the install."""

import re
from collections.abc import Iterable
from typing import Any

from services.core.strip_secrets import strip_secrets

LINK, SECRET = "[link]", "[secret]"
_URL_CHAR = r"""[^\s"'<>\\^`{|}]"""
_LINKS = re.compile(
    rf"(?<![a-z0-9+.-])[a-z0-9+.-]++(?::|%3a)(?:\\?/|%2f){{2}}(?:{_URL_CHAR}|\\/)*"  # any scheme, escaped too
    rf"|data:[\w/+.-]*[;,]{_URL_CHAR}*"
    rf"|(?<![\w@.-])(?:[a-z0-9-]+\.)+[a-z]{{2,}}(?::\d+)?/{_URL_CHAR}*"  # a host and a path without a scheme
    rf"|(?<![\w.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?::\d+)?(?:/{_URL_CHAR}*)?"
    rf"|\[(?=[0-9a-f.]{{0,4}}:)[0-9a-f:.]{{2,}}+\](?::\d+)?(?:/{_URL_CHAR}*)?",
    re.IGNORECASE,
)
_AUTH_SCHEMES = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE)
_NAMED_VALUES = re.compile(
    r"(?<![\w-])(?:(?<=api )(?=key)"
    r"|(?=[\w-]*?(?:token|secret|passw(?:or)?d|api[_-]?key|authorization|signature|credential|cookie|session)))"
    r"([\w-]++)(\\?[\"']?\s*+[:=]\s*+\\?[\"']?)(?!\[)[^\s\"'\\,;&]++",
    re.IGNORECASE,
)
_KNOWN_FORMATS = re.compile(
    r"(?<![\w-])(?=[\w-]*?\beyJ)[\w-]++\.[\w-]++(?:\.[\w-]*+)?"
    r"|\b(?:sk|pk|rk|hf|r8|gh[pousr]|xox[abprs]|whsec)[-_][\w-]{6,}"
    r"|\b(?:AKIA|ASIA|AIza)[\w-]{12,}"
)
_LONG_WORDS = re.compile(r"(?<![\w+/=-])[\w+=-]{24,}+(?![\w+/=-])")


class Redaction:
    """Removes `secrets`, and what looks like one unless it is among `names` (ids, checksums, models)."""

    def __init__(self, *, secrets: Iterable[str], names: Iterable[str | None] = ()) -> None:
        self._secrets = list(secrets)
        self._names = {name for name in names if name}

    def redact(self, text: str) -> str:
        text = strip_secrets(text, self._secrets, SECRET)
        text = _LINKS.sub(lambda found: found[0] if found[0] in self._names else LINK, text)
        text = _AUTH_SCHEMES.sub(rf"\1 {SECRET}", text)
        text = _NAMED_VALUES.sub(rf"\1\2{SECRET}", text)
        text = _KNOWN_FORMATS.sub(SECRET, text)
        return _LONG_WORDS.sub(self._redact_long_word, text)

    def redact_json(self, value: Any) -> Any:
        """Redacts all strings of plain JSON, the keys of objects included."""
        match value:
            case str():
                return self.redact(value)
            case dict():
                return {self.redact(str(key)): self.redact_json(each) for key, each in value.items()}
            case list() | tuple():
                return [self.redact_json(each) for each in value]
        return value

    def _redact_long_word(self, found: re.Match[str]) -> str:
        """A long mixture of letters and digits is a key."""
        word = found[0]
        mixed = any(one.isdigit() for one in word) and any(one.isalpha() for one in word)
        return SECRET if mixed and word not in self._names else word
