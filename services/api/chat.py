"""/api/chat and /api/chats: conversations for scripts. Replies are codes and values, not sentences."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from uuid6 import uuid7

from services.api import request_body, request_models
from services.api.caller import Owner
from services.api.errors import BadRequest
from services.api.response_models import Done, Refusal, ResponseModel, iso
from services.chat import LONGEST_MESSAGE, Chats
from services.core.conversation import Conversation, Message, Role

MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Refusal, "description": "No such conversation."}}
REFUSALS: dict[int | str, dict[str, Any]] = {
    409: {"model": Refusal, "description": "The id belongs to another message."},
    422: {"model": Refusal, "description": "A value is not possible; `field` names it."},
}
Limit = Annotated[int, Query(ge=1, le=200, description="1-200")]
Text = Annotated[str, AfterValidator(request_models.plain_text), Field(max_length=1_000_000)]


class MessageBody(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: Annotated[Text, Field(description=f"At most {LONGEST_MESSAGE:,} characters.")]
    id: Annotated[
        str | None, Field(description="A UUID: a message sent twice with the same id is stored once.")
    ] = None


class MessageAccepted(ResponseModel):
    success: bool = True
    chatId: str  # noqa: N815  as fileId
    messageId: str  # noqa: N815


class MessageAnswer(ResponseModel):
    id: str
    seq: int
    """The value of `before` for the page of earlier messages."""
    role: str
    type: str
    """words, artifact (a generation started in this conversation) or result (it is final)."""
    text: str
    fileId: str | None  # noqa: N815
    replyTo: str | None  # noqa: N815
    created_at: str
    said: dict[str, Any] | None
    """The reply's code and values."""


class ChatAnswer(ResponseModel):
    id: str
    title: str
    created_at: str
    updated_at: str


class ThreadAnswer(ChatAnswer):
    messages: list[MessageAnswer]


class ChatsAnswer(ResponseModel):
    items: list[ChatAnswer]


def router(chats: Chats) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["chat"])

    @routes.get("/chats")
    async def conversations(owner: Owner, limit: Limit = 50) -> ChatsAnswer:
        """The one with the newest message first."""
        found = await chats.conversations(limit=limit, owner=owner)
        return ChatsAnswer(items=[ChatAnswer(**_head(each)) for each in found])

    @routes.post("/chat", status_code=202, responses=REFUSALS, openapi_extra=_DOCUMENTED)
    async def begin(owner: Owner, request: Request) -> MessageAccepted:
        """Begin a conversation with its first message; the reply follows by itself."""
        body = await _body(request)
        message = await chats.say(str(uuid7()), body.text, message_id=body.id, begin=True, owner=owner)
        return MessageAccepted(chatId=message.chat_id, messageId=message.id)

    @routes.post(
        "/chat/{chat_id}/messages",
        status_code=202,
        responses=MISSING | REFUSALS,
        openapi_extra=_DOCUMENTED,
    )
    async def say(owner: Owner, chat_id: str, request: Request) -> MessageAccepted:
        """Send a message to it; the reply follows by itself."""
        body = await _body(request)
        message = await chats.say(chat_id, body.text, message_id=body.id, owner=owner)
        return MessageAccepted(chatId=message.chat_id, messageId=message.id)

    @routes.get("/chat/{chat_id}", responses=MISSING)
    async def thread(
        owner: Owner,
        chat_id: str,
        limit: Limit = 50,
        before: Annotated[int | None, Query(ge=0, lt=2**62)] = None,
    ) -> ThreadAnswer:
        """The last messages, oldest first; with `before` the last ones before that `seq`."""
        chat = await chats.get(chat_id, owner=owner)
        messages = await chats.messages(chat_id, before=before, limit=limit, owner=owner)
        return ThreadAnswer(**_head(chat), messages=[_message(each) for each in messages])

    @routes.delete("/chat/{chat_id}", responses=MISSING)
    async def delete(owner: Owner, chat_id: str) -> Done:
        """Delete the conversation; its generations stay in the library."""
        await chats.delete(chat_id, owner=owner)
        return Done()

    return routes


async def _body(request: Request) -> MessageBody:
    body = await request_body.content(request)
    if isinstance(body, request_body.Form):
        raise BadRequest("Send JSON (application/json).", status=415)
    return request_models.read(MessageBody, body)


def _head(chat: Conversation) -> dict[str, str]:
    return {
        "id": chat.id,
        "title": chat.title,
        "created_at": iso(chat.created_at),
        "updated_at": iso(chat.updated_at),
    }


def _message(message: Message) -> MessageAnswer:
    return MessageAnswer(
        id=message.id,
        seq=message.seq,
        role=message.role,
        type=message.sort,
        text=message.text,
        fileId=message.generation_id,
        replyTo=message.reply_to,
        created_at=iso(message.created_at),
        said=message.understood if message.role is Role.STUDIO else None,
    )


_DOCUMENTED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": MessageBody.model_json_schema()}},
    }
}
