"""Checks of single fields: return the request's value, or raise a sentence that names the field."""

import math
import unicodedata
from collections.abc import Iterable, Sequence

from services.core.errors import InvalidRequest, Words
from services.core.model import Model

LONGEST_TEXT = 10_000
LONGEST_WORD = 200
LARGEST_SEED = 2**32 - 1
LONGEST_FILM_S = 3600.0
LARGEST_FPS = 240
NAMED = 20
NAMES = {
    "prompt": Words("prompt"),
    "negative_prompt": Words("negative prompt"),
    "style": Words("style"),
    "shot_size": Words("shot size"),
    "aspect_ratio": Words("aspect ratio"),
    "resolution": Words("resolution"),
    "message": Words("message"),
    "title": Words("title"),
}


def a_text(name: str, text: str, longest: int) -> str:
    """Trimmed, its line ends made one kind: forms send CRLF."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    label = NAMES[name]
    if len(text) > longest:
        sentence = Words("The {name} has {count:,} characters: {most:,} at most.")
        raise InvalidRequest(sentence, field=name, name=label, count=len(text), most=longest)
    for each in text:
        # Cs: half of a surrogate pair, which no UTF-8 can carry
        if each not in "\n\t" and unicodedata.category(each) in ("Cc", "Cs"):
            sentence = Words("The {name} has a character that is no text (U+{code}): take it out.")
            raise InvalidRequest(sentence, field=name, name=label, code=f"{ord(each):04X}")
    return text


def a_seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        sentence = Words("The seed must be a whole number from 0 to {last}.")
        raise InvalidRequest(sentence, field="seed", last=str(LARGEST_SEED))
    return seed


def one_of(name: str, value: str | None, allowed: Sequence[str], *, default: str | None, model: Model) -> str:
    if value is None or not value.strip():
        return default if default is not None and default in allowed else allowed[0]
    wanted = value.strip().lower()
    if wanted not in allowed:
        sentence = Words("{model} has no such {name}. It has: {names}.")
        raise InvalidRequest(sentence, field=name, model=model.label, name=NAMES[name], names=listed(allowed))
    return wanted


def a_duration(value: float | None, model: Model) -> float | None:
    """None: the model decides. A model that lists no lengths is believed to take the one that is named."""
    lengths = model.durations_s
    if value is None:
        return _default(model.default_duration_s, lengths, free=model.any_duration)
    if not _is_number(value) or not 0 < value <= LONGEST_FILM_S:
        sentence = Words("The duration must be a number of seconds above 0, at most {most:g}.")
        raise InvalidRequest(sentence, field="duration", most=LONGEST_FILM_S)
    if lengths and not _is_allowed(value, lengths, free=model.any_duration):
        has = _range(lengths, free=model.any_duration)
        sentence = Words("{model} makes no {length:g} s. It makes: {lengths} s.")
        raise InvalidRequest(sentence, field="duration", model=model.label, length=value, lengths=has)
    return float(value)


def an_fps(value: int | None, model: Model) -> int | None:
    rates = model.fps
    if value is None:
        rate = _default(model.default_fps, rates, free=model.any_fps)
        return None if rate is None else int(rate)
    if not _is_number(value) or not 1 <= value <= LARGEST_FPS or value != int(value):
        raise InvalidRequest("The fps must be a whole number above 0.", field="fps")
    if rates and not _is_allowed(value, rates, free=model.any_fps):
        has = _range(rates, free=model.any_fps)
        sentence = Words("{model} makes no {rate} fps. It makes: {rates} fps.")
        raise InvalidRequest(sentence, field="fps", model=model.label, rate=value, rates=has)
    return int(value)


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _is_allowed(value: float, allowed: Sequence[float], *, free: bool) -> bool:
    return min(allowed) <= value <= max(allowed) if free else value in allowed


def _default(default: float | None, allowed: Sequence[float], *, free: bool) -> float | None:
    if not allowed:
        return default
    return default if default is not None and _is_allowed(default, allowed, free=free) else allowed[0]


def _range(allowed: Sequence[float], *, free: bool) -> str:
    if free:
        return f"{min(allowed):g}–{max(allowed):g}"
    return listed(f"{each:g}" for each in allowed)


def listed(words: Iterable[str]) -> str:
    names = list(words)
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "") or "none"
