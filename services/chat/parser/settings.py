"""Extracts length, aspect ratio, resolution, frame rate and seed from either end of a text."""

import re
from collections.abc import Callable
from functools import partial

from services.chat.parser.intents import RequestedSettings

NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "sixty": 60,
    "один": 1, "одну": 1, "два": 2, "две": 2, "три": 3, "четыре": 4, "пять": 5, "шесть": 6, "семь": 7,
    "восемь": 8, "девять": 9, "десять": 10, "двенадцать": 12, "пятнадцать": 15, "двадцать": 20,
    "тридцать": 30, "пяти": 5, "шести": 6, "семи": 7, "восьми": 8, "десяти": 10, "пятнадцати": 15,
    "двадцати": 20, "тридцати": 30,
}  # fmt: skip
RATIOS = frozenset({"16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4", "21:9"})

NUMBER = rf"(?P<number>\d{{1,4}}(?:[.,]\d{{1,3}})?|{'|'.join(NUMBERS)})"
SECONDS = r"(?:s|secs?|seconds?|сек(?:унд[а-яё]*)?|с)"
MINUTES = r"(?:min|mins|minutes?|мин(?:ут[а-яё]*)?)"

Rule = tuple[str, str, Callable[[re.Match[str]], object]]
"""A setting, its pattern, and its value by the match: None where the match is none."""


def number(text: str) -> float:
    return float(NUMBERS.get(text.lower(), text.replace(",", ".")))


def _number(found: re.Match[str]) -> float:
    return number(found["number"])


def _ratio(found: re.Match[str]) -> str | None:
    ratio = f"{int(found['wide'])}:{int(found['high'])}"
    return ratio if ratio in RATIOS else None


def _resolution(found: re.Match[str]) -> str:
    lines = found["lines"].lower()
    return {"4k": "2160p", "2k": "1440p"}.get(lines, lines)


FIGURES: tuple[Rule, ...] = (
    ("duration_s", rf"{NUMBER}\s*+-?\s*+{SECONDS}(?:\s++(?:long|длиной))?", _number),
    ("duration_s", rf"{NUMBER}(?:-?ти)?\s*+-?\s*+секундн[а-яё]+", _number),
    (
        "duration_s",
        rf"{NUMBER}\s*+-?\s*+{MINUTES}(?:\s++(?:long|длиной))?",
        lambda found: _number(found) * 60,
    ),
    ("duration_s", r"half\s+a\s+minute|пол\s?-?минуты", lambda _: 30.0),
    ("duration_s", r"(?:a|one)[\s-]minute(?:\s+long)?|минуту|минутн[а-яё]+", lambda _: 60.0),
    ("aspect_ratio", r"(?P<wide>\d{1,2})\s*[:xх×]\s*(?P<high>\d{1,2})(?![\d:])", _ratio),
    ("resolution", r"(?P<lines>(?:360|480|540|576|720|1080|1440|2160)p|[24]k)", _resolution),
    ("resolution", r"(?P<full>full[\s-]?)?hd", lambda found: "1080p" if found["full"] else "720p"),
    (
        "fps",
        rf"{NUMBER}\s*+-?\s*+(?:fps|frames\s+(?:a|per)\s+second|кадр[а-яё]*\s+в\s+секунду)",
        lambda found: round(_number(found)),
    ),
    (
        "seed",
        r"(?:seed|сид(?:ом)?|зерн[оа]м?)\s*+[:=#№]?\s*+(?P<seed>\d{1,10})",
        lambda found: int(found["seed"]),
    ),
)
"""Unambiguous: a setting at either end of the text."""

FRAMES: tuple[Rule, ...] = (
    (
        "aspect_ratio",
        r"vertical(?:ly)?|portrait|upright|tall|вертикальн[а-яё]+|портретн[а-яё]+",
        lambda _: "9:16",
    ),
    ("aspect_ratio", r"square|квадратн[а-яё]+|квадратом?", lambda _: "1:1"),
    (
        "aspect_ratio",
        r"horizontal(?:ly)?|landscape|wide(?:screen)?|горизонтальн[а-яё]+|широкоэкранн[а-яё]+|широк(?:ое|ий|ую)"
        r"|альбомн[а-яё]+",
        lambda _: "16:9",
    ),
)
"""Words that may belong to the prompt: settings only at its beginning, or at its end after a joint."""

FORMAT = (
    r"(?:\s++(?:format|frame|aspect\s+ratio|orientation|version|формат[а-яё]*|кадр[а-яё]*|верси[а-яё]+))?"
)
BEFORE = (
    r"(?:(?:for|in|at|of|on|about|lasting|with|a|an|the|length|duration|format|aspect\s+ratio|frame"
    r"|на|в|во|с|со|около|примерно|длиной|длительностью|продолжительностью|формате?|соотношение[мн]?|разрешени[а-яё]+)\s++){0,4}"
)
JOINT = r"(?:[,;.:()–—-]\s*+|\b(?:and|make\s++it|и|формат|format|in|в|во)\s++)"


_ENDS = r"[\s,;.(–—-]"
_FROM_THE_START = [
    (re.compile(rf"(?<!\w){BEFORE}(?:{rule[1]}){FORMAT}(?![\w'’])", re.I), rule) for rule in FIGURES + FRAMES
]
_FROM_THE_END = [
    (
        re.compile(
            rf"(?:(?<!{_ENDS}){_ENDS}++|^){BEFORE}(?:{rule[1]}){FORMAT}"
            r"(?:\s++(?:please|пожалуйста))?[\s.!)]*+$",
            re.I,
        ),
        rule,
    )
    for rule in FIGURES
] + [
    (re.compile(rf"(?<!\s)\s*+{JOINT}(?:(?:a|the)\s++)?(?:{rule[1]}){FORMAT}[\s.!)]*+$", re.I), rule)
    for rule in FRAMES
]
_SEPARATORS = re.compile(r"[\s,;]*+")
MAX_SETTINGS = 12
"""Taken from either end; the rest stays in the prompt."""
MAX_TAIL = 200
"""Characters at the end that are searched."""


def after_separators(text: str, at: int = 0) -> int:
    found = _SEPARATORS.match(text, at)
    return found.end() if found else at


def take_from_start(text: str, settings: RequestedSettings) -> str:
    """Moves one setting from the beginning of the text; returns the rest, or the same text."""
    at = after_separators(text)
    found = _take(_FROM_THE_START, lambda pattern: pattern.match(text, at), settings)
    return text[found.end() :] if found else text


def take_all_from_start(text: str, settings: RequestedSettings) -> str:
    for _ in range(MAX_SETTINGS):
        if (shorter := take_from_start(text, settings)) == text:
            break
        text = shorter
    return text


def take_from_end(text: str, settings: RequestedSettings) -> str:
    """Moves all settings from the end of the text; returns the rest."""
    for _ in range(MAX_SETTINGS):
        at = max(0, len(text) - MAX_TAIL)
        find = partial(_search, text, at)
        if (found := _take(_FROM_THE_END, find, settings)) is None:
            break
        text = text[: found.start()].rstrip(" ,;–—-(")
    return text


def _search(text: str, at: int, pattern: re.Pattern[str]) -> re.Match[str] | None:
    return pattern.search(text, at)


def _take(
    rules: list[tuple[re.Pattern[str], Rule]],
    find: Callable[[re.Pattern[str]], re.Match[str] | None],
    settings: RequestedSettings,
) -> re.Match[str] | None:
    for pattern, (name, _, value_of) in rules:
        if (found := find(pattern)) and (value := value_of(found)) is not None:
            setattr(settings, name, value)
            return found
    return None
