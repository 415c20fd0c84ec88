"""Parses one message: an intent, or the reason why it is unclear."""

from __future__ import annotations

import re

from services.chat.parser.changes import change
from services.chat.parser.intents import Reading, Unclear
from services.chat.parser.requests import command, request

HELLO = re.compile(
    r"(?:hi|hello|hey|good (?:morning|day|evening)|привет|здравствуй(?:те)?|добр(?:ый|ое|ой) (?:день"
    r"|утро|вечер|ночи)|хай)"
    r"(?:[\s,]+(?:there|rushes|you|всем))?[\s.!]*$",
    re.I,
)
THANKS = re.compile(
    r"(?:thanks?|thank you|thx|cool|great|nice|perfect|good|ok(?:ay)?|спасибо|круто|отлично|супер|класс"
    r"|хорошо|ок|благодарю)"
    r"(?:[\s,]+(?:a lot|very much|you|so much|большое|огромное))?[\s.!]*$",
    re.I,
)
HELP = re.compile(
    r"(?:help|what can you do|what do you do|how does (?:this|it) work|how do (?:i|you) .{0,40}"
    r"|помощь|помоги(?:те)?|что (?:ты )?(?:умеешь|можешь)(?: делать)?|как (?:это|тут) (?:работает"
    r"|всё устроено))[\s.?!]*$",
    re.I,
)
FEWEST_WORDS = 2


def read(text: str, *, follows: bool) -> Reading:
    """`follows`: the conversation has an artifact that the message may point back to."""
    text = text.strip()
    for code, pattern in (("hello", HELLO), ("thanks", THANKS), ("help", HELP)):
        if pattern.match(text):
            return Unclear(code=code)
    if (asked := command(text)) is not None:
        return asked
    if (changed := change(text, rest_allowed=False)) is not None:
        return changed
    wish = request(text)
    if wish is not None and not isinstance(wish, Unclear):
        return wish
    if follows and (changed := change(text, rest_allowed=True)) is not None:
        return changed
    return wish or _not_clear(text)


def _not_clear(text: str) -> Unclear:
    """A description without a word for what it is to be is asked about; anything else is not understood."""
    described = len(text.split()) >= FEWEST_WORDS and "?" not in text and re.search(r"[^\W\d_]{3}", text)
    return Unclear(code="which", values={"prompt": text}) if described else Unclear(code="unclear")
