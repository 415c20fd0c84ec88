"""Conversations, the rule-based parser, the optional language model; generations start elsewhere."""

from services.chat.chats import MAX_MESSAGE_CHARACTERS, Chats

__all__ = ["MAX_MESSAGE_CHARACTERS", "Chats"]
