"""The library with 1,000, 100,000 and 1,000,000 generations in it: its first page, and a search."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.core.model import GenerationQuery, Kind
from services.core.search_words import index_text
from services.store.engine import writing_engine
from services.store.listing import first_id_at
from services.store.migrate import migrate
from services.store.store import Store
from tests.bench.table import Figure, one, percentile

SIZES = (1_000, 100_000, 1_000_000)
REPEATS = 60
PAGE = 60
SEARCH_MS = 5.0
GROWS_AT_MOST = 1.5
RARE = ("a zeppelin over the sea", "紅色的風筝飛過大海")
BORN_AT = 1_700_000_000.0
SUBJECTS = [
    "lighthouse",
    "mountain",
    "forest",
    "city",
    "harbour",
    "desert",
    "river",
    "bridge",
    "market",
    "castle",
    "train",
    "island",
    "garden",
]
OTHERS = [
    "rain",
    "snow",
    "night",
    "dawn",
    "fog",
    "storm",
    "sunset",
    "slow",
    "aerial",
    "handheld",
    "wide",
    "close",
    "golden",
    "quiet",
    "red",
    "blue",
    "old",
]
LISTS = {
    "first page": GenerationQuery(),
    "first page of images": GenerationQuery(kind=Kind.IMAGE),
    "search, a common word": GenerationQuery(words="lighthouse "),
    "search, the beginning of one": GenerationQuery(words="red light"),
    "search, a rare word": GenerationQuery(words="zeppelin"),
    "search in the images": GenerationQuery(words="mountain snow", kind=Kind.IMAGE),
    "search, one Chinese character": GenerationQuery(words="山"),
    "search, a common Chinese word": GenerationQuery(words="金色"),
    "search, a rare Chinese word": GenerationQuery(words="風筝"),
    "search, a rare Chinese run of common characters": GenerationQuery(words="山的山的山的"),
    "search, an emoji": GenerationQuery(words="😀"),
}


def measure() -> list[Figure]:
    taken = [asyncio.run(_measured(size)) for size in SIZES]
    figures = []
    for name in LISTS:
        for size, times in zip(SIZES, taken, strict=True):
            limit = {"p50": SEARCH_MS} if name.startswith("search") else {}
            figures.append(Figure(name=f"{name}, of {size:,}", unit="ms", values=times[name], at_most=limit))
        if name == "first page":
            grown = percentile(taken[-1][name], 50) / percentile(taken[0][name], 50)
            figures.append(one("first page, largest to smallest", "x", grown, at_most=GROWS_AT_MOST))
    return figures


async def _measured(size: int) -> dict[str, list[float]]:
    """Milliseconds of each list, again and again, in turns."""
    with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
        path = Path(folder, "rushes.db")
        fill(path, size)
        store = Store(f"sqlite:///{path}", process="bench")
        await store.open()
        times: dict[str, list[float]] = {name: [] for name in LISTS}
        try:
            for _ in range(REPEATS):
                for name, wanted in LISTS.items():
                    begun = time.perf_counter()
                    await store.page(wanted, owner="local", limit=PAGE + 1)
                    times[name].append((time.perf_counter() - begun) * 1000)
        finally:
            await store.close()
        return times


def fill(path: Path, size: int) -> None:
    """Straight into the tables, the triggers off: what they keep in step is written at once behind."""
    engine = writing_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("PRAGMA synchronous = OFF")
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        indexes = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'generations' AND sql IS NOT NULL"
        ).fetchall()
        for kind, found in (("TRIGGER", triggers), ("INDEX", indexes)):
            for name, _ in found:
                database.execute(f"DROP {kind} {name}")
        database.execute("BEGIN")
        columns = ", ".join(COLUMNS)
        marks = ", ".join("?" * len(COLUMNS))
        database.executemany(f"INSERT INTO generations ({columns}) VALUES ({marks})", rows(size))
        database.execute(
            "INSERT INTO prompts (rowid, prompt) SELECT seq, coalesce(search_text, prompt) FROM generations"
        )
        for _, sql in (*indexes, *triggers):
            database.execute(sql)
        database.execute("COMMIT")
    database.close()


COLUMNS = (
    "id", "request_id", "owner", "kind", "backend", "model", "prompt", "request", "phase", "stage", "error_code",
    "error_text", "created_at", "updated_at", "late_after_s", "revision", "epoch", "kept", "seq", "search_text",
)  # fmt: skip


def rows(size: int) -> Iterator[tuple[Any, ...]]:
    rng = random.Random(7)
    prompts = [chinese_prompt(rng) if number % 3 == 0 else prompt(rng) for number in range(5000)]
    search_texts = {each: index_text(each) for each in (*prompts, *RARE)}
    kept = {
        "name": "ab/" + "0" * 30 + ".mp4", "size_bytes": 300_000, "sha256": "ab" * 32, "content_type": "video/mp4",
        "width": 1280, "height": 720, "duration_s": 5.0, "fps": 24.0,
    }  # fmt: skip
    request = {"aspect_ratio": "16:9", "resolution": "720p", "seed": 7, "duration_s": 5.0, "fps": 24}
    film = json.dumps(kept)
    for number in range(size):
        at = BORN_AT + number * 60
        kind = "image" if number % 4 == 0 else "video"
        words = RARE[number % 2] if number % 5003 == 17 else prompts[number % len(prompts)]
        asked = {"kind": kind, "prompt": words, "backend": "animatic", "model": "animatic/film", **request}
        generation_id = f"{first_id_at(at)}-7000-8000-{number:012x}"
        yield (
            generation_id, generation_id, "local", kind, "animatic", "animatic/film", words, json.dumps(asked),
            "completed", "", "", "", at, at, 180.0, 5, 0, film, number + 1, search_texts[words],
        )  # fmt: skip


def chinese_prompt(rng: random.Random) -> str:
    """A third of all: some two hundred thousand entries for each common character."""
    scenes = [
        rng.choice("山海城市森林河橋雪雨夜") + "的" + rng.choice(["金色", "藍色", "光", "風", "雲"])
        for _ in range(9)
    ]
    return "，".join(scenes) + rng.choice(["", "😀", "🎬"])


def prompt(rng: random.Random) -> str:
    return f"a {rng.choice(OTHERS)} {rng.choice(SUBJECTS)} in the {' and '.join(rng.sample(OTHERS, 6))}"
