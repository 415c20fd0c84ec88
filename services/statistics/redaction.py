"""Removes secrets and links from any text that leaves the install."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

LINK, SECRET = "[link]", "[secret]"
SHORTEST_SECRET = 4
_END = r"""[^\s"'<>\\^`{|}]"""
_LINKS = re.compile(
    rf"[a-z][a-z0-9+.-]*(?::|%3a)(?:\\?/|%2f){{2}}(?:{_END}|\\/)*"  # any scheme, also escaped or encoded
    rf"|data:[\w/+.-]*[;,]{_END}*"
    rf"|(?<![\w@.-])(?:[a-z0-9-]+\.)+[a-z]{{2,}}(?::\d+)?/{_END}*"  # a host and a path without a scheme
    rf"|(?<![\w.])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?::\d+)?(?:/{_END}*)?"
    rf"|\[[0-9a-f:]*:[0-9a-f:.]+\](?::\d+)?(?:/{_END}*)?",
    re.IGNORECASE,
)
_SPOKEN = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE)
_NAMED = re.compile(
    r"\b([\w-]*(?:token|secret|passw(?:or)?d|api[ _-]?key|authorization|signature|credential|cookie|session)"
    r"[\w-]*)(\\?[\"']?\s*[:=]\s*\\?[\"']?)(?!\[)[^\s\"'\\,;&]+",
    re.IGNORECASE,
)
_SHAPED = re.compile(
    r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"
    r"|\b(?:sk|pk|rk|hf|r8|gh[pousr]|xox[abprs]|whsec)[-_][\w-]{6,}"
    r"|\b(?:AKIA|ASIA|AIza)[\w-]{12,}"
)
_LONG = re.compile(r"(?<![\w+/=-])[\w+=-]{24,}(?![\w+/=-])")


class Redaction:
    """`secrets` are known by value; `names` (ids, checksums, names of models) may stay as they are."""

    def __init__(self, *, secrets: Iterable[str], names: Iterable[str | None] = ()) -> None:
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        self._secrets = sorted(known | {quote(secret, safe="") for secret in known}, key=len, reverse=True)
        self._names = {name for name in names if name}

    def text(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, SECRET)
        text = _LINKS.sub(lambda found: found[0] if found[0] in self._names else LINK, text)
        text = _SPOKEN.sub(rf"\1 {SECRET}", text)
        text = _NAMED.sub(rf"\1\2{SECRET}", text)
        text = _SHAPED.sub(SECRET, text)
        return _LONG.sub(self._unless_named, text)

    def plain(self, value: Any) -> Any:
        """The same in all texts of plain JSON, the keys of objects included."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(str(key)): self.plain(each) for key, each in value.items()}
            case list() | tuple():
                return [self.plain(each) for each in value]
        return value

    def _unless_named(self, found: re.Match[str]) -> str:
        """Long, with letters and figures mixed: a key, unless it is known as a name."""
        long = found[0]
        mixed = any(one.isdigit() for one in long) and any(one.isalpha() for one in long)
        return SECRET if mixed and long not in self._names else long
