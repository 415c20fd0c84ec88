"""Pages in two languages: the browser's choice, the person's choice, nothing left in English."""

from __future__ import annotations

import re

import pytest
from nicegui import ui
from nicegui.testing import User

from services.core.errors import Conflict, InvalidRequest, Words
from services.core.model import Channel, Phase
from tests.ui.stand_in_services import AHEAD, StandInServices
from ui.text import languages, measure
from ui.text.errors import reason_text

pytestmark = [pytest.mark.asyncio, AHEAD]
RUSSIAN = "ru-RU,ru;q=0.9,en;q=0.8"


async def test_a_page_uses_the_browsers_language_and_declares_it(user: User) -> None:
    user.http_client.headers["Accept-Language"] = RUSSIAN
    await user.open("/")
    await user.should_see("Создать")
    await user.should_not_see("Generate")
    assert '<html lang="ru">' in (await user.http_client.get("/")).text
    user.http_client.headers["Accept-Language"] = "fi"
    assert '<html lang="en-US">' in (await user.http_client.get("/")).text
    await user.open("/")
    await user.should_see("Generate")


async def test_a_choice_is_remembered_and_goes_over_the_browser(user: User) -> None:
    await user.open("/settings")
    with user:
        languages.choose("ru")
    await user.open("/")
    await user.should_see("Создать")
    with user:
        languages.choose("")
    await user.open("/")
    await user.should_see("Generate")


async def test_two_languages_live_side_by_side(user: User, stand_in: StandInServices) -> None:
    await user.open("/")
    english = user.client
    user.http_client.headers["Accept-Language"] = RUSSIAN
    await user.open("/")
    for client, code, word in ((english, "en-US", "in progress"), (user.client, "ru", "в работе")):
        assert client is not None
        assert client.page.resolve_language() == code
        with client:
            generation = stand_in.put(Phase.PROCESSING)
            stand_in.bus.publish(generation)
            labels = [one.text for one in client.elements.values() if isinstance(one, ui.label)]
        assert any(text.startswith(word) for text in labels), labels


async def test_a_refusal_comes_in_the_pages_language(user: User, stand_in: StandInServices) -> None:
    sentence = "The {name} has {count:,} characters; the limit is {most:,}."
    stand_in.refuse = InvalidRequest(sentence, field="prompt", name=Words("prompt"), count=10001, most=10000)
    assert str(stand_in.refuse) == "The prompt has 10,001 characters; the limit is 10,000."
    user.http_client.headers["Accept-Language"] = "ru"
    await user.open("/")
    user.find(marker="prompt").type("маяк")
    user.find(marker="generate").click()
    await user.should_see("Слишком длинно (описание): 10\xa0001 знаков, предел — 10\xa0000.")
    stand_in.refuse = Conflict("Words of a stranger with {braces}.")
    user.find(marker="generate").click()
    await user.should_see("Words of a stranger with {braces}.")


async def test_a_reason_with_a_limit_comes_in_the_pages_language() -> None:
    reason = "The image is larger than 150 megapixels (RUSHES_PICTURE_LIMIT_MP)."
    with languages.speaking("ru"):
        assert reason_text(reason) == "Картинка больше 150 Мп (RUSHES_PICTURE_LIMIT_MP)."
        assert reason_text("{0} of 9 megapixels") == "{0} of 9 megapixels"
    with languages.speaking("en"):
        assert reason_text(reason) == reason


# how Russian reads


async def test_russian_counts_and_writes_figures_as_russians_do(user: User) -> None:
    user.http_client.headers["Accept-Language"] = "ru"
    await user.open("/settings")
    with user:
        assert [measure.runs(count) for count in (1, 3, 5, 21)] == [
            "по 1 запуску здесь",
            "по 3 запускам здесь",
            "по 5 запускам здесь",
            "по 21 запуску здесь",
        ]
        assert measure.longer_than(180).startswith("Идёт дольше 3 минут.")
        assert measure.longer_than(60).startswith("Идёт дольше 1 минуты.")
        assert measure.exactly(6.43) == "6,4 с"
        assert measure.price(0.35) == "0,35 $ за секунду"
        assert measure.size(3_140_000) == "3,1 МБ"


LATIN = re.compile(r"[A-Za-z]{2,}")
NAMES = re.compile(
    r"Rushes|animatic(/film)?|cloud|veo|Veo 3|Animatic film|SHA-256|https|localhost|Esc|Ctrl|ZIP|English|\d+p\b"
    r"|[0-9a-f]{64}"
    r"|generated successfully( via SSE)?|Video|Taking longer than 3 minutes. You can leave, it will arrive here."
)
"""Names, and the toasts whose text is English in every language."""


@pytest.mark.parametrize(
    "phase", [Phase.PROCESSING, Phase.ERROR, Phase.DROPPED, Phase.UNCONFIRMED, Phase.COMPLETED]
)
async def test_a_russian_page_has_no_english_word(
    user: User, stand_in: StandInServices, phase: Phase
) -> None:
    user.http_client.headers["Accept-Language"] = "ru"
    generation = stand_in.put(Phase.PROCESSING, prompt="Маяк")
    stand_in.publish_trace(generation.id, "push", "lost", reason="silent", retry_in_s=2.5)
    stand_in.publish_trace(generation.id, "poll", "attempt", n=1)
    if phase is Phase.COMPLETED:
        stand_in.finish(generation.id, Channel.POLL)
    else:
        stand_in.change(generation.id, phase=phase)
    for address in ("/", f"/g/{generation.id}", "/library", "/library?trash=1&q=x", "/settings"):
        await user.open(address)
        await user.should_see("Настройки")
        assert user.client is not None
        for element in list(user.client.elements.values()):
            for text in perceptible_texts(element):
                assert not LATIN.search(NAMES.sub("", text)), (address, text)


def perceptible_texts(element: ui.element) -> list[str]:
    """Returns all texts of the element that a person can perceive."""
    props = element.props
    texts = [
        getattr(element, "text", ""),
        *(props.get(key, "") for key in ("aria-label", "title", "placeholder", "alt")),
    ]
    texts += [str(text) for text in dict(props.get("words") or {}).values() if isinstance(text, str)]
    texts += [mark["text"] for mark in props.get("marks") or ()]
    return [re.sub(r"\{\w+\}", "", text) for text in texts if isinstance(text, str)]
