"""Plays all faults, and says of each rule whether it held."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.drill import faults
from services.drill.files import Files
from services.drill.stage import Broken, OpenEngine, Stage, comes_true
from services.drill.witness import Witness
from services.errors import CannotStart
from services.model import Kind

Fault = Callable[[Stage], Awaitable[None]]

FAULTS: tuple[tuple[str, Fault], ...] = (
    ("R1", faults.intent_first),
    ("R2", faults.heard_twice),
    ("R3", faults.cut_short),
    ("R4", faults.wrong_failure),
    ("R4", faults.refused_stream),
    ("R5", faults.late),
    ("R5", faults.stopped),
    ("R6", faults.lost_answer),
    ("R6", faults.busy),
    ("R7", faults.push_alone),
    ("R7", faults.poll_alone),
    ("R7", faults.reopened),
    ("R8", faults.progress),
    ("R10", faults.crash),
    ("R11", faults.seen_by_others),
    ("R12", faults.receipt),
)
"""They are played at the same time, on one engine."""
AFTERWARDS: tuple[tuple[str, Fault], ...] = (("R9", faults.restart),)
"""A second engine takes over whatever is open, so nothing else may be."""


PREFIX = "drill-"
LEFT_AFTER_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    rule: str
    does: str
    broken: str = ""
    """What was seen instead; empty where the rule held."""

    def __str__(self) -> str:
        mark = "✗" if self.broken else "✓"
        return f"{mark} {self.rule:<4} {self.does}{f': {self.broken}' if self.broken else ''}."


class Drill:
    """`folder` is this install's data folder: the drill works in one of its own inside, and removes it."""

    def __init__(self, open_engine: OpenEngine, folder: Path) -> None:
        self._open_engine = open_engine
        self._folder = folder

    async def run(self, rules: frozenset[str] | None = None) -> list[Finding]:
        """Of all rules, or of those that are named; in the order of their numbers.

        Raises CannotStart where the data folder cannot be written.
        """
        with _a_folder_in(self._folder) as folder, _overheard() as told:
            async with self._stage(folder) as stage:
                stage.told = told
                together = asyncio.gather(*(_played(stage, *one) for one in _of(rules, FAULTS)))
                findings = await together + [await _played(stage, *one) for one in _of(rules, AFTERWARDS)]
        return sorted(findings, key=lambda finding: int(finding.rule[1:]))

    @asynccontextmanager
    async def _stage(self, folder: Path) -> AsyncIterator[Stage]:
        backend = Witness()
        async with (
            Files().serving() as files,
            self._open_engine(folder, backend, files.origin) as engine,
        ):
            stage = Stage(
                open_engine=self._open_engine, folder=folder, backend=backend, files=files, engine=engine
            )
            backend.read_row = engine.store.get
            stage.listen(engine)

            async def models_known() -> bool:
                return bool(engine.generations.catalogue.models(Kind.IMAGE))

            await comes_true(models_known, "the backend's models are not known")
            yield stage


@contextmanager
def _a_folder_in(data_dir: Path) -> Iterator[Path]:
    """Removed at the end; what a drill that was killed has left goes with the next one."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        for left in data_dir.glob(f"{PREFIX}*"):
            if time.time() - left.stat().st_mtime > LEFT_AFTER_S:
                shutil.rmtree(left, ignore_errors=True)
        folder = tempfile.TemporaryDirectory(prefix=PREFIX, dir=data_dir)
    except OSError as error:
        raise CannotStart(
            f"the drill cannot write in the data folder {data_dir} ({error.strerror}). Make it writable."
        ) from error
    with folder as name:
        yield Path(name)


def _of(rules: frozenset[str] | None, faults: tuple[tuple[str, Fault], ...]) -> list[tuple[str, Fault]]:
    return [one for one in faults if rules is None or one[0] in rules]


async def _played(stage: Stage, rule: str, fault: Fault) -> Finding:
    does = (fault.__doc__ or "").splitlines()[0].rstrip(".")
    try:
        await fault(stage)
    except Broken as broken:
        return Finding(rule=rule, does=does, broken=str(broken))
    except Exception as error:  # a rule that is broken may break the drill itself, and that is a finding
        return Finding(rule=rule, does=does, broken=f"it broke with {type(error).__name__}")
    return Finding(rule=rule, does=does)


@contextmanager
def _overheard() -> Iterator[list[str]]:
    told: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(self.format(record))

    ear = Ear()
    logging.getLogger().addHandler(ear)
    try:
        yield told
    finally:
        logging.getLogger().removeHandler(ear)
