"""Conversations, the reader of requests, and the optional language model."""

from services.chat.chats import LONGEST_MESSAGE, Chats

__all__ = ["LONGEST_MESSAGE", "Chats"]
