"""/api/chat and /api/chats: conversations for scripts. Replies are codes and values, not sentences."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from uuid6 import uuid7

from services.api import openapi, request_body, request_models
from services.api.errors import BadRequest
from services.api.request_context import Owner
from services.api.response_models import Done, ResponseModel, Timestamp
from services.chat import MAX_MESSAGE_CHARACTERS, Chats
from services.core.conversation import Role

MISSING = openapi.refusals({404: "No such conversation."})
REFUSALS = openapi.refusals(
    {409: "The id belongs to another message.", 422: "A value is not possible; `field` names it."}
)
Limit = Annotated[int, Query(ge=1, le=200, description="1-200")]
Seq = Annotated[int | None, Query(ge=0, lt=2**62)]
Text = Annotated[str, AfterValidator(request_models.plain_text), Field(max_length=1_000_000)]


class MessageBody(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    text: Annotated[Text, Field(description=f"At most {MAX_MESSAGE_CHARACTERS:,} characters.")]
    id: str | None = Field(None, description="A UUID: a message sent twice with the same id is stored once.")


async def _body(request: Request) -> MessageBody:
    body = await request_body.content(request)
    if isinstance(body, request_body.Form):
        raise BadRequest("Send JSON (application/json).", status=415)
    return request_models.read(MessageBody, body)


BODY = openapi.request_body({"application/json": MessageBody.model_json_schema()})
Body = Annotated[MessageBody, Depends(_body)]


class MessageAccepted(ResponseModel):
    success: bool = True
    chatId: str  # noqa: N815  as fileId
    messageId: str  # noqa: N815


def _studio_only(said: dict[str, Any] | None, message: ValidationInfo) -> dict[str, Any] | None:
    return said if message.data["role"] == Role.STUDIO else None


class MessageAnswer(ResponseModel):
    id: str
    seq: int
    """The value of `before` for the page of earlier messages."""
    role: str
    type: str = Field(validation_alias="sort")
    """words, artifact (a generation started in this conversation) or result (it is final)."""
    text: str
    fileId: str | None = Field(validation_alias="generation_id")  # noqa: N815
    replyTo: str | None = Field(validation_alias="reply_to")  # noqa: N815
    created_at: Timestamp
    said: Annotated[dict[str, Any] | None, AfterValidator(_studio_only)] = Field(
        validation_alias="understood"
    )
    """The reply's code and values."""


class ChatAnswer(ResponseModel):
    id: str
    title: str
    created_at: Timestamp
    updated_at: Timestamp


class ThreadAnswer(ChatAnswer):
    messages: list[MessageAnswer]


class ChatsAnswer(ResponseModel):
    items: list[ChatAnswer]


def router(chats: Chats) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["chat"])

    @routes.get("/chats")
    async def list_conversations(owner: Owner, limit: Limit = 50) -> ChatsAnswer:
        """The one with the newest message first."""
        found = await chats.conversations(limit=limit, owner=owner)
        return ChatsAnswer(items=[ChatAnswer.model_validate(each) for each in found])

    @routes.post("/chat", status_code=202, responses=REFUSALS, openapi_extra=BODY)
    async def start_conversation(owner: Owner, body: Body) -> MessageAccepted:
        """Start a conversation with its first message; the reply follows by itself."""
        message = await chats.post(str(uuid7()), body.text, message_id=body.id, begin=True, owner=owner)
        return MessageAccepted(chatId=message.chat_id, messageId=message.id)

    @routes.post(
        "/chat/{chat_id}/messages", status_code=202, responses=MISSING | REFUSALS, openapi_extra=BODY
    )
    async def send_message(owner: Owner, chat_id: str, body: Body) -> MessageAccepted:
        """Send a message to it; the reply follows by itself."""
        message = await chats.post(chat_id, body.text, message_id=body.id, owner=owner)
        return MessageAccepted(chatId=message.chat_id, messageId=message.id)

    @routes.get("/chat/{chat_id}", responses=MISSING)
    async def read_conversation(
        owner: Owner, chat_id: str, limit: Limit = 50, before: Seq = None
    ) -> ThreadAnswer:
        """The last messages, oldest first; with `before` the last ones before that `seq`."""
        chat = await chats.get(chat_id, owner=owner)
        messages = await chats.messages(chat_id, before=before, limit=limit, owner=owner)
        answers = [MessageAnswer.model_validate(each) for each in messages]
        return ThreadAnswer(**dict(ChatAnswer.model_validate(chat)), messages=answers)

    @routes.delete("/chat/{chat_id}", responses=MISSING)
    async def delete_conversation(owner: Owner, chat_id: str) -> Done:
        """Delete the conversation; its generations stay in the library."""
        await chats.delete(chat_id, owner=owner)
        return Done()

    return routes
