"""Conversations in the database: a message is written once, and so is what follows from a generation."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects.sqlite import insert

from services.core.conversation import Conversation, Message, Role, Sort
from services.core.errors import Conflict, NotFound
from services.core.model import FINAL, Generation
from services.store.rows import from_row
from services.store.store import Store
from services.store.tables import chats as c
from services.store.tables import generations as g
from services.store.tables import messages as m

_FINAL = [str(phase) for phase in FINAL]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`fresh` is false for a message that was known already."""

    message: Message
    chat: Conversation
    fresh: bool


class ChatRows:
    def __init__(self, store: Store) -> None:
        self._store = store

    # -- conversations -----------------------------------------------------------------------

    async def chat(self, chat_id: str, *, owner: str) -> Conversation:
        """Raises NotFound, also for what is deleted or somebody else's."""
        return await self._store.read(lambda connection: _chat(connection, chat_id, owner))

    async def chats(self, *, owner: str, limit: int) -> list[Conversation]:
        """The one that was last spoken in first."""
        query = select(c).where(c.c.owner == owner, c.c.trashed_at.is_(None))
        query = query.order_by(c.c.updated_at.desc(), c.c.id.desc()).limit(limit)
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return [_conversation(row) for row in rows]

    async def change(self, chat_id: str, *, owner: str, **changes: Any) -> Conversation:
        """Raises NotFound."""
        statement = update(c).where(*_open(chat_id, owner)).values(**changes).returning(c)
        row = await self._store.write(
            lambda connection: connection.execute(statement).mappings().one_or_none()
        )
        if row is None:
            raise NotFound("There is no such conversation here.")
        return _conversation(row)

    # -- what is said ------------------------------------------------------------------------

    async def say(self, message: Message, *, title: str | None) -> Said:
        """Commit a person's message, once by its id. With a `title` a conversation that is not there begins.

        Raises NotFound without one, and Conflict when the id belongs to another message.
        """

        def work(connection: Connection) -> Said:
            if known := _message(connection, message.id):
                if (known.chat_id, known.owner, known.text) != (message.chat_id, message.owner, message.text):
                    raise Conflict("This message's id belongs to another message. Send a new id.")
                return Said(message=known, chat=_chat(connection, known.chat_id, message.owner), fresh=False)
            if title is not None:
                begun = {"id": message.chat_id, "owner": message.owner, "title": title}
                times = {"created_at": message.created_at, "updated_at": message.created_at}
                connection.execute(insert(c).values(**begun, **times).on_conflict_do_nothing())
            moved = update(c).where(*_open(message.chat_id, message.owner))
            connection.execute(moved.values(updated_at=message.created_at))
            chat = _chat(connection, message.chat_id, message.owner)
            (kept,) = _add(connection, [message])
            return Said(message=kept, chat=chat, fresh=True)

        return await self._store.write(work)

    async def understand(self, message_id: str, understood: dict[str, Any]) -> None:
        """What is to be done about a person's message, before any of it is done."""
        statement = update(m).where(m.c.id == message_id).values(understood=understood)
        await self._store.write(lambda connection: connection.execute(statement) and None)

    async def add(self, messages: Sequence[Message]) -> list[Message]:
        """Commit what is not there yet, all at once; only what was added, with its place."""
        return await self._store.write(lambda connection: _add(connection, messages))

    # -- what is asked -----------------------------------------------------------------------

    async def messages(self, chat_id: str, *, before: int | None, limit: int) -> list[Message]:
        """The last ones (before a place), in their order."""
        query = select(m).where(m.c.chat_id == chat_id)
        if before is not None:
            query = query.where(m.c.seq < before)
        rows = await self._messages(query.order_by(m.c.seq.desc()).limit(limit))
        return rows[::-1]

    async def artifacts(self, chat_id: str, *, before: int, limit: int) -> list[Generation]:
        """Those that were started in it before a place, deleted ones too, newest first."""
        query = (
            select(g)
            .join(m, m.c.generation_id == g.c.id)
            .where(m.c.chat_id == chat_id, m.c.sort == str(Sort.ARTIFACT), m.c.seq < before)
            .order_by(m.c.seq.desc())
            .limit(limit)
        )
        return await self._generations(query)

    async def generations(self, ids: Sequence[str]) -> dict[str, Generation]:
        """By their id; those that are deleted too, as far as a row is left."""
        found = await self._generations(select(g).where(g.c.id.in_(ids)))
        return {generation.id: generation for generation in found}

    async def unanswered(self) -> list[Message]:
        """A person's messages without a reply, oldest first."""
        reply = m.alias()
        query = (
            select(m)
            .join(c, c.c.id == m.c.chat_id)
            .outerjoin(reply, reply.c.reply_to == m.c.id)
            .where(m.c.role == str(Role.PERSON), reply.c.id.is_(None), c.c.trashed_at.is_(None))
            .order_by(m.c.seq)
        )
        return await self._messages(query)

    async def untold(self) -> list[Generation]:
        """Generations of conversations that lack their artifact, or are final and lack their result."""
        artifact, result = m.alias(), m.alias()
        query = (
            select(g)
            .join(c, (c.c.id == g.c.chat_id) & (c.c.owner == g.c.owner))
            .outerjoin(artifact, (artifact.c.generation_id == g.c.id) & (artifact.c.sort == "artifact"))
            .outerjoin(result, (result.c.generation_id == g.c.id) & (result.c.sort == "result"))
            .where(artifact.c.id.is_(None) | (result.c.id.is_(None) & g.c.phase.in_(_FINAL)))
            .order_by(g.c.id)
        )
        return await self._generations(query)

    # -- below -------------------------------------------------------------------------------

    async def _messages(self, query: Any) -> list[Message]:
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return [_from_row(row) for row in rows]

    async def _generations(self, query: Any) -> list[Generation]:
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return [from_row(row) for row in rows]


def _add(connection: Connection, messages: Sequence[Message]) -> list[Message]:
    added = []
    for message in messages:
        row = {name: value for name, value in asdict(message).items() if name != "seq"}
        statement = insert(m).values(**row).on_conflict_do_nothing().returning(m.c.seq)
        seq = connection.execute(statement).scalar_one_or_none()
        if seq is not None:
            added.append(replace(message, seq=seq))
    return added


def _message(connection: Connection, message_id: str) -> Message | None:
    row = connection.execute(select(m).where(m.c.id == message_id)).mappings().one_or_none()
    return _from_row(row) if row else None


def _chat(connection: Connection, chat_id: str, owner: str) -> Conversation:
    row = connection.execute(select(c).where(*_open(chat_id, owner))).mappings().one_or_none()
    if row is None:
        raise NotFound("There is no such conversation here.")
    return _conversation(row)


def _conversation(row: RowMapping) -> Conversation:
    return Conversation(**{column.key: row[column] for column in c.c})


def _open(chat_id: str, owner: str) -> tuple[Any, ...]:
    return c.c.id == chat_id, c.c.owner == owner, c.c.trashed_at.is_(None)


def _from_row(row: RowMapping) -> Message:
    return Message(**(dict(row) | {"role": Role(row["role"]), "sort": Sort(row["sort"])}))
