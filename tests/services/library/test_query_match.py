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
    "紅色的風筝飛過海",
    "赤い凧とガラス",
    "เรือในทะเลกับน้ำ",
    "iPhone風筝 15",
    "Straße nach Łódź",
    "ışıkları İstanbul",
    "푸른바다에서",
    "नीली किताबें",
    "می\u200cخواهم أحمر",
    "a kite 😀👨\u200d👩\u200d👧 👍🏽 ☀️",
    "kite\u0301 ＡＢＣ ﬁre ☕100°",
    "\U00020000\U00020001 Ⅳ",
    "don't \x00 stop",
]
WORDS = ["", "rain light", "light rain", "елка", "маяк дожд", "cafe", "CAFÉ ", "snow", "field", "100", "1", "a", "!", "йо", "иод", "мор", "море",
    "風筝", "风筝", "筝", "風", "風筝飛", "筝風", "風 海", "海 風筝", "紅色的風筝飛過海", "凧", "ガ", "カ", "がらす", "ﾗｽ",
    "ทะเล", "น้ำ", "เล", "ลท", "iphone風", "iphone風筝 1", "phone", "strasse", "STRASSE", "straß", "lodz", "łódź", "isiklari",
    "IŞIKLARI", "istanbul", "바다", "바", "किता", "किताबें", "کتاب", "خواهم", "احمر", "می\u200cخواهم", "😀", "👩", "👨\u200d👩\u200d👧", "👍", "👍🏽", "🏽👍",
    "☀", "☀️", "abc", "fire", "100°", "%", "_", '"', "'", "100%", '"kite"', "kite*", "NOT kite", "kite OR fire", "prompt:kite", "kite\x00", "\x00",
    "\ud800", "\U00020000", "𠀀𠀁", "iv", "don t", "stop don't", "kite " * 100, "風筝" * 100, "snow_field", "-kite", "(", "NEAR(a b)"]  # fmt: skip


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


@pytest.mark.parametrize(
    ("typed", "prompt"),
    [
        ("風筝飛", "紅色的風筝飛過海"),
        ("iphone風", "iPhone風筝 15"),
        ("筝飛過", "紅色的風筝飛過海"),
        ("凧", "赤い凧とガラス"),
        ("ทะเล", "เรือในทะเลกับน้ำ"),
        ("바다", "푸른바다에서"),
        ("strasse", "Straße nach Łódź"),
        ("lodz", "Straße nach Łódź"),
        ("isiklari", "ışıkları İstanbul"),
        ("किता", "नीली किताबें"),
        ("😀", "a kite 😀👨\u200d👩\u200d👧 👍🏽 ☀️"),
        ("👍", "a kite 😀👨\u200d👩\u200d👧 👍🏽 ☀️"),
        ("خواهم", "می\u200cخواهم أحمر"),
    ],
)
@pytest.mark.asyncio
async def test_words_of_every_script_are_found(harness: LibraryHarness, typed: str, prompt: str) -> None:
    rows = [await harness.put(each) for each in PROMPTS]
    listed = await harness.generations.listed(GenerationQuery(words=typed), owner=LOCAL_OWNER)
    assert [row.request.prompt for row in listed.items] == [prompt]
    fitting = [row.request.prompt for row in rows if matches(GenerationQuery(words=typed), row)]
    assert fitting == [prompt]
