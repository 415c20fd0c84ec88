"""Decides whether a changed generation belongs in a list that a page has loaded."""

from services.core.model import Generation, GenerationQuery
from services.core.search_words import contains


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
        and (not query.words or contains(request.prompt, query.words))
    )
