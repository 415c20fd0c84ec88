"""Plays all faults, and says of each rule whether it held."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from services.core.errors import CannotStart, Sentence
from services.diagnostics.drill.files import Files
from services.diagnostics.drill.finding import Finding
from services.diagnostics.drill.lives import two_lives
from services.diagnostics.drill.over_http import hosted
from services.diagnostics.drill.plan import AFTERWARDS, TOGETHER, Trial
from services.diagnostics.drill.shared import Shared
from services.diagnostics.drill.stage import Broken, OpenEngine, Stage
from services.diagnostics.drill.witness import RecordingBackend

PREFIX = "drill-"
LEFT_AFTER_S = 3600.0
AT_ONCE = 16
"""So that a small machine is not late for each of them."""


class Drill:
    """`folder` is this install's data folder: the drill works in one of its own inside, and removes it."""

    def __init__(self, open_engine: OpenEngine, folder: Path) -> None:
        self._open_engine = open_engine
        self._folder = folder

    async def run(
        self, rules: frozenset[str] | None = None, *, tell: Callable[[Finding], object] = lambda _: None
    ) -> list[Finding]:
        """Of all rules, or of those that are named; in the order of their numbers. `tell` hears each at once.

        Raises CannotStart where the data folder cannot be written.
        """
        turns = asyncio.Semaphore(AT_ONCE)

        async def played(trial: Trial) -> Finding:
            async with turns:
                finding = await _played(stage, trial)
            tell(finding)
            return finding

        with _a_folder_in(self._folder) as folder, _overheard() as told:
            async with self._stage(folder) as stage:
                stage.told = told
                findings = await asyncio.gather(*(played(trial) for trial in _of(rules, TOGETHER)))
                findings += [await played(trial) for trial in _of(rules, AFTERWARDS)]
        return sorted(findings, key=lambda finding: int(finding.rule[1:]))

    @asynccontextmanager
    async def _stage(self, folder: Path) -> AsyncIterator[Stage]:
        backend = RecordingBackend()
        async with (
            Files().serving() as files,
            self._open_engine(folder, [backend], [files.origin]) as engine,
        ):
            stage = Stage(
                open_engine=self._open_engine, folder=folder, backend=backend, files=files, engine=engine
            )
            backend.read_row = engine.store.get
            await stage.models_known(backend)
            with stage.listening(engine):
                async with (
                    Shared("two lives", lambda: two_lives(stage)) as stage.lives,
                    Shared("hosted", lambda: hosted(stage)) as stage.hosted,
                ):
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


def _of(rules: frozenset[str] | None, trials: tuple[Trial, ...]) -> list[Trial]:
    return [trial for trial in trials if rules is None or trial.rule in rules]


async def _played(stage: Stage, trial: Trial) -> Finding:
    try:
        await trial.play(stage)
    except Broken as broken:
        return Finding(trial.name, broken.seen)
    except Exception as error:  # a rule that is broken may break the drill itself, and that is a finding
        return Finding(trial.name, Sentence("it broke with {error}", error=type(error).__name__))
    return Finding(trial.name)


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
