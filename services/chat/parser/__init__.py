"""Parses requests in English and Russian by rules alone; pure functions, no I/O."""

from services.chat.parser.intents import Change, Intent, NoIntent, ParseResult
from services.chat.parser.language import language_of
from services.chat.parser.parse import parse

__all__ = ["Change", "Intent", "NoIntent", "ParseResult", "language_of", "parse"]
