"""The same engine over the hosted service's adapter: what its answers and events are taken for."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.backends.base import Capabilities
from services.backends.superduperai import SuperDuperAI
from services.core.errors import Sentence
from services.core.model import LOCAL_OWNER, Draft, Generation, Kind, Phase
from services.diagnostics.drill.stage import Stage, comes_true, expect, written
from services.diagnostics.drill.wire import MODEL, Plan, Wire
from services.http.address import Address

PLAIN, KEYED = "drill-plain", "drill-keyed"
ANSWERS_WITHIN_S = 4.0
QUIET_S = 1.5
LOST = ("broken",)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    wire: Wire
    house: Stage

    async def start(self, prompt: str, backend: str = PLAIN, **plan: Any) -> Generation:
        self.wire.plans[prompt] = Plan(**plan)
        draft = Draft(kind=Kind.IMAGE, prompt=prompt, backend=backend, model=MODEL)
        (generation,) = await self.house.engine.generations.start(draft, owner=LOCAL_OWNER)
        return generation

    async def until_sent(self, prompt: str) -> None:
        async def sent() -> bool:
            return self.wire.submits[prompt] > 0

        await comes_true(sent, Sentence("it was never sent"))


@asynccontextmanager
async def hosted(stage: Stage) -> AsyncIterator[Hosted]:
    async with Wire(stage.files).serving() as wire:
        backends = [
            SuperDuperAI(
                name=name,
                address=Address(wire.url, wire.key),
                capabilities=Capabilities(idempotent=name == KEYED),
                ssl_context=ssl.create_default_context(),
                answers_within_s=ANSWERS_WITHIN_S,
            )
            for name in (PLAIN, KEYED)
        ]
        async with stage.house(stage.folder / "hosted", *backends, origins=(wire.url,)) as house:
            yield Hosted(wire=wire, house=house)


async def server_error(stage: Stage) -> None:
    await _sent_once(stage, "server error", "broken")


async def no_answer(stage: Stage) -> None:
    await _sent_once(stage, "no answer", "hangs")


async def _sent_once(stage: Stage, prompt: str, word: str) -> None:
    here = await stage.hosted.get()
    generation = await here.start(prompt, submits=(word,))
    unconfirmed = Sentence("it is not shown as unconfirmed")
    await here.house.until(generation, lambda row: row.phase is Phase.UNCONFIRMED, unconfirmed)
    sent = here.wire.submits[prompt]
    expect(sent == 1, Sentence("it was sent {count} times", count=sent))


async def same_key_again(stage: Stage) -> None:
    here = await stage.hosted.get()
    await here.house.done(await here.start("same key again", KEYED, submits=("lost", "ok")))
    keys = here.wire.keys["same key again"]
    expect(len(keys) == 1, Sentence("it was sent under {count} keys", count=len(keys)))


async def stopped_meanwhile(stage: Stage) -> None:
    here, prompt = await stage.hosted.get(), "stopped meanwhile"
    lost = here.wire.holds[prompt]
    generation = await here.start(prompt, KEYED, submits=("lost",))
    await here.until_sent(prompt)
    await here.house.engine.generations.stop(generation.id, owner=LOCAL_OWNER)
    lost.set()
    await asyncio.sleep(QUIET_S)
    sent = here.wire.submits[prompt]
    expect(sent == 1, Sentence("it was sent {count} times", count=sent))


async def foreign_event(stage: Stage) -> None:
    here = await stage.hosted.get()
    generation = await here.start("foreign event", streams=("foreign",), polls=("running", "running", "ok"))
    done = await here.house.done(generation)
    whole = hashlib.sha256(stage.files.whole).hexdigest()
    expect(done.kept is not None and done.kept.sha256 == whole, Sentence("other bytes were kept"))


async def fallen_silent(stage: Stage) -> None:
    here = await stage.hosted.get()
    await here.house.done(await here.start("fallen silent", streams=("dead", "ok"), polls=LOST))


async def echoed_key(stage: Stage) -> None:
    here = await stage.hosted.get()
    generation = await here.start("echoed key", submits=("refused",))
    row = await here.house.until(generation, lambda row: row.final, Sentence("it never ended"))
    said = [written(row), *map(written, await here.house.trace(row)), *stage.told]
    expect(not any(here.wire.key in one for one in said), Sentence("the key can be read"))


async def led_elsewhere(stage: Stage) -> None:
    here = await stage.hosted.get()
    await here.house.done(await here.start("led elsewhere", leads=True))
    expect("led" not in stage.files.shown_keys, Sentence("the key was shown to another host"))
