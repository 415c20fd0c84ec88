"""Formats durations, sizes and prices in the page's language. All `_s` are seconds."""

import math
from datetime import datetime
from functools import cache

from babel.dates import format_skeleton
from babel.numbers import NumberPattern, parse_pattern

from services.core.ordinal import Ordinal
from ui.text import _, ngettext
from ui.text.languages import ENGLISH, language


def number(value: float, places: int | None = None) -> str:
    """Formats a number: 6.4 or 6,4. `places` None keeps up to 3 decimals."""
    return str(_pattern(places).apply(value, language()))


@cache
def _pattern(places: int | None) -> NumberPattern:
    """Cached: parsing is two thirds of the cost of formatting."""
    return parse_pattern("#,##0.###" if places is None else "#,##0." + "0" * places)


def ordinal(place: int) -> str:
    """Formats a place in a line: 3rd."""
    return str(Ordinal(place)) if language() == ENGLISH else _("{number}th").format(number=place)


def exactly(length_s: float) -> str:
    """For receipts: 0.08 s, 6.4 s, 2 min 5 s."""
    length_s = max(0.0, length_s)
    if length_s < 1:
        return _("{figure} s").format(figure=number(length_s, 2))
    if length_s < 60:
        return _("{figure} s").format(figure=number(length_s, 1))
    minutes, seconds = divmod(round(length_s), 60)
    if minutes < 60 and seconds == 0:
        return _("{minutes} min").format(minutes=minutes)
    if minutes < 60:
        return _("{minutes} min {seconds} s").format(minutes=minutes, seconds=seconds)
    return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)


def roughly(length_s: float) -> str:
    """For estimates: about 2 s, about 40 s, about 2 min."""
    if length_s < 50:
        step = 1 if length_s < 10 else 5
        return _("about {figure} s").format(figure=max(1, round(length_s / step) * step))
    if length_s < 5400:
        return _("about {figure} min").format(figure=max(1, round(length_s / 60)))
    return _("about {figure} h").format(figure=max(1, round(length_s / 3600)))


def figure(length_s: float) -> str:
    """Formats the duration for the "taking longer" toast, in English: 45 seconds, 1 minute, 3 minutes."""
    count, unit = _in_words(length_s)
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def longer_than(length_s: float) -> str:
    """Returns the "taking longer" message as a lasting sentence, in the page's language."""
    count, unit = _in_words(length_s)
    if unit == "minute":
        sentence = ngettext(
            "Taking longer than {count} minute. You can leave, it will arrive here.",
            "Taking longer than {count} minutes. You can leave, it will arrive here.",
            count,
        )
    else:
        sentence = ngettext(
            "Taking longer than {count} second. You can leave, it will arrive here.",
            "Taking longer than {count} seconds. You can leave, it will arrive here.",
            count,
        )
    return sentence.format(count=count)


def _in_words(length_s: float) -> tuple[int, str]:
    whole_minutes = length_s % 60 == 0 and length_s > 0
    return (round(length_s / 60), "minute") if whole_minutes else (round(length_s), "second")


def clock(length_s: float) -> str:
    """0:05, 4:12, 1:02:03."""
    total = max(0, round(length_s))
    hours, minutes, seconds = total // 3600, total // 60 % 60, total % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def clock_up(length_s: float) -> str:
    """Like `clock`, rounded up to whole seconds."""
    return clock(math.ceil(length_s))


def day(at: float) -> str:
    """20 Nov, in the server's time zone."""
    return str(format_skeleton("MMMd", datetime.fromtimestamp(at), locale=language()))  # noqa: DTZ006


def hour(at: float) -> str:
    """14:00, in the server's time zone."""
    return f"{datetime.fromtimestamp(at):%H:%M}"  # noqa: DTZ006


def percent(share: float) -> str:
    """Formats a share of 0.0-1.0; shares close to 0 or 1 get a decimal."""
    places = 1 if 0 < share < 0.1 or 0.9 < share < 1 else 0
    return _("{percent} %").format(percent=number(share * 100, places))


def length(length_s: float) -> str:
    return _("{figure} s").format(figure=number(length_s))


def price(per_second: float | None) -> str:
    """Returns an empty string if the price is unknown."""
    if per_second is None:
        return ""
    if per_second == 0:
        return _("free")
    return _("${figure} a second").format(figure=number(per_second))


def size(size_bytes: float) -> str:
    """412 kB, 3.1 MB, 12.4 GB: decimal units."""
    if size_bytes < 1_000_000:
        return _("{figure} kB").format(figure=number(round(size_bytes / 1000)))
    if size_bytes < 1_000_000_000:
        return _("{figure} MB").format(figure=number(size_bytes / 1_000_000, 1))
    if size_bytes < 1_000_000_000_000:
        return _("{figure} GB").format(figure=number(size_bytes / 1_000_000_000, 1))
    return _("{figure} TB").format(figure=number(size_bytes / 1_000_000_000_000, 1))


def runs(count: int) -> str:
    return ngettext("from {count} run here", "from {count} runs here", count).format(count=count)
