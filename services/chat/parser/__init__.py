"""Parses requests in English and Russian by rules alone; pure functions, no I/O."""

from services.chat.parser.intents import Change, Intent, Reading, Unclear
from services.chat.parser.parse import read

__all__ = ["Change", "Intent", "Reading", "Unclear", "read"]
