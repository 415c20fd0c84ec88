"""A loaded page matches each event against its query as the database would."""

from __future__ import annotations

import pytest

from services.core.model import LOCAL_OWNER, GenerationQuery, Kind, Phase
from services.library.query_match import matches
from tests.support.library_harness import LibraryHarness

PROMPTS = [
    "A lighthouse in the rain",
    "Ёлка и Маяк под дождём",
    "Café au lait",
    "snow_field 100%",
    "йод",
    "Над морем",
]
WORDS = ["", "rain light", "light rain", "елка", "маяк дожд", "cafe", "CAFÉ ", "snow", "field", "100", "1", "a", "!", "йо", "иод", "мор", "море"]  # fmt: skip


@pytest.mark.asyncio
async def test_words_fit_just_where_the_search_finds_them(harness: LibraryHarness) -> None:
    rows = [await harness.put(prompt) for prompt in PROMPTS]
    for words in WORDS:
        query = GenerationQuery(words=words)
        listed = {row.id for row in (await harness.generations.listed(query, owner=LOCAL_OWNER)).items}
        assert {row.id for row in rows if matches(query, row)} == listed, words


@pytest.mark.asyncio
async def test_filters_fit_just_where_the_list_has_them(harness: LibraryHarness) -> None:
    rows = [
        await harness.put(kind=Kind.VIDEO), await harness.put(starred_at=1.0), await harness.put(trashed_at=1.0),
        await harness.put(phase=Phase.ERROR), await harness.put(model="other"),
    ]  # fmt: skip
    await harness.library.tag([rows[0].id], "a", on=True, owner=LOCAL_OWNER)
    rows[0] = await harness.generations.get(rows[0].id, owner=LOCAL_OWNER)
    for query in (
        GenerationQuery(), GenerationQuery(kind=Kind.VIDEO), GenerationQuery(starred=True), GenerationQuery(trashed=True), GenerationQuery(tag="a"),
        GenerationQuery(phases=frozenset({Phase.ERROR})), GenerationQuery(backend="animatic", model="other"),
    ):  # fmt: skip
        listed = {row.id for row in (await harness.generations.listed(query, owner=LOCAL_OWNER)).items}
        assert {row.id for row in rows if matches(query, row)} == listed, query
