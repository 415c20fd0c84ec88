"""Only the whole file is kept, and it stays what it was."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from services.core.errors import Sentence
from services.core.model import LOCAL_OWNER
from services.diagnostics.drill.stage import Stage, expect
from services.diagnostics.drill.witness import FILM


async def cut_short(stage: Stage) -> None:
    await _only_the_whole(stage, "cut short", "half", "gone")


async def not_the_file(stage: Stage) -> None:
    await _only_the_whole(stage, "not the file", "page", "shortened")


async def _only_the_whole(stage: Stage, prompt: str, *others: str) -> None:
    urls = tuple(stage.files.url(path) for path in (*others, "whole"))
    done = await stage.done(await stage.start(prompt, urls=urls, owner=LOCAL_OWNER))
    whole = hashlib.sha256(stage.files.whole).hexdigest()
    expect(done.kept is not None and done.kept.sha256 == whole, Sentence("other bytes were kept"))
    failed = [entry for entry in await stage.trace(done) if entry.event == "keep_failed"]
    expect(len(failed) > 0, Sentence("the broken file is not in the trace"))


async def more_announced(stage: Stage) -> None:
    await _only_the_whole(stage, "more announced", "more")


async def not_the_film(stage: Stage) -> None:
    urls = tuple(stage.files.url(path) for path in ("film/still", "film/cut", "film"))
    done = await stage.done(await stage.start("not the film", FILM, urls=urls, owner=LOCAL_OWNER))
    whole = hashlib.sha256(stage.files.film).hexdigest()
    expect(done.kept is not None and done.kept.sha256 == whole, Sentence("other bytes were kept"))


async def rot(stage: Stage) -> None:
    done = await stage.done(await stage.start("rot", owner=LOCAL_OWNER))
    assert done.kept is not None
    await asyncio.to_thread(_flip_a_bit, stage.engine.generations.media(done.kept.name))
    ended = await stage.engine.library.scrub.go_round(at_once=True)
    expect(done.id in ended.damaged, Sentence("the damaged file was not named"))


def _flip_a_bit(path: Path) -> None:
    kept = bytearray(path.read_bytes())
    kept[len(kept) // 2] ^= 1
    path.write_bytes(kept)
