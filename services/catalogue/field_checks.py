"""Checks of single fields: each returns the request's value, or raises InvalidRequest with its field."""

import math
import unicodedata
from collections.abc import Iterable, Sequence

from services.core.errors import InvalidRequest, Words
from services.core.model import Model

MAX_TEXT_LENGTH = 10_000
MAX_STYLE_LENGTH = 200
MAX_SEED = 2**32 - 1
MAX_DURATION_S = 3600.0
MAX_FPS = 240
MAX_NAMES = 20
HALF = "\uffff"
"""No character: what a page sends for half a surrogate pair."""
LABELS = {
    "prompt": Words("prompt"),
    "negative_prompt": Words("negative prompt"),
    "style": Words("style"),
    "shot_size": Words("shot size"),
    "aspect_ratio": Words("aspect ratio"),
    "resolution": Words("resolution"),
    "message": Words("message"),
    "title": Words("title"),
    "tag": Words("tag"),
}


def check_text(name: str, text: str, max_length: int = MAX_TEXT_LENGTH) -> str:
    """Trims it, and normalises its line ends: forms send CRLF."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(text) > max_length:
        sentence = Words("The {name} has {count:,} characters; the limit is {most:,}.")
        raise InvalidRequest(sentence, field=name, name=LABELS[name], count=len(text), most=max_length)
    for each in text:
        # Cs: half of a surrogate pair, which UTF-8 cannot encode; a page sends U+FFFF in its place
        if each not in "\n\t" and (each == HALF or unicodedata.category(each) in ("Cc", "Cs")):
            sentence = Words("The {name} contains an invalid character (U+{code}). Remove it.")
            raise InvalidRequest(sentence, field=name, name=LABELS[name], code=f"{ord(each):04X}")
    return text


def check_seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
        sentence = Words("The seed must be a whole number from 0 to {last}.")
        raise InvalidRequest(sentence, field="seed", last=str(MAX_SEED))
    return seed


def check_choice(
    name: str, value: str | None, allowed: Sequence[str], model: Model, *, default: str | None = None
) -> str:
    if value is None or not value.strip():
        return default if default is not None and default in allowed else allowed[0]
    wanted = value.strip().lower()
    if wanted not in allowed:
        sentence, names = (
            Words("{model} does not support this {name}. Available: {names}."),
            join_names(allowed),
        )
        raise InvalidRequest(sentence, field=name, model=model.label, name=LABELS[name], names=names)
    return wanted


def check_duration(value: float | None, model: Model) -> float | None:
    """None lets the model decide. A model that lists no lengths accepts any."""
    lengths = model.durations_s
    if value is None:
        return _default(model.default_duration_s, lengths, free=model.any_duration)
    if not _is_number(value) or not 0 < value <= MAX_DURATION_S:
        sentence = Words("The duration must be more than 0 and at most {most:g} seconds.")
        raise InvalidRequest(sentence, field="duration", most=MAX_DURATION_S)
    if lengths and not _is_allowed(value, lengths, free=model.any_duration):
        has = _format(lengths, free=model.any_duration)
        sentence = Words("{model} does not support {length:g} s. Available: {lengths} s.")
        raise InvalidRequest(sentence, field="duration", model=model.label, length=value, lengths=has)
    return float(value)


def check_fps(value: int | None, model: Model) -> int | None:
    rates = model.fps
    if value is None:
        rate = _default(model.default_fps, rates, free=model.any_fps)
        return None if rate is None else int(rate)
    if not _is_number(value) or not 1 <= value <= MAX_FPS or value != int(value):
        raise InvalidRequest("The frame rate must be a whole number above 0.", field="fps")
    if rates and not _is_allowed(value, rates, free=model.any_fps):
        has = _format(rates, free=model.any_fps)
        sentence = Words("{model} does not support {rate} fps. Available: {rates} fps.")
        raise InvalidRequest(sentence, field="fps", model=model.label, rate=value, rates=has)
    return int(value)


def _is_number(value: object) -> bool:
    """Finite; `math.isfinite` raises for an int beyond the range of float."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


def _is_allowed(value: float, allowed: Sequence[float], *, free: bool) -> bool:
    return min(allowed) <= value <= max(allowed) if free else value in allowed


def _default(default: float | None, allowed: Sequence[float], *, free: bool) -> float | None:
    is_valid = not allowed or (default is not None and _is_allowed(default, allowed, free=free))
    return default if is_valid else allowed[0]


def _format(allowed: Sequence[float], *, free: bool) -> str:
    if free:
        return f"{min(allowed):g}–{max(allowed):g}"
    return join_names(f"{each:g}" for each in allowed)


def join_names(words: Iterable[str]) -> str:
    names = list(words)
    return ", ".join(names[:MAX_NAMES]) + (" …" if len(names) > MAX_NAMES else "") or "none"
