"""Whether a changed generation belongs into a list that a page has read."""

import re
import unicodedata

from services.core.model import Generation, GenerationQuery

_WORD = re.compile(r"[^\W_]+")


def fits(wanted: GenerationQuery, generation: Generation) -> bool:
    """As the database would say."""
    request = generation.request
    return (
        (generation.trashed_at is not None) == wanted.trashed
        and wanted.kind in (None, request.kind)
        and wanted.backend in (None, request.backend)
        and wanted.model in (None, request.model)
        and (wanted.phases is None or generation.phase in wanted.phases)
        and wanted.unwanted in (None, generation.stop_requested_at is not None)
        and (wanted.since is None or generation.created_at >= wanted.since)
        and (wanted.until is None or generation.created_at < wanted.until)
        and (not wanted.starred or generation.starred_at is not None)
        and (wanted.tag is None or wanted.tag in generation.tags)
        and (not wanted.words or _has(request.prompt, wanted.words))
    )


def _has(prompt: str, words: str) -> bool:
    there, asked = set(_WORD.findall(_folded(prompt))), _WORD.findall(_folded(words))
    if not asked:
        return False
    last = asked[-1]
    beginning = len(last) > 1 and words[-1].isalnum()
    return all(word in there for word in asked[:-1]) and any(
        word.startswith(last) if beginning else word == last for word in there
    )


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold().replace("й", "\0"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).replace("\0", "й")
