"""The reader: what a message asks for, by rules alone. Pure functions; English and Russian, mixed too."""

from services.chat.reading.reader import read
from services.chat.reading.wishes import Change, Reading, Unclear, Wish

__all__ = ["Change", "Reading", "Unclear", "Wish", "read"]
