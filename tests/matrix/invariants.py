"""The invariants of the promise, checked after each combination and after all of them."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from services.core.model import Generation, Phase
from tests.matrix.backend import TOKEN
from tests.matrix.environment import Environment
from tests.matrix.plan import BLIND, Combination, End
from tests.support.fault_job import garbage_of

WITHIN_S = 60.0
KINDS = ("lost", "twice", "paid_twice", "wrong_bytes", "reported_wrongly", "left_over", "broken")


class Violation(NamedTuple):
    """`what` is one of KINDS."""

    what: str
    text: str


def expected(one: Combination) -> Phase:
    match one.plan.end:
        case End.DONE | End.PROBLEM:
            return Phase.COMPLETED
        case End.FAILED | End.REFUSED:
            return Phase.ERROR
        case End.NOT_TAKEN:
            return Phase.COMPLETED if one.backend == "keyed" else Phase.UNCONFIRMED
        case End.TAKEN:
            return Phase.UNCONFIRMED if one.backend == BLIND else Phase.COMPLETED


def may_be_accepted(one: Combination) -> bool:
    """Whether the backend should have one job of it in the end, or none."""
    return one.plan.end is not End.REFUSED and (one.plan.end is not End.NOT_TAKEN or one.backend == "keyed")


def expected_bytes(environment: Environment, job_id: str, one: Combination) -> bytes:
    content = environment.wire.content(job_id)
    return garbage_of(content) if one.plan.end is End.PROBLEM else content


async def settle(environment: Environment, generation: Generation, one: Combination) -> float:
    """Waits for the expected phase and the end of all activity; returns the seconds."""
    clock = asyncio.get_running_loop()
    begun = clock.time()
    while clock.time() - begun < WITHIN_S:
        row = await environment.engine.store.get(generation.id)
        if row.phase is expected(one) and not environment.activity_of(generation.id, str(one)):
            break
        await asyncio.sleep(0.1)
    return clock.time() - begun


async def violations(environment: Environment, generation: Generation, one: Combination) -> list[Violation]:
    """Every invariant that this combination broke."""
    row = await environment.engine.store.get(generation.id)
    found = [
        *_outcome(environment, row, one),
        *_payments(environment, one),
        *_bytes(environment, row, one),
        *_reports(environment, row, one),
        *_strikes(environment, row, one),
    ]
    if early := environment.out_of_order.get(str(one)):
        found.append(Violation("broken", early))
    return [Violation(each.what, f"{one}: {each.text}") for each in found]


def _outcome(environment: Environment, row: Generation, one: Combination) -> Iterator[Violation]:
    if row.phase is not expected(one):
        details = f"{row.error_code} {row.error_text} {row.stage}".strip()
        yield Violation("lost", f"it is {row.phase} ({details}), not {expected(one)}")
    if left := environment.activity_of(row.id, str(one)):
        yield Violation("left_over", f"still active: {left}")


def _payments(environment: Environment, one: Combination) -> Iterator[Violation]:
    accepted = len(environment.wire.jobs_of(str(one)))
    if accepted > (limit := int(may_be_accepted(one))):
        yield Violation("paid_twice", f"accepted {accepted} times, not {limit}")
    elif accepted < limit:
        yield Violation("lost", "it was never accepted")


def _bytes(environment: Environment, row: Generation, one: Combination) -> Iterator[Violation]:
    if row.phase is not Phase.COMPLETED:
        if row.kept is not None:
            yield Violation("broken", "it is not completed and names a file")
        return
    if row.kept is None or row.receipt is None:
        yield Violation("broken", "completed without a file or a receipt")
        return
    job = next(iter(environment.wire.jobs_of(str(one))), None)
    path = environment.engine.folder.path(row.kept.name)
    content = path.read_bytes() if path.exists() else b""
    if job is None or content != expected_bytes(environment, job.id, one):
        yield Violation("wrong_bytes", f"{len(content)} other bytes")
    if (row.kept.problem is not None) is not (one.plan.end is End.PROBLEM):
        yield Violation("reported_wrongly", f"its problem is {row.kept.problem}")
    if hashlib.sha256(content).hexdigest() != row.kept.sha256 or len(content) != row.kept.size_bytes:
        yield Violation("wrong_bytes", "the row's hash is not the file's")
    if job is not None and row.job_id != job.id:
        yield Violation("broken", "the row names another job")


def _reports(environment: Environment, row: Generation, one: Combination) -> Iterator[Violation]:
    snapshots = environment.snapshots.get(row.id, [])
    notifications = environment.notifications.get(row.id, [])
    ends = {Phase.COMPLETED: "arrived", Phase.ERROR: "failed", Phase.UNCONFIRMED: "unconfirmed"}
    last = ends[expected(one)]
    # During the search an unconfirmed one is shown as such.
    if [each for each in notifications if each in (last, "arrived", "failed")] != [last]:
        yield Violation("reported_wrongly", f"a page showed {notifications}")
    if environment.page.known[row.id].phase is not row.phase:
        yield Violation(
            "reported_wrongly", f"an open page still shows {environment.page.known[row.id].phase}"
        )
    by_revision = sorted(snapshots, key=lambda each: each.revision)
    progress = [each.progress for each in by_revision if each.progress is not None]
    if progress != sorted(progress):
        yield Violation("broken", f"progress went backwards: {progress}")
    if len({each.kept.name for each in snapshots if each.kept is not None}) > 1:
        yield Violation("twice", "different files were reported")


def _strikes(environment: Environment, row: Generation, one: Combination) -> Iterator[Violation]:
    """A fault that never occurred proves nothing."""
    struck = environment.strikes(one.plan, str(one))
    if one.plan.disk:
        struck["disk"] = environment.disk.strikes[row.id]
    if one.plan.database:
        struck["database"] = environment.database.strikes[row.id]
    for what, times in struck.items():
        if not times:
            yield Violation("broken", f"the fault of the {what} never occurred")


# -- after all combinations --------------------------------------------------------------------


async def leftover_files(environment: Environment) -> list[Violation]:
    """Files without a row, and rows without a file."""
    folder, store = environment.engine.folder, environment.engine.store
    files, named = set(await folder.files()), await store.media_names()
    foreign = {path.relative_to(folder._root).as_posix() for path in environment.disk.foreign_files}
    parts = list((environment.engine.settings.media_dir / ".parts").iterdir())
    prompts = [row.request.prompt for row in await store.page(owner="local", limit=2000)]
    found = {
        ("left_over", "unfinished files"): len(parts),
        ("left_over", "files without a row"): len(files - named - foreign),
        ("lost", "missing files"): len(named - files),
        ("lost", "removed files of another program"): len(foreign - files),
        ("twice", "rows beyond the intents"): len(prompts) - len(set(prompts)),
    }
    return [
        Violation(what, f"{environment.name}: {count} {text}")
        for (what, text), count in found.items()
        if count
    ]


def leaked_secrets(environment: Environment, log: str) -> list[Violation]:
    """Places where the API key or a provider's link can be read."""
    page = [environment.page.generation_status, *environment.page.known.values()]
    page += [each for snapshots in environment.snapshots.values() for each in snapshots]
    places = {
        "the log": log,
        "a trace": "".join(json.dumps(entry.data) for entry in environment.traces),
        "a page": "".join(json.dumps(dataclasses.asdict(each), default=str) for each in page),
        "the database": dump(environment.folder / "rushes.db"),
    }
    secrets = (
        TOKEN,
        "/files/",
        environment.proxy.url,
        environment.dead.refuses,
        environment.dead.stuck,
        environment.dead.unread,
    )
    return [
        Violation("broken", f"{environment.name}: {secret} is in {place}")
        for place, text in places.items()
        for secret in secrets
        if secret in text
    ]


def dump(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        return "\n".join(connection.iterdump())


def open_handles() -> set[str]:
    """Sockets and files of this process, without the pipes of its children."""
    found = set()
    for handle in Path("/proc/self/fd").iterdir():
        try:
            what = str(handle.readlink())
        except OSError:
            continue
        if not what.startswith("pipe:"):
            found.add(f"{handle.name} {what}")
    return found
