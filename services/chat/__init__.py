"""Conversations, the rule-based parser, the optional language model; generations start elsewhere."""

from services.chat.chats import LONGEST_MESSAGE, Chats

__all__ = ["LONGEST_MESSAGE", "Chats"]
