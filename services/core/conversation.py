"""Values of a conversation. Times are Unix seconds."""

import enum
from dataclasses import dataclass
from typing import Any


class Role(enum.StrEnum):
    PERSON = "person"
    STUDIO = "studio"


class Sort(enum.StrEnum):
    WORDS = "words"  # a text
    ARTIFACT = "artifact"  # a generation that was started in this conversation
    RESULT = "result"  # the end of an artifact's generation; one for each, once it is final


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    id: str
    owner: str
    title: str
    """As a person set it, else the beginning of the first message."""
    created_at: float
    updated_at: float
    """The time of the last message from the person."""
    trashed_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Artifacts and results name their generation, replies the message that they answer."""

    id: str
    chat_id: str
    owner: str
    role: Role
    sort: Sort
    created_at: float
    seq: int = 0
    """Orders a conversation; grows with each stored message."""
    text: str = ""
    """Plain text, by the person or by a language model."""
    understood: dict[str, Any] | None = None
    """Codes and values: of a person's message its plan, of a reply its content."""
    generation_id: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialReply:
    """The text of a reply so far; the whole message follows, or none where the model fails."""

    chat_id: str
    owner: str
    reply_to: str
    text: str


ChatEvent = Conversation | Message | PartialReply
