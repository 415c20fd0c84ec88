"""Runs drills one at a time, each in a process of its own, so that none affects the running app."""

import asyncio
import logging
import os
import shutil
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from services.core.errors import Sentence
from services.core.events import Broadcaster
from services.diagnostics.doctor.disk import MIN_FREE_BYTES
from services.diagnostics.runs.drill_run import Run, remember, remembered
from services.diagnostics.runs.finding_json import from_line

log = logging.getLogger(__name__)

LAST = "drill.json"
TOPIC = "drill"
MAX_RUN_S = 120.0
STOP_TIMEOUT_S = 0.8
FULL = Sentence("Not enough space: less than 0.2 GB is free on the data folder's disk.")
TOO_LONG = Sentence("Timed out after {seconds} s.", seconds=round(MAX_RUN_S))
CUT_OFF = Sentence("Interrupted: Rushes stopped.")


class DrillRuns:
    """`command` runs one drill and prints each finding as a line; it ends when its input is closed."""

    def __init__(self, command: Sequence[str], folder: Path, *, now: Callable[[], float] = time.time) -> None:
        self.events: Broadcaster[Run] = Broadcaster()
        self._command = command
        self._folder = folder
        self._now = now
        self._run: Run | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._run = await asyncio.to_thread(remembered, self._folder / LAST)

    @property
    def newest(self) -> Run | None:
        """The run under way, else the last one."""
        return self._run

    def start(self) -> Run:
        """Starts a run; returns the one under way instead, whoever started it."""
        if self._run is not None and self._run.under_way:
            return self._run
        run = self._publish(Run(began_at=self._now()))
        self._task = asyncio.create_task(self._supervise(), name="drill")
        return run

    async def close(self) -> None:
        """Ends a run that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _supervise(self) -> None:
        try:
            await self._end(await self._run_command())
        except asyncio.CancelledError:
            await self._end(CUT_OFF)
            raise
        except Exception as error:
            log.exception("The drill could not be played.")
            await self._end(Sentence("The test could not start ({error}).", error=type(error).__name__))

    async def _run_command(self) -> Sentence:
        """Returns why the run was not completed; empty where it was."""
        usage = await asyncio.to_thread(shutil.disk_usage, self._folder)
        if usage.free < MIN_FREE_BYTES:
            return FULL
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            env=os.environ | {"RUSHES_DATA_DIR": str(self._folder.absolute()), "PYTHONUTF8": "1"},
        )
        try:
            async with asyncio.timeout(MAX_RUN_S):
                last_line = await self._read_findings(process)
                code = await process.wait()
        except TimeoutError:
            return TOO_LONG
        finally:
            await _ended(process)
        if code in (0, 1) and not last_line:
            return Sentence()
        return Sentence("The test did not finish: {said}", said=last_line or f"exit code {code}")

    async def _read_findings(self, process: Process) -> str:
        """Publishes each finding; returns the last line of output that is none."""
        assert process.stdout is not None and self._run is not None
        last = ""
        while line := await process.stdout.readline():
            finding = from_line(line)
            if finding is not None:
                self._publish(replace(self._run, findings=(*self._run.findings, finding)))
            else:
                last = line.decode(errors="replace").strip()[:300] or last
        return last

    async def _end(self, trouble: Sentence) -> None:
        """Remembers the run, then publishes it."""
        assert self._run is not None
        ended = replace(self._run, ended_at=self._now(), trouble=trouble)
        try:
            await asyncio.to_thread(remember, ended, self._folder / LAST)
        except OSError as error:
            log.warning("The drill's verdict could not be written down (%s).", error.strerror)
        self._publish(ended)

    def _publish(self, run: Run) -> Run:
        self._run = run
        self.events.publish(run, topic=TOPIC)
        return run


async def _ended(process: Process) -> None:
    """Asks the process to end, so that it removes its folder, then kills it."""
    if process.returncode is not None:
        return
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
