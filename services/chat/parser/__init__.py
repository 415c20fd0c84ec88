"""The reader: what a message asks for, by rules alone. Pure functions; English and Russian, mixed too."""

from services.chat.parser.intents import Change, Intent, Reading, Unclear
from services.chat.parser.parse import read

__all__ = ["Change", "Intent", "Reading", "Unclear", "read"]
