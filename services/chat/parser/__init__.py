"""The reader: what a message asks for, by rules alone. Pure functions; English and Russian, mixed too."""

from services.chat.parser.intents import Change, Reading, Unclear, Wish
from services.chat.parser.parse import read

__all__ = ["Change", "Reading", "Unclear", "Wish", "read"]
