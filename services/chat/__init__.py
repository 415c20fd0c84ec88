"""Conversations, the rule-based parser, and the optional language model; starts generations only through `generations`."""

from services.chat.chats import LONGEST_MESSAGE, Chats

__all__ = ["LONGEST_MESSAGE", "Chats"]
