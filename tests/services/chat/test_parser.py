"""Tables of sentences, and their parse results."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat.parser import Change, Intent, NoIntent, language_of, parse
from services.core.model import Kind

V, I = Kind.VIDEO, Kind.IMAGE  # noqa: E741

REQUESTS: list[tuple[str, Kind, str, dict[str, Any]]] = [
    # commands
    ("/video a lighthouse at night", V, "a lighthouse at night", {}),
    ("/video 10s 9:16 a lighthouse", V, "a lighthouse", {"duration_s": 10, "aspect_ratio": "9:16"}),
    ("/video a lighthouse, 10 seconds, vertical", V, "a lighthouse", {"duration_s": 10, "aspect_ratio": "9:16"}),
    ("/image square 1080p seed 42 a red fox", I, "a red fox", {"aspect_ratio": "1:1", "resolution": "1080p", "seed": 42}),
    ("/VIDEO\na storm\nover the sea", V, "a storm\nover the sea", {}),
    ("/видео маяк ночью на 8 секунд", V, "маяк ночью", {"duration_s": 8}),
    ("/картинка рыжая лиса, 16:9", I, "рыжая лиса", {"aspect_ratio": "16:9"}),
    # plain English
    ("make a 10 second vertical video of a lighthouse at night", V, "a lighthouse at night", {"duration_s": 10, "aspect_ratio": "9:16"}),
    ("Make me a video of a lighthouse.", V, "a lighthouse.", {}),
    ("Please create a short clip about rain over a neon city, 5 s", V, "rain over a neon city", {"duration_s": 5}),
    ("could you generate an image of a red fox in the snow?", I, "a red fox in the snow?", {}),
    ("I want a square picture of a cat", I, "a cat", {"aspect_ratio": "1:1"}),
    ("I'd like a video of waves, 12 seconds long, please", V, "waves", {"duration_s": 12}),
    ("video of a kite over the sea", V, "a kite over the sea", {}),
    ("video: a kite over the sea", V, "a kite over the sea", {}),
    ("a 16:9 video of dunes for 6 seconds", V, "dunes", {"aspect_ratio": "16:9", "duration_s": 6}),
    ("make four images of a lake", I, "a lake", {"count": 4}),
    ("make 3 pictures of a lake in 4:3", I, "a lake", {"count": 3, "aspect_ratio": "4:3"}),
    ("draw a cat on a roof", I, "a cat on a roof", {}),
    ("Draw me a wide landscape", I, "a wide landscape", {}),
    ("make a slow cinematic video of a ship", V, "a ship, slow cinematic", {}),
    ("an image of a mountain landscape", I, "a mountain landscape", {}),
    ("a portrait photo of an old man", I, "an old man", {"aspect_ratio": "9:16"}),
    ("make a video with a dog and a ball", V, "a dog and a ball", {}),
    ("generate a video, 720p, 12 fps, of a train", V, "a train", {"resolution": "720p", "fps": 12}),
    ("make a half a minute video of clouds", V, "clouds", {"duration_s": 30}),
    ("make a one-minute video of clouds", V, "clouds", {"duration_s": 60}),
    ("shoot a ten second film of a wolf", V, "a wolf", {"duration_s": 10}),
    ("make a video of a wolf using Veo 3", V, "a wolf", {"model": "Veo 3"}),
    ("animate a paper boat on a lake", V, "a paper boat on a lake", {}),
    # plain Russian
    ("сделай вертикальное видео на 10 секунд про маяк ночью", V, "маяк ночью", {"duration_s": 10, "aspect_ratio": "9:16"}),
    ("Сделай видео маяка в шторм", V, "маяка в шторм", {}),
    ("сделай, пожалуйста, видео: дождь над городом, 5 секунд", V, "дождь над городом", {"duration_s": 5}),
    ("хочу квадратную картинку с котом", I, "котом", {"aspect_ratio": "1:1"}),
    ("нарисуй рыжую лису в снегу", I, "рыжую лису в снегу", {}),
    ("сгенерируй 4 картинки озера на рассвете", I, "озера на рассвете", {"count": 4}),
    ("сними десятисекундный ролик о море", V, "море", {"duration_s": 10}),
    ("сделай 10-секундный ролик о море", V, "море", {"duration_s": 10}),
    ("видео на пять секунд, 9:16, про поезд", V, "поезд", {"duration_s": 5, "aspect_ratio": "9:16"}),
    ("можешь сделать картинку горы?", I, "горы?", {}),
    ("мне нужно горизонтальное видео про космос на 15 сек", V, "космос", {"aspect_ratio": "16:9", "duration_s": 15}),
    ("сделай ролик на полминуты про облака", V, "облака", {"duration_s": 30}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "prompt", "settings"), REQUESTS, ids=[row[0] for row in REQUESTS])
@pytest.mark.parametrize("follows", [False, True])
def test_a_request_is_parsed(
    text: str, kind: Kind, prompt: str, settings: dict[str, Any], follows: bool
) -> None:
    intent = parse(text, follows=follows)
    assert isinstance(intent, Intent), intent
    assert (intent.kind, intent.prompt) == (kind, prompt)
    named = {name: getattr(intent.settings, name) for name in intent.settings.__slots__}
    wanted = {name: settings.get(name) for name in intent.settings.__slots__}
    assert named == wanted


CHANGES: list[tuple[str, tuple[str, ...], dict[str, Any], str, str]] = [
    ("longer", ("longer",), {}, "", ""),
    ("Longer!", ("longer",), {}, "", ""),
    ("a bit longer please", ("longer",), {}, "", ""),
    ("make it longer", ("longer",), {}, "", ""),
    ("make the video longer", ("longer",), {}, "", ""),
    ("shorter", ("shorter",), {}, "", ""),
    ("vertical", (), {"aspect_ratio": "9:16"}, "", ""),
    ("now make it vertical, please", (), {"aspect_ratio": "9:16"}, "", ""),
    ("square", (), {"aspect_ratio": "1:1"}, "", ""),
    ("in 4:3", (), {"aspect_ratio": "4:3"}, "", ""),
    ("longer and vertical", ("longer",), {"aspect_ratio": "9:16"}, "", ""),
    ("a longer vertical version", ("longer",), {"aspect_ratio": "9:16"}, "", ""),
    ("make it 12 seconds", (), {"duration_s": 12}, "", ""),
    ("12 seconds", (), {"duration_s": 12}, "", ""),
    ("again", ("again",), {}, "", ""),
    ("once more", ("again",), {}, "", ""),
    ("again with another seed", ("again", "another_seed"), {}, "", ""),
    ("another seed", ("another_seed",), {}, "", ""),
    ("with seed 7", (), {"seed": 7}, "", ""),
    ("another one", ("another_seed",), {}, "", ""),
    ("animate it", ("to_video",), {}, "", ""),
    ("Animate it.", ("to_video",), {}, "", ""),
    ("bring it to life", ("to_video",), {}, "", ""),
    ("make it move", ("to_video",), {}, "", ""),
    ("turn it into a video", ("to_video",), {}, "", ""),
    ("make it a video", ("to_video",), {}, "", ""),
    ("make a video of it", ("to_video",), {}, "", ""),
    ("animate it, vertical, 10 seconds", ("to_video",), {"aspect_ratio": "9:16", "duration_s": 10}, "", ""),
    ("continue", ("onwards",), {}, "", ""),
    ("go on, 10 seconds", ("onwards",), {"duration_s": 10}, "", ""),
    ("продолжи", ("onwards",), {}, "", ""),
    ("make it night", ("night",), {}, "", ""),
    ("now at night", ("night",), {}, "", ""),
    ("the same at sunset", ("dusk",), {}, "", ""),
    ("make it rainy", ("rain",), {}, "", ""),
    ("the same but in the snow", ("snow",), {}, "", ""),
    ("make it night and longer", ("night", "longer"), {}, "", ""),
    ("make it more dramatic", (), {}, "more dramatic", ""),
    ("add a red boat", (), {}, "a red boat", ""),
    ("the same with two boats", (), {}, "with two boats", ""),
    ("without people", (), {}, "", "people"),
    ("the same without people", (), {}, "", "people"),
    ("in 1080p", (), {"resolution": "1080p"}, "", ""),
    ("длиннее", ("longer",), {}, "", ""),
    ("сделай подлиннее", ("longer",), {}, "", ""),
    ("ещё длиннее", ("longer",), {}, "", ""),
    ("короче", ("shorter",), {}, "", ""),
    ("вертикально", (), {"aspect_ratio": "9:16"}, "", ""),
    ("сделай его вертикальным", (), {"aspect_ratio": "9:16"}, "", ""),
    ("а теперь квадратное", (), {"aspect_ratio": "1:1"}, "", ""),
    ("ещё раз", ("again",), {}, "", ""),
    ("ещё раз с другим сидом", ("again", "another_seed"), {}, "", ""),
    ("с другим сидом", ("another_seed",), {}, "", ""),
    ("другой вариант", ("another_seed",), {}, "", ""),
    ("оживи", ("to_video",), {}, "", ""),
    ("оживи её", ("to_video",), {}, "", ""),
    ("анимируй", ("to_video",), {}, "", ""),
    ("сделай из неё видео", ("to_video",), {}, "", ""),
    ("сделай ночь", ("night",), {}, "", ""),
    ("пусть будет ночь", ("night",), {}, "", ""),
    ("то же самое ночью", ("night",), {}, "", ""),
    ("то же, но в дождь", ("rain",), {}, "", ""),
    ("теперь на закате", ("dusk",), {}, "", ""),
    ("на 12 секунд", (), {"duration_s": 12}, "", ""),
    ("добавь красную лодку", (), {}, "красную лодку", ""),
    ("без людей", (), {}, "", "людей"),
    ("сделай его мрачнее", (), {}, "мрачнее", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "steps", "settings", "more", "less"), CHANGES, ids=[row[0] for row in CHANGES]
)
def test_a_change_of_the_last_one_is_parsed(
    text: str, steps: tuple[str, ...], settings: dict[str, Any], more: str, less: str
) -> None:
    change = parse(text, follows=True)
    assert isinstance(change, Change), change
    assert (change.steps, change.more, change.less) == (steps, more, less)
    named = {name: getattr(change.settings, name) for name in change.settings.__slots__}
    assert named == {name: settings.get(name) for name in change.settings.__slots__}


UNCLEAR = [
    ("/video", "empty_command"),
    ("/video   ", "empty_command"),
    ("/video 10s vertical", "empty_command"),
    ("/картинка", "empty_command"),
    ("/dance now", "unknown_command"),
    ("/", "unknown_command"),
    ("/help", "help"),
    ("what can you do?", "help"),
    ("hello, what can you do?", "help"),
    ("Привет! Что ты умеешь?", "help"),
    ("что ты умеешь?", "help"),
    ("hello", "hello"),
    ("Привет!", "hello"),
    ("good night", "which"),
    ("great wall of china", "which"),
    ("is it good?", "unclear"),
    ("make a video", "no_prompt"),
    ("make me a 10 second video", "no_prompt"),
    ("сделай видео", "no_prompt"),
    ("сделай картинку, пожалуйста", "no_prompt"),
    ("a lighthouse at night", "which"),
    ("маяк ночью в шторм", "which"),
    ("make a lighthouse in the storm", "which"),
    ("asdf", "unclear"),
    ("???", "unclear"),
    ("what is the weather like today?", "unclear"),
    ("почему небо синее?", "unclear"),
]


@pytest.mark.parametrize(("text", "code"), UNCLEAR, ids=[row[0] for row in UNCLEAR])
def test_a_message_without_an_intent_gets_a_code(text: str, code: str) -> None:
    parsed = parse(text, follows=False)
    assert isinstance(parsed, NoIntent), parsed
    assert parsed.code == code


THANKS = [
    "thanks", "Thank you so much!", "thx :)", "ty", "many thanks", "thanks a million", "Great, thank you",
    "that's perfect", "I love it!", "nice one", "looks amazing", "wow", "no, thank you", "thanks again!", "👍",
    "❤️", "cheers mate", "good job", "well done!", "Beautiful video!", "thanks for the video",
    "that's exactly what I wanted, thanks", "thanks for your help :-)", "THANKS!!!", "great, thanks, bye!", "спасибо, пока", "отлично, до свидания", "ok", "hey, thanks",
    "спасибо", "спасибо большое", "Спасибо, ещё раз!", "круто!", "отличное видео", "огонь 🔥", "благодарю вас",
    "всё получилось, спасибо", "очень красиво", "спс", "то, что надо", "это просто потрясающе", "супер",
    "огромное вам спасибо", "спасибо за помощь", "мне нравится", "классно получилось",
]  # fmt: skip


@pytest.mark.parametrize("text", THANKS)
@pytest.mark.parametrize("follows", [False, True])
def test_thanks_are_thanks_in_any_wording(text: str, follows: bool) -> None:
    assert parse(text, follows=follows) == NoIntent(code="thanks")


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("thanks, make it longer", ("longer",)),
        ("Great! Now at night", ("night",)),
        ("спасибо, теперь длиннее", ("longer",)),
        ("Great, again", ("again",)),
    ],
)
def test_thanks_before_a_change_do_not_hide_it(text: str, steps: tuple[str, ...]) -> None:
    change = parse(text, follows=True)
    assert isinstance(change, Change)
    assert change.steps == steps


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("make a video of a kite", "en"),
        ("thanks", "en"),
        ("make a video that says “Привет, мир, как дела”", "en"),
        ("сделай видео про маяк", "ru"),
        ("сделай video: a red fox in the snow at night", "ru"),
        ("ok, сделай длиннее", "ru"),
        ("спасибо", "ru"),
        ("/video маяк ночью", "ru"),
        ("/видео", "ru"),
        ("/video a kite over the sea", None),
        ("зроби відео", None),
        ("ein Haus am See", None),
        ("👍", None),
        ("", None),
    ],
)
def test_the_language_of_a_message_is_that_of_its_words(text: str, language: str | None) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text", ["tell me a joke about a lighthouse", "what is the weather like today?", "a lighthouse at night"]
)
def test_an_earlier_artifact_makes_no_change_of_an_unrelated_message(text: str) -> None:
    assert isinstance(parse(text, follows=True), NoIntent)


@given(st.text(max_size=400), st.booleans())
def test_the_parser_accepts_any_text(text: str, follows: bool) -> None:
    parse(text, follows=follows)


LONG = (
    "a", "make", "please,", "5s", "for", "и", "in a", "make a video of", "/video", "draw me", "without",
    "make it longer and", "видео на 5 секунд", "formatted", ",", "with seed 4", "night", "спасибо",
)  # fmt: skip


@pytest.mark.parametrize("before", ["", "/video ", "make it ", "сделай видео "])
@pytest.mark.parametrize("words", LONG)
def test_4000_words_are_parsed_within_a_tenth_of_a_second(words: str, before: str) -> None:
    text = before + f"{words} " * 4_000
    begun = time.thread_time()
    parse(text, follows=True)
    assert time.thread_time() - begun < 0.1


def test_a_long_description_is_a_prompt_and_no_change() -> None:
    description = "make it " + "longer and darker with rain " * 40
    assert isinstance(parse(description, follows=True), NoIntent)
    intent = parse(f"make a video of {description}, 5 seconds", follows=True)
    assert isinstance(intent, Intent)
    assert (intent.prompt, intent.settings.duration_s) == (description.strip(), 5)


@given(st.lists(st.sampled_from(["make", "it", "a", "video", "10", "seconds", "of", ",", "ещё", "видео", "на", "9:16", "the", "longer", "-", "/video", "с"]), max_size=3000))  # fmt: skip
def test_a_long_message_is_parsed_within_a_second(words: list[str]) -> None:
    begun = time.perf_counter()
    parse(" ".join(words), follows=True)
    assert time.perf_counter() - begun < 1.0
