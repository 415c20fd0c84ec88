"""Extracts length, aspect ratio, resolution, frame rate and seed from either end of a text."""

import re
from collections.abc import Callable

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


Take = Callable[[re.Match[str], RequestedSettings], bool]
"""Stores the matched setting; false where the match is none."""
Rule = tuple[str, Take]


def number(text: str) -> float:
    return float(NUMBERS.get(text.lower(), text.replace(",", ".")))


def _ratio(found: re.Match[str]) -> str | None:
    ratio = f"{int(found['wide'])}:{int(found['high'])}"
    return ratio if ratio in RATIOS else None


def _resolution(found: re.Match[str]) -> str:
    lines = found["lines"].lower()
    return {"4k": "2160p", "2k": "1440p"}.get(lines, lines)


def _sets(name: str, value: Callable[[re.Match[str]], object]) -> Take:
    def take(found: re.Match[str], settings: RequestedSettings) -> bool:
        if (taken := value(found)) is not None:
            setattr(settings, name, taken)
        return taken is not None

    return take


FIGURES: tuple[Rule, ...] = (
    (
        rf"{NUMBER}\s*-?\s*{SECONDS}(?:\s+(?:long|длиной))?",
        _sets("duration_s", lambda found: number(found["number"])),
    ),
    (rf"{NUMBER}(?:-?ти)?\s*-?\s*секундн[а-яё]+", _sets("duration_s", lambda found: number(found["number"]))),
    (
        rf"{NUMBER}\s*-?\s*{MINUTES}(?:\s+(?:long|длиной))?",
        _sets("duration_s", lambda found: number(found["number"]) * 60),
    ),
    (r"half\s+a\s+minute|пол\s?-?минуты", _sets("duration_s", lambda _: 30.0)),
    (r"(?:a|one)[\s-]minute(?:\s+long)?|минуту|минутн[а-яё]+", _sets("duration_s", lambda _: 60.0)),
    (r"(?P<wide>\d{1,2})\s*[:xх×]\s*(?P<high>\d{1,2})(?![\d:])", _sets("aspect_ratio", _ratio)),
    (r"(?P<lines>(?:360|480|540|576|720|1080|1440|2160)p|[24]k)", _sets("resolution", _resolution)),
    (r"(?P<full>full[\s-]?)?hd", _sets("resolution", lambda found: "1080p" if found["full"] else "720p")),
    (
        rf"{NUMBER}\s*-?\s*(?:fps|frames\s+(?:a|per)\s+second|кадр[а-яё]*\s+в\s+секунду)",
        _sets("fps", lambda found: round(number(found["number"]))),
    ),
    (
        r"(?:seed|сид(?:ом)?|зерн[оа]м?)\s*[:=#№]?\s*(?P<seed>\d{1,10})",
        _sets("seed", lambda found: int(found["seed"])),
    ),
)
"""Unambiguous: a setting at either end of the text."""

FRAMES: tuple[Rule, ...] = (
    (
        r"vertical(?:ly)?|portrait|upright|tall|вертикальн[а-яё]+|портретн[а-яё]+",
        _sets("aspect_ratio", lambda _: "9:16"),
    ),
    (r"square|квадратн[а-яё]+|квадратом?", _sets("aspect_ratio", lambda _: "1:1")),
    (
        r"horizontal(?:ly)?|landscape|wide(?:screen)?|горизонтальн[а-яё]+|широкоэкранн[а-яё]+|широк(?:ое|ий|ую)"
        r"|альбомн[а-яё]+",
        _sets("aspect_ratio", lambda _: "16:9"),
    ),
)
"""Words that may belong to the prompt: a setting only after a joint at the end, or at the beginning."""

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


def take_from_start(text: str, settings: RequestedSettings) -> str:
    """Moves one setting from the beginning of the text; returns the rest, or the same text."""
    begin = START.match(text)
    at = begin.end() if begin else 0
    for pattern, take in _FROM_THE_START:
        found = pattern.match(text, at)
        if found and take(found, settings):
            return text[found.end() :]
    return text


def take_from_end(text: str, settings: RequestedSettings) -> str:
    """Moves all settings from the end of the text; returns the rest."""
    while True:
        for pattern, take in _FROM_THE_END:
            found = pattern.search(text)
            if found and take(found, settings):
                text = text[: found.start()].rstrip(" ,;–—-(")
                break
        else:
            return text
