"""A power cut: what stood on the disk at that moment goes on in a second life."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.core.errors import Sentence
from services.core.model import LOCAL_OWNER, Generation, Phase
from services.diagnostics.drill.disk import cut, disk_of
from services.diagnostics.drill.stage import Stage, comes_true, expect
from services.diagnostics.drill.witness import CALM, SOON_LATE, STILL, RecordingBackend

UNDER_WAY, SENT, STOPPED, LATE = "under way", "being sent", "stopped before", "late before"
LIMIT, HOUR = "limit before", "an hour late"
FOR_EVER_S = 1e6
AGED_S = 7200.0
LEFT_S = 1.0
"""Of the time for which it is watched, where most of it was used up before the cut."""
QUIET_S = 0.5
QUIET_GAP_S = 400.0
"""The longest gap between two questions is 300 s, and a little spread."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    house: Stage
    before: dict[str, Generation]
    """By prompt: the rows at the moment of the cut."""


@asynccontextmanager
async def two_lives(stage: Stage) -> AsyncIterator[Life]:
    """The second one is open."""
    first, second = stage.folder / "first", stage.folder / "second"
    backend = RecordingBackend()
    async with stage.house(first, backend) as house:
        before = await _first_life(house)
        await asyncio.to_thread(cut, house.engine.settings, second)
        backend.holds[SENT].set()
    backend.finish(UNDER_WAY)
    with disk_of(house.engine.settings.model_copy(update={"data_dir": second})) as disk:
        disk.age(before[LIMIT].id, AGED_S, watch_until=time.time() + LEFT_S)
        disk.age(before[HOUR].id, AGED_S, watch_until=time.time() + AGED_S)
    async with stage.house(second, backend) as house:
        yield Life(house=house, before=before)


async def _first_life(house: Stage) -> dict[str, Generation]:
    backend = house.backend
    backend.unlisted.add(SENT)
    assert not backend.holds[SENT].is_set()
    models = {UNDER_WAY: CALM, LATE: SOON_LATE}
    begun = {
        prompt: await house.start(prompt, models.get(prompt, STILL), length_s=FOR_EVER_S, owner=LOCAL_OWNER)
        for prompt in (UNDER_WAY, SENT, STOPPED, LATE, LIMIT, HOUR)
    }
    await house.being_sent(SENT)
    for prompt, row in begun.items():
        if prompt != SENT:
            await house.until(row, lambda row: row.job_id is not None, Sentence("it was never sent"))
    await house.engine.generations.stop(begun[STOPPED].id, owner=LOCAL_OWNER)
    late = Sentence("nobody was told that it takes longer")
    await house.until(begun[LATE], lambda row: row.late_since is not None, late)
    return {prompt: await house.engine.store.get(row.id) for prompt, row in begun.items()}


async def asked_at_once(stage: Stage) -> None:
    life = await stage.lives.get()
    done = await life.house.done(life.before[UNDER_WAY])
    trace = await life.house.trace(done)
    resumed = next((entry.seq for entry in trace if entry.event == "resumed"), 0)
    asked = [entry for entry in trace if entry.event in {"attempt", "check"} and entry.seq > resumed]
    at_once = bool(asked) and asked[0].data.get("because") == "resumed"
    expect(at_once, Sentence("it was not asked about before its turn came"))


async def stopped_before(stage: Stage) -> None:
    life = await stage.lives.get()
    life.house.backend.finish(STOPPED)
    done = await life.house.done(life.before[STOPPED])
    expect(done.unwanted, Sentence("the result of a stopped one was not set apart"))


async def cut_while_sent(stage: Stage) -> None:
    life = await stage.lives.get()
    row = life.before[SENT]
    unconfirmed = Sentence("it is not shown as unconfirmed")
    await life.house.until(row, lambda row: row.phase is Phase.UNCONFIRMED, unconfirmed)
    sent = life.house.backend.submits[row.id]
    expect(sent == 1, Sentence("it was sent {count} times", count=sent))


async def told_before(stage: Stage) -> None:
    life = await stage.lives.get()
    before = life.before[LATE]
    await life.house.until(before, lambda row: row.epoch > before.epoch, Sentence("nobody took it over"))
    await asyncio.sleep(QUIET_S)
    row = await life.house.engine.store.get(before.id)
    expect(row.late_since == before.late_since, Sentence("it was told again"))


async def limit_before(stage: Stage) -> None:
    life = await stage.lives.get()
    row = await life.house.until(life.before[LIMIT], lambda row: row.final, Sentence("its time begins anew"))
    expect(row.error_code == "gave_up", Sentence("it ended as {phase}", phase=str(row.phase)))


async def hour_late(stage: Stage) -> None:
    life = await stage.lives.get()
    row = life.before[HOUR]

    async def due() -> bool:
        trace = await life.house.trace(row)
        resumed = next((entry.seq for entry in trace if entry.event == "resumed"), float("inf"))
        told = [entry for entry in trace if entry.event == "due" and entry.seq > resumed]
        return any(_seconds(entry.data["at"]) - entry.at < QUIET_GAP_S for entry in told)

    await comes_true(due, Sentence("nobody will ask again"))


def _seconds(told: object) -> float:
    return float(told) if isinstance(told, int | float) else float("inf")
