"""Search terms: how a prompt and typed words become comparable, in every script.

A prompt's tokens are its folded words. In scripts without spaces, and of emoji, each character and each pair
of neighbours is a token of its own ("abc" is "a ab b bc c"), so that a run is found anywhere, by its pairs.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise

MAX_TOKENS = 64
MAX_WORDS_LENGTH = 1000
"""Of a search; what follows is not compared."""

_SIMPLE = re.compile(r"[\x01-\x7fА-Яа-яЁё“”„‘’«»–—…]*")
_SIMPLE_WORD = re.compile(r"[^\W_]+")
_DROPPED = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"  # accents
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670"  # Hebrew and Arabic vowels
    "\xad\u200d\u2060\ufeff\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]"  # invisible
)
_SPELLED = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
)
"""Letters that Unicode does not take apart, as people type them without their keyboard."""
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u0f00-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u1b00-\u1b7f"
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u318f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\ua4cf\ua980-\ua9df\uaa00-\uaa5f\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
"""Thai, Lao, Tibetan, Burmese, Khmer, Tai, Balinese, Chinese, Japanese, Korean, Yi, Javanese, Cham."""
_SHORT_I, _MARKED = "й", "\ufdd0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Tokens that follow each other; the last one may be the beginning of a word that is being typed."""

    tokens: tuple[str, ...]
    is_prefix: bool = False


def index_text(prompt: str) -> str | None:
    """Tokens for the full-text index, with spaces between them; None where the database finds the same."""
    return None if _SIMPLE.fullmatch(prompt) else _tokens(prompt)


def phrases(words: str) -> list[Phrase]:
    """Typed words; all must be found, in any order."""
    folded = _fold(words[:MAX_WORDS_LENGTH])
    found: list[Phrase] = []
    room = MAX_TOKENS
    for run in _runs(folded):
        tokens = _run_tokens(run)
        tokens = tokens[_is_pair(run[:2]) : len(tokens) - (len(tokens) > 2 and _is_pair(run[-2:]))]
        is_typed = not run[-1].is_single and len(run[-1].text) > 1 and len(tokens) <= room
        found.append(Phrase(tokens=tuple(tokens[:room]), is_prefix=is_typed))
        room -= len(tokens)
        if room <= 0:
            break
    ended = not folded or _kind(folded[-1]) == _BREAK
    return [replace(each, is_prefix=each.is_prefix and each is found[-1] and not ended) for each in found]


def contains(prompt: str, words: str) -> bool:
    """Decides as the database does; a search without any word finds nothing."""
    wanted = phrases(words)
    present = f" {_tokens(prompt)} " if wanted else ""
    return bool(wanted) and all(
        f" {' '.join(each.tokens)}{'' if each.is_prefix else ' '}" in present for each in wanted
    )


_BREAK, _WORD, _SINGLE = range(3)


@lru_cache(maxsize=32)
def _tokens(text: str) -> str:
    """Cached: a running generation is compared with a page's filter at each progress."""
    if _SIMPLE.fullmatch(text):
        return " ".join(_SIMPLE_WORD.findall(text.casefold().replace("ё", "е")))
    return " ".join(token for run in _runs(_fold(text)) for token in _run_tokens(run))


def _fold(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold().translate(_SPELLED)
    plain = _DROPPED.sub("", unicodedata.normalize("NFD", text.replace(_SHORT_I, _MARKED)))
    return unicodedata.normalize("NFC", plain).replace(_MARKED, _SHORT_I)


@dataclass(frozen=True, slots=True)
class _Unit:
    """A word, or a single character of a script without spaces."""

    text: str
    is_single: bool


def _runs(folded: str) -> list[list[_Unit]]:
    """Stretches without a break between."""
    runs: list[list[_Unit]] = []
    for kind, found in groupby(folded, _kind):
        characters = "".join(map(_encoded, found))
        if kind == _BREAK:
            runs.append([])
        elif kind == _WORD:
            runs.append([*(runs.pop() if runs else []), _Unit(characters, False)])
        else:
            runs.append([*(runs.pop() if runs else []), *(_Unit(each, True) for each in characters)])
    return [run for run in runs if run]


def _run_tokens(run: list[_Unit]) -> list[str]:
    tokens = [run[0].text]
    for first, second in pairwise(run):
        if _is_pair([first, second]):
            tokens.append(first.text + second.text)
        tokens.append(second.text)
    return tokens


def _is_pair(units: list[_Unit]) -> bool:
    return len(units) == 2 and all(each.is_single for each in units)


@lru_cache(maxsize=4096)
def _kind(character: str) -> int:
    category = unicodedata.category(character)
    if category == "So" or (category == "Sk" and character > "\U0001f000"):
        return _SINGLE
    if category[0] not in "LMN":
        return _BREAK
    return _SINGLE if _SPACELESS.match(character) else _WORD


@lru_cache(maxsize=4096)
def _encoded(character: str) -> str:
    """In the private use area, as a letter to SQLite's tokenizer: it breaks words at marks and symbols."""
    if unicodedata.category(character)[0] in "MS" or character > "\uffff":
        return chr(0xF0000 + ord(character) % 0xFFFE)
    return character
