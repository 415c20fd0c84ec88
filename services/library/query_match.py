"""Decides whether a changed generation belongs in a list that a page has loaded."""

import re
import unicodedata

from services.core.model import Generation, GenerationQuery

_WORD = re.compile(r"[^\W_]+")


def matches(query: GenerationQuery, generation: Generation) -> bool:
    """Decides as the database does."""
    request = generation.request
    return (
        (generation.trashed_at is not None) == query.trashed
        and query.kind in (None, request.kind)
        and query.backend in (None, request.backend)
        and query.model in (None, request.model)
        and (query.phases is None or generation.phase in query.phases)
        and query.unwanted in (None, generation.stop_requested_at is not None)
        and (query.since is None or generation.created_at >= query.since)
        and (query.until is None or generation.created_at < query.until)
        and (not query.starred or generation.starred_at is not None)
        and (query.tag is None or query.tag in generation.tags)
        and (not query.words or _contains(request.prompt, query.words))
    )


def _contains(prompt: str, words: str) -> bool:
    """The last word may be a prefix, while it is being typed."""
    present, wanted = set(_WORD.findall(_fold(prompt))), _WORD.findall(_fold(words))
    if not wanted:
        return False
    last = wanted.pop()
    is_prefix = len(last) > 1 and words[-1].isalnum()
    found = any(word.startswith(last) for word in present) if is_prefix else last in present
    return found and present.issuperset(wanted)


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold().replace("й", "\0"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).replace("\0", "й")
