"""A page that has read its list must judge what it hears as the database would."""

from __future__ import annotations

import pytest

from services.core.model import Kind, Phase, Wanted
from services.library.query_match import fits
from tests.support.library_harness import KeptHouse

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
async def test_words_fit_just_where_the_search_finds_them(house: KeptHouse) -> None:
    rows = [await house.put(prompt) for prompt in PROMPTS]
    for words in WORDS:
        wanted = Wanted(words=words)
        found = {row.id for row in (await house.library.page(wanted)).items}
        assert {row.id for row in rows if fits(wanted, row)} == found, words


@pytest.mark.asyncio
async def test_filters_fit_just_where_the_list_has_them(house: KeptHouse) -> None:
    rows = [
        await house.put(kind=Kind.VIDEO), await house.put(starred_at=1.0), await house.put(hidden_at=1.0),
        await house.put(phase=Phase.ERROR), await house.put(model="other"),
    ]  # fmt: skip
    await house.library.tag([rows[0].id], "a", on=True)
    rows[0] = await house.generations.get(rows[0].id)
    for wanted in (
        Wanted(), Wanted(kind=Kind.VIDEO), Wanted(starred=True), Wanted(trashed=True), Wanted(tag="a"),
        Wanted(phases=frozenset({Phase.ERROR})), Wanted(backend="animatic", model="other"),
    ):  # fmt: skip
        found = {row.id for row in (await house.library.page(wanted)).items}
        assert {row.id for row in rows if fits(wanted, row)} == found, wanted
