"""What must hold after each combination, and after all of them (the invariants of the promise)."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from services.core.model import Generation, Phase
from tests.matrix.backend import TOKEN
from tests.matrix.environment import Ground
from tests.matrix.plan import BLIND, Combination, End

WITHIN_S = 60.0
KINDS = ("lost", "twice", "paid_twice", "wrong_bytes", "told_wrongly", "left_over", "broken")


class Wrong(NamedTuple):
    """`what` is one of KINDS."""

    what: str
    text: str


def expected(one: Combination) -> Phase:
    match one.plan.end:
        case End.DONE:
            return Phase.COMPLETED
        case End.FAILED | End.REFUSED:
            return Phase.ERROR
        case End.NOT_TAKEN:
            return Phase.COMPLETED if one.backend == "keyed" else Phase.UNCONFIRMED
        case End.TAKEN:
            return Phase.UNCONFIRMED if one.backend == BLIND else Phase.COMPLETED


def may_be_taken(one: Combination) -> bool:
    """Whether the backend is to have one job of it in the end, or none."""
    return one.plan.end is not End.REFUSED and (one.plan.end is not End.NOT_TAKEN or one.backend == "keyed")


async def come_to_rest(ground: Ground, generation: Generation, one: Combination) -> float:
    """Until its row is where it must be and nobody works on it any more; how long it took."""
    clock = asyncio.get_running_loop()
    begun = clock.time()
    while clock.time() - begun < WITHIN_S:
        row = await ground.engine.store.get(generation.id)
        if row.phase is expected(one) and not ground.works_on(generation.id, str(one)):
            break
        await asyncio.sleep(0.1)
    return clock.time() - begun


async def wrongs(ground: Ground, generation: Generation, one: Combination) -> list[Wrong]:
    """Every invariant that this combination broke."""
    row = await ground.engine.store.get(generation.id)
    found = [
        *_end(ground, row, one),
        *_money(ground, one),
        *_bytes(ground, row, one),
        *_news(ground, row, one),
        *_strikes(ground, row, one),
    ]
    if early := ground.out_of_order.get(str(one)):
        found.append(Wrong("broken", early))
    return [Wrong(each.what, f"{one}: {each.text}") for each in found]


def _end(ground: Ground, row: Generation, one: Combination) -> Iterator[Wrong]:
    if row.phase is not expected(one):
        said = f"{row.error_code} {row.error_text} {row.stage}".strip()
        yield Wrong("lost", f"it is {row.phase} ({said}), not {expected(one)}")
    if left := ground.works_on(row.id, str(one)):
        yield Wrong("left_over", f"still at work: {left}")


def _money(ground: Ground, one: Combination) -> Iterator[Wrong]:
    taken = len(ground.wire.jobs_of(str(one)))
    if taken > (most := int(may_be_taken(one))):
        yield Wrong("paid_twice", f"taken {taken} times, not {most}")
    elif taken < most:
        yield Wrong("lost", "it was never taken")


def _bytes(ground: Ground, row: Generation, one: Combination) -> Iterator[Wrong]:
    if row.phase is not Phase.COMPLETED:
        if row.kept is not None:
            yield Wrong("broken", "it is not done and names a file")
        return
    if row.kept is None or row.receipt is None:
        yield Wrong("broken", "done without a file or a receipt")
        return
    job = next(iter(ground.wire.jobs_of(str(one))), None)
    path = ground.engine.folder.path(row.kept.name)
    lying = path.read_bytes() if path.exists() else b""
    if job is None or lying != ground.wire.content(job.id):
        yield Wrong("wrong_bytes", f"other bytes: {len(lying)} lie there")
    if hashlib.sha256(lying).hexdigest() != row.kept.sha256 or len(lying) != row.kept.size_bytes:
        yield Wrong("wrong_bytes", "the row's hash is not the file's")
    if job is not None and row.job_id != job.id:
        yield Wrong("broken", "the row names another job")


def _news(ground: Ground, row: Generation, one: Combination) -> Iterator[Wrong]:
    heard = ground.heard.get(row.id, [])
    told = ground.told.get(row.id, [])
    ends = {Phase.COMPLETED: "arrived", Phase.ERROR: "failed", Phase.UNCONFIRMED: "unconfirmed"}
    last = ends[expected(one)]
    # While it is looked for, an unconfirmed one is told as that.
    if [each for each in told if each in (last, "arrived", "failed")] != [last]:
        yield Wrong("told_wrongly", f"a page told {told}")
    if ground.page.known[row.id].phase is not row.phase:
        yield Wrong("told_wrongly", f"an open page still shows {ground.page.known[row.id].phase}")
    by_revision = sorted(heard, key=lambda each: each.revision)
    progress = [each.progress for each in by_revision if each.progress is not None]
    if progress != sorted(progress):
        yield Wrong("broken", f"progress went backwards: {progress}")
    if len({each.kept.name for each in heard if each.kept is not None}) > 1:
        yield Wrong("twice", "different files were told of")


def _strikes(ground: Ground, row: Generation, one: Combination) -> Iterator[Wrong]:
    """A fault that never struck proves nothing."""
    struck = ground.strikes(one.plan, str(one))
    if one.plan.disk:
        struck["disk"] = ground.disk.broken[row.id]
    if one.plan.database:
        struck["database"] = ground.database.broken[row.id]
    for what, times in struck.items():
        if not times:
            yield Wrong("broken", f"the fault of the {what} never struck")


# -- after all of them ------------------------------------------------------------------------


async def left_behind(ground: Ground) -> list[Wrong]:
    """Files that no row names, and names that have no file."""
    folder, store = ground.engine.folder, ground.engine.store
    lying, named = set(await folder.files()), await store.media_names()
    strangers = {path.relative_to(folder._root).as_posix() for path in ground.disk.strangers}
    parts = list((ground.engine.settings.media_dir / ".parts").iterdir())
    prompts = [row.request.prompt for row in await store.page(owner="local", limit=2000)]
    found = {
        ("left_over", "unfinished files"): len(parts),
        ("left_over", "files that no row names"): len(lying - named - strangers),
        ("lost", "files that are gone"): len(named - lying),
        ("lost", "files of somebody else's that were removed"): len(strangers - lying),
        ("twice", "rows more than intents"): len(prompts) - len(set(prompts)),
    }
    return [Wrong(what, f"{ground.name}: {count} {text}") for (what, text), count in found.items() if count]


def told_secrets(ground: Ground, log: str) -> list[Wrong]:
    """Where the key or a link of the provider's can be read."""
    page = [ground.page.generation_status, *ground.page.known.values()]
    page += [each for heard in ground.heard.values() for each in heard]
    places = {
        "the log": log,
        "a trace": "".join(json.dumps(entry.data) for entry in ground.traces),
        "a page": "".join(json.dumps(dataclasses.asdict(each), default=str) for each in page),
        "the database": dump(ground.folder / "rushes.db"),
    }
    secrets = (TOKEN, "/files/", ground.chaos.url, ground.dead.refuses, ground.dead.full, ground.dead.deaf)
    return [
        Wrong("broken", f"{ground.name}: {secret} stands in {place}")
        for place, text in places.items()
        for secret in secrets
        if secret in text
    ]


def dump(database: Path) -> str:
    connection = sqlite3.connect(database)
    try:
        return "\n".join(connection.iterdump())
    finally:
        connection.close()


def open_handles() -> set[str]:
    """Sockets and files of this process, by what they are; not the pipes of its children."""
    found = set()
    for handle in Path("/proc/self/fd").iterdir():
        try:
            what = str(handle.readlink())
        except OSError:
            continue
        if not what.startswith("pipe:"):
            found.add(f"{handle.name} {what}")
    return found
