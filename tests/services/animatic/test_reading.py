import pytest

from services.animatic.film.prompt_parser import read
from services.animatic.film.scenes import SCENES
from services.animatic.film.words import PLACES


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        ("A lighthouse above a stormy sea at night", "sea"),
        ("маяк у моря на закате", "sea"),
        ("Rain over a neon city, dolly forward", "city"),
        ("ночной город под дождём", "city"),
        ("Mountains at dawn, slow pan", "mountains"),
        ("горы на рассвете", "mountains"),
        ("Fog in a pine forest", "forest"),
        ("campfire in a snowy forest at night", "forest"),
        ("зимний лес, снег", "forest"),
        ("a rocket among stars and a ringed planet", "space"),
        ("ракета летит к планете", "space"),
        ("sunset over desert dunes", "desert"),
        ("караван в пустыне", "desert"),
        ("a meadow with flowers", "field"),
        ("пшеничное поле", "field"),
        ("a river in the valley", "lake"),
        ("озеро в тумане", "lake"),
    ],
)
def test_the_words_choose_the_place(prompt: str, place: str) -> None:
    assert read(prompt, 1).place == place


@pytest.mark.parametrize(
    ("prompt", "time"),
    [
        ("sea at dawn", "dawn"),
        ("city at noon", "day"),
        ("desert at sunset", "dusk"),
        ("forest by night", "night"),
        ("лес на рассвете", "dawn"),
        ("солнечный луг", "day"),
        ("море на закате", "dusk"),
        ("горы ночью", "night"),
    ],
)
def test_the_words_choose_the_time_of_day(prompt: str, time: str) -> None:
    assert read(prompt, 1).time == time


@pytest.mark.parametrize(
    ("prompt", "weather"),
    [
        ("rain over the sea", "rain"),
        ("snowy mountains", "snow"),
        ("foggy field", "fog"),
        ("a storm at sea", "storm"),
        ("a quiet sea", "clear"),
        ("дождь в городе", "rain"),
        ("снежные горы", "snow"),
        ("туман над озером", "fog"),
        ("гроза в поле", "storm"),
    ],
)
def test_the_words_choose_the_weather(prompt: str, weather: str) -> None:
    assert read(prompt, 1).weather == weather


@pytest.mark.parametrize(
    ("prompt", "move"),
    [
        ("sea, slow zoom in", "in"),
        ("sea, dolly forward", "in"),
        ("sea, zoom out", "out"),
        ("sea, pan left", "left"),
        ("sea, slow pan", "right"),
        ("sea, tilt up", "up"),
        ("sea, tilt down", "down"),
        ("море, камера влево", "left"),
        ("море, наезд камеры", "in"),
    ],
)
def test_the_words_choose_the_camera_s_move(prompt: str, move: str) -> None:
    assert read(prompt, 1).move == move


@pytest.mark.parametrize(
    ("prompt", "feature"),
    [
        ("a lighthouse", "lighthouse"),
        ("костёр в лесу", "fire"),
        ("a ringed planet", "ring"),
        ("neon signs", "neon"),
        ("a small boat", "boat"),
        ("northern lights", "aurora"),
    ],
)
def test_the_words_choose_the_features(prompt: str, feature: str) -> None:
    assert read(prompt, 1).has(feature)


def test_every_place_of_the_table_has_its_scene() -> None:
    assert set(PLACES) == set(SCENES)


def test_a_word_inside_another_word_is_not_heard() -> None:
    assert read("a season of research, a forest", 1).place == "forest"
    assert "fire" not in read("fireflies", 1).features


def test_without_a_known_word_the_prompt_and_the_seed_choose() -> None:
    assert read("abstract thoughts", 3) == read("abstract thoughts", 3)
    assert len({read("abstract thoughts", seed).place for seed in range(30)}) > 3


def test_style_and_shot_size_are_read_from_their_own_fields() -> None:
    reading = read("sea", 1, "flux_watercolor", "close_up")
    assert (reading.style, reading.shot) == ("watercolor", "close")
