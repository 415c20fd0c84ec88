"""Conversations in the database: each message, and each follow-up of a generation, is stored once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from services.core.conversation import Conversation, Message, Role, Sort
from services.core.errors import Conflict, NotFound
from services.core.model import Generation
from services.store.statements import IS_FINAL
from services.store.store import Store
from services.store.tables import chats as c
from services.store.tables import generations as g
from services.store.tables import messages as m


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    message: Message
    chat: Conversation
    is_new: bool
    """False for a message that was stored already."""


class ChatRows:
    def __init__(self, store: Store) -> None:
        self._store = store

    # -- conversations -----------------------------------------------------------------------

    async def chat(self, chat_id: str, *, owner: str) -> Conversation:
        """Raises NotFound, also for deleted conversations and those of others."""
        return await self._store.read(lambda connection: _chat(connection, chat_id, owner))

    async def chats(self, *, owner: str, limit: int) -> list[Conversation]:
        """The one with the newest message first."""
        query = sa.select(c).where(c.c.owner == owner, c.c.trashed_at.is_(None))
        rows = await self._store.rows(query.order_by(c.c.updated_at.desc(), c.c.id.desc()).limit(limit))
        return [_conversation(row) for row in rows]

    async def change(self, chat_id: str, *, owner: str, **changes: Any) -> Conversation:
        """Raises NotFound."""
        statement = sa.update(c).where(*_open(chat_id, owner)).values(**changes).returning(c)
        return await self._store.write(lambda connection: _one_chat(connection, statement))

    # -- messages ----------------------------------------------------------------------------

    async def post(self, message: Message, *, title: str | None) -> Posted:
        """Commits a person's message, once by its id. With a `title` a missing conversation is created.

        Raises NotFound without one, and Conflict when the id belongs to another message.
        """

        def work(connection: sa.Connection) -> Posted:
            row = connection.execute(sa.select(m).where(m.c.id == message.id)).mappings().one_or_none()
            if row is not None:
                known = _message(row)
                if (known.chat_id, known.owner, known.text) != (message.chat_id, message.owner, message.text):
                    raise Conflict("This message ID is already in use. Send a new one.")
                chat = _chat(connection, known.chat_id, message.owner)
                return Posted(message=known, chat=chat, is_new=False)
            if title is not None:
                new = {"id": message.chat_id, "owner": message.owner, "title": title}
                times = {"created_at": message.created_at, "updated_at": message.created_at}
                connection.execute(insert(c).values(**new, **times).on_conflict_do_nothing())
            touched = sa.update(c).where(*_open(message.chat_id, message.owner))
            chat = _one_chat(connection, touched.values(updated_at=message.created_at).returning(c))
            (stored,) = _add(connection, [message])
            return Posted(message=stored, chat=chat, is_new=True)

        return await self._store.write(work)

    async def store_plan(self, message_id: str, plan: dict[str, Any]) -> None:
        """The plan for a person's message, before any of it is carried out."""
        await self._store.execute(sa.update(m).where(m.c.id == message_id).values(understood=plan))

    async def add(self, messages: Sequence[Message]) -> list[Message]:
        """Commits those that are not stored yet, all at once, and returns them with their `seq`."""
        return await self._store.write(lambda connection: _add(connection, messages))

    async def messages(self, chat_id: str, *, before: int | None, limit: int) -> list[Message]:
        """The last ones (before a `seq`), oldest first."""
        query = sa.select(m).where(m.c.chat_id == chat_id, sa.true() if before is None else m.c.seq < before)
        rows = await self._store.rows(query.order_by(m.c.seq.desc()).limit(limit))
        return [_message(row) for row in reversed(rows)]

    async def unanswered(self) -> list[Message]:
        """A person's messages without a reply, oldest first."""
        reply = m.alias()
        query = (
            sa.select(m)
            .join(c, c.c.id == m.c.chat_id)
            .outerjoin(reply, reply.c.reply_to == m.c.id)
            .where(m.c.role == str(Role.PERSON), reply.c.id.is_(None), c.c.trashed_at.is_(None))
            .order_by(m.c.seq)
        )
        return [_message(row) for row in await self._store.rows(query)]

    # -- generations -------------------------------------------------------------------------

    async def artifacts(self, chat_id: str, *, before: int, limit: int) -> list[Generation]:
        """Started in the conversation before a `seq`, deleted ones included, newest first."""
        query = (
            sa.select(g)
            .join(m, m.c.generation_id == g.c.id)
            .where(m.c.chat_id == chat_id, m.c.sort == str(Sort.ARTIFACT), m.c.seq < before)
            .order_by(m.c.seq.desc())
            .limit(limit)
        )
        return await self._store.generations(query)

    async def generations(self, ids: Sequence[str]) -> dict[str, Generation]:
        """By id; deleted ones included while their row exists."""
        found = await self._store.generations(sa.select(g).where(g.c.id.in_(ids)))
        return {generation.id: generation for generation in found}

    async def unreported(self) -> list[Generation]:
        """Generations of conversations that lack their artifact, or are final and lack their result."""
        artifact, result = m.alias(), m.alias()
        query = (
            sa.select(g)
            .join(c, (c.c.id == g.c.chat_id) & (c.c.owner == g.c.owner))
            .outerjoin(artifact, (artifact.c.generation_id == g.c.id) & (artifact.c.sort == "artifact"))
            .outerjoin(result, (result.c.generation_id == g.c.id) & (result.c.sort == "result"))
            .where(artifact.c.id.is_(None) | (result.c.id.is_(None) & IS_FINAL))
            .order_by(g.c.id)
        )
        return await self._store.generations(query)


def _add(connection: sa.Connection, messages: Sequence[Message]) -> list[Message]:
    added = []
    for message in messages:
        row = {name: value for name, value in asdict(message).items() if name != "seq"}
        statement = insert(m).values(**row).on_conflict_do_nothing().returning(m.c.seq)
        seq = connection.execute(statement).scalar_one_or_none()
        if seq is not None:
            added.append(replace(message, seq=seq))
    return added


def _chat(connection: sa.Connection, chat_id: str, owner: str) -> Conversation:
    return _one_chat(connection, sa.select(c).where(*_open(chat_id, owner)))


def _one_chat(connection: sa.Connection, statement: sa.Executable) -> Conversation:
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise NotFound("Conversation not found.")
    return _conversation(row)


def _open(chat_id: str, owner: str) -> tuple[sa.ColumnElement[bool], ...]:
    return c.c.id == chat_id, c.c.owner == owner, c.c.trashed_at.is_(None)


def _conversation(row: sa.RowMapping) -> Conversation:
    return Conversation(**{column.key: row[column] for column in c.c})


def _message(row: sa.RowMapping) -> Message:
    return Message(**(dict(row) | {"role": Role(row["role"]), "sort": Sort(row["sort"])}))
