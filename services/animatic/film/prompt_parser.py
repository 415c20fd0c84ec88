"""What a prompt asks for: place, time of day, weather, features, camera move, style."""

import re
from collections import Counter
from dataclasses import dataclass
from random import Random

from services.animatic.film.words import (
    DEFAULT_TIMES,
    FEATURES,
    MOVES,
    PLACES,
    STYLES,
    TIMES,
    WEATHERS,
    Table,
)

ROAMING_PLACES = ("sea", "mountains", "forest", "desert", "field", "lake", "city")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    place: str
    time: str
    weather: str
    features: frozenset[str]
    move: str
    style: str
    shot: str
    time_named: bool
    """Else the time was thrown."""

    def has(self, *features: str) -> bool:
        return not self.features.isdisjoint(features)


def read(prompt: str, seed: int, style_name: str = "", shot_size: str = "") -> Reading:
    words = _words(prompt)
    dice = Random(f"{seed}/{prompt}")
    place = _best(PLACES, words) or dice.choice(ROAMING_PLACES)
    weather = _best(WEATHERS, words) or "clear"
    named = _best(TIMES, words)
    time = named or dice.choice(DEFAULT_TIMES[place])
    return Reading(
        place=place,
        time="night" if place == "space" else time,
        weather=weather,
        features=frozenset(_scores(FEATURES, words)),
        move=_best(MOVES, words) or dice.choice(("in", "left", "right", "drift", "in")),
        style=_best(STYLES, _words(style_name)) or _best(STYLES, words) or "plain",
        shot=_shot(shot_size),
        time_named=named is not None,
    )


def recognises(prompt: str, style_name: str = "", *, has_source: bool) -> bool:
    """Whether the prompt decides what is seen: a place or a thing, or what happens to a source picture."""
    words = _words(f"{prompt} {style_name}" if has_source else prompt)
    tables = (TIMES, WEATHERS, MOVES, STYLES) if has_source else (PLACES, FEATURES)
    return any(_scores(table, words) for table in tables)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower().replace("ё", "е"))


def _best(table: Table, words: list[str]) -> str | None:
    """The highest score; between equals the one named first."""
    scores = _scores(table, words)
    return max(scores, key=lambda name: scores[name]) if scores else None


def _scores(table: Table, words: list[str]) -> dict[str, float]:
    """In the order in which the words name them."""
    scores: Counter[str] = Counter()
    text = f" {' '.join(words)} "
    found: list[tuple[int, str, int]] = []
    for name, stems in table.items():
        for stem, score in stems.items():
            # A stem that ends with * takes any ending; others are whole words or phrases.
            sought = f" {stem[:-1]}" if stem.endswith("*") else f" {stem} "
            place = text.find(sought)
            if place >= 0:
                found.append((place, name, score))
    for _, name, score in sorted(found):
        scores[name] += score
    return dict(scores)


def _shot(shot_size: str) -> str:
    words = _words(shot_size)
    if any(word in ("close", "closeup", "extreme", "macro", "крупный", "крупно") for word in words):
        return "close"
    if any(word in ("medium", "mid", "средний") for word in words):
        return "medium"
    return "wide"
