"""Parses one message into an intent, a change, or the reason why there is none."""

import re

from services.chat.parser.changes import parse_change
from services.chat.parser.intents import Intent, NoIntent, ParseResult
from services.chat.parser.requests import parse_command, parse_request
from services.chat.parser.thanks import is_thanks, without_thanks

GREETING = (
    r"(?:hi|hello|hey|good (?:morning|day|evening)|привет|здравствуй(?:те)?|добр(?:ый|ое|ой) (?:день"
    r"|утро|вечер|ночи)|хай)(?:[\s,]+(?:there|rushes|you|всем))?"
)
HELLO = re.compile(GREETING + r"[\s.!]*$", re.I)
HELP = re.compile(
    rf"(?:{GREETING}[\s,.!]+)?(?:(?:help|what can you do|what do you do|how does (?:this|it) work"
    r"|помощь|помоги(?:те)?|что (?:ты )?(?:умеешь|можешь)(?: делать)?|как (?:это|тут) (?:работает"
    r"|всё устроено))[\s.?!]*+$|how do (?:i|you) .{0,60}$)",
    re.I,
)
MIN_WORDS = 2


def parse(text: str, *, follows: bool) -> ParseResult:
    """`follows`: the conversation has an artifact that the message may refer to."""
    text = text.strip()
    for code, pattern in (("hello", HELLO), ("help", HELP)):
        if pattern.match(text):
            return NoIntent(code=code)
    if is_thanks(text):
        return NoIntent(code="thanks")
    text = without_thanks(text)
    if found := parse_command(text) or parse_change(text, rest_allowed=False):
        return found
    intent = parse_request(text)
    if follows and not isinstance(intent, Intent) and (change := parse_change(text, rest_allowed=True)):
        return change
    return intent or _no_intent(text)


def _no_intent(text: str) -> NoIntent:
    """`which` for a description that names neither video nor image, else `unclear`."""
    described = len(text.split()) >= MIN_WORDS and "?" not in text and re.search(r"[^\W\d_]{3}", text)
    return NoIntent(code="which", values={"prompt": text}) if described else NoIntent(code="unclear")
