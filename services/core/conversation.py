"""Values of a conversation. Times are Unix seconds."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class Role(enum.StrEnum):
    PERSON = "person"
    STUDIO = "studio"


class Sort(enum.StrEnum):
    WORDS = "words"  # what somebody says
    ARTIFACT = "artifact"  # a generation that was started here
    RESULT = "result"  # what became of it; one for each artifact, once it is final


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    id: str
    owner: str
    title: str
    """Given by a person, else the beginning of the first message."""
    created_at: float
    updated_at: float
    """When something was last said in it."""
    trashed_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing in a conversation. Artifacts and results name their generation; replies what they answer."""

    id: str
    chat_id: str
    owner: str
    role: Role
    sort: Sort
    created_at: float
    seq: int = 0
    """Grows with each message that is written down; the order of a conversation."""
    text: str = ""
    """A person's words, or those of a language model: plain text."""
    understood: dict[str, Any] | None = None
    """As codes and values: of a person's message what is to be done, of a reply what it says."""
    generation_id: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialReply:
    """The text of a reply so far; the message follows, or nothing when it was withdrawn."""

    chat_id: str
    owner: str
    reply_to: str
    text: str


ChatNews = Conversation | Message | PartialReply
