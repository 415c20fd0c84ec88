"""Length, aspect ratio, resolution, rate, seed and model as people write them, at either end of a text."""

from __future__ import annotations

import re
from collections.abc import Callable

from services.chat.parser.intents import Settings

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


def number(text: str) -> float:
    return float(NUMBERS.get(text.lower(), text.replace(",", ".")))


def _length(found: re.Match[str], settings: Settings) -> bool:
    settings.duration_s = number(found["number"])
    return True


def _minutes(found: re.Match[str], settings: Settings) -> bool:
    settings.duration_s = number(found["number"]) * 60
    return True


def _half_a_minute(_: re.Match[str], settings: Settings) -> bool:
    settings.duration_s = 30.0
    return True


def _a_minute(_: re.Match[str], settings: Settings) -> bool:
    settings.duration_s = 60.0
    return True


def _ratio(found: re.Match[str], settings: Settings) -> bool:
    ratio = f"{int(found['wide'])}:{int(found['high'])}"
    if ratio not in RATIOS:
        return False
    settings.aspect_ratio = ratio
    return True


def _resolution(found: re.Match[str], settings: Settings) -> bool:
    lines = found["lines"].lower()
    settings.resolution = {"4k": "2160p", "2k": "1440p"}.get(lines, lines)
    return True


def _hd(found: re.Match[str], settings: Settings) -> bool:
    settings.resolution = "1080p" if found["full"] else "720p"
    return True


def _fps(found: re.Match[str], settings: Settings) -> bool:
    settings.fps = round(number(found["number"]))
    return True


def _seed(found: re.Match[str], settings: Settings) -> bool:
    settings.seed = int(found["seed"])
    return True


def _frame(ratio: str) -> Callable[[re.Match[str], Settings], bool]:
    def take(_: re.Match[str], settings: Settings) -> bool:
        settings.aspect_ratio = ratio
        return True

    return take


Rule = tuple[str, Callable[[re.Match[str], Settings], bool]]

FIGURES: tuple[Rule, ...] = (
    (rf"{NUMBER}\s*-?\s*{SECONDS}(?:\s+(?:long|длиной))?", _length),
    (rf"{NUMBER}(?:-?ти)?\s*-?\s*секундн[а-яё]+", _length),
    (rf"{NUMBER}\s*-?\s*{MINUTES}(?:\s+(?:long|длиной))?", _minutes),
    (r"half\s+a\s+minute|пол\s?-?минуты", _half_a_minute),
    (r"(?:a|one)[\s-]minute(?:\s+long)?|минуту|минутн[а-яё]+", _a_minute),
    (r"(?P<wide>\d{1,2})\s*[:xх×]\s*(?P<high>\d{1,2})(?![\d:])", _ratio),
    (r"(?P<lines>(?:360|480|540|576|720|1080|1440|2160)p|[24]k)", _resolution),
    (r"(?P<full>full[\s-]?)?hd", _hd),
    (rf"{NUMBER}\s*-?\s*(?:fps|frames\s+(?:a|per)\s+second|кадр[а-яё]*\s+в\s+секунду)", _fps),
    (r"(?:seed|сид(?:ом)?|зерн[оа]м?)\s*[:=#№]?\s*(?P<seed>\d{1,10})", _seed),
)
"""So plain that they are a setting wherever they stand."""

FRAMES: tuple[Rule, ...] = (
    (r"vertical(?:ly)?|portrait|upright|tall|вертикальн[а-яё]+|портретн[а-яё]+", _frame("9:16")),
    (r"square|квадратн[а-яё]+|квадратом?", _frame("1:1")),
    (
        r"horizontal(?:ly)?|landscape|wide(?:screen)?|горизонтальн[а-яё]+|широкоэкранн[а-яё]+|широк(?:ое|ий|ую)"
        r"|альбомн[а-яё]+",
        _frame("16:9"),
    ),
)
"""Words that a prompt may hold as well: a setting only where nothing else can be meant."""

FORMAT = r"(?:\s+(?:format|frame|aspect\s+ratio|orientation|version|формат[а-яё]*|кадр[а-яё]*|верси[а-яё]+))?"
BEFORE = (
    r"(?:(?:for|in|at|of|on|about|lasting|with|a|an|the|length|duration|format|aspect\s+ratio|frame"
    r"|на|в|во|с|со|около|примерно|длиной|длительностью|продолжительностью|формате?|соотношение[мн]?|разрешени[а-яё]+)\s+)*"
)
START = re.compile(r"[\s,;]*")
JOINT = r"(?:[,;.:()–—-]\s*|\b(?:and|make\s+it|и|формат|format|in|в|во)\s+)"


def _compiled(rules: tuple[Rule, ...], pattern: str) -> list[tuple[re.Pattern[str], Callable[..., bool]]]:
    return [(re.compile(pattern.replace("RULE", rule), re.I), take) for rule, take in rules]


_FROM_THE_START = _compiled(FIGURES + FRAMES, rf"{BEFORE}(?:RULE){FORMAT}(?![\w'’])")
_FROM_THE_END = [
    *_compiled(FIGURES, rf"(?:[\s,;.(–—-]+|^){BEFORE}(?:RULE){FORMAT}(?:\s+please|\s+пожалуйста)?[\s.!)]*$"),
    *_compiled(FRAMES, rf"(?:\s*{JOINT})(?:a\s+|the\s+)?(?:RULE){FORMAT}[\s.!)]*$"),
]


def take_from_start(text: str, settings: Settings) -> str:
    """One setting off the beginning of the text, if it begins with one; the rest of it."""
    begin = START.match(text)
    at = begin.end() if begin else 0
    for pattern, take in _FROM_THE_START:
        found = pattern.match(text, at)
        if found and take(found, settings):
            return text[found.end() :]
    return text


def take_from_end(text: str, settings: Settings) -> str:
    """All settings off the end of the text; the rest of it."""
    while True:
        for pattern, take in _FROM_THE_END:
            found = pattern.search(text)
            if found and take(found, settings):
                text = text[: found.start()].rstrip(" ,;–—-(")
                break
        else:
            return text
