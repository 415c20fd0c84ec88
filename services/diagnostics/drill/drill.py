"""Runs the checks in a folder of its own and reports a finding for each."""

import asyncio
import io
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from services.core.errors import CannotStart, Sentence
from services.diagnostics.drill.checks import AFTER_POWER_CUT, CONCURRENT, LAST, Finding
from services.diagnostics.drill.loopback_service import LoopbackService
from services.diagnostics.drill.power_cut_checks import restarted_after_power_cut
from services.diagnostics.drill.rules import Check
from services.diagnostics.drill.sandbox import OpenEngine, RuleBroken, Sandbox

PREFIX = "drill-"
STALE_S = 3600.0
Report = Callable[[Finding], object]


class Drill:
    """Works in a temporary folder inside `folder`, the install's data folder."""

    def __init__(self, open_engine: OpenEngine, folder: Path) -> None:
        self._open_engine = open_engine
        self._folder = folder

    async def run(
        self, rules: frozenset[str] | None = None, *, report: Report = lambda _: None
    ) -> list[Finding]:
        """Tries all rules, or the named ones, and returns the findings in the order of the rules.

        `report` gets each finding at once. Raises CannotStart where the data folder cannot be written.
        """

        def chosen(checks: Sequence[Check]) -> list[Check]:
            return [check for check in checks if rules is None or check.rule in rules]

        with (
            _temporary_folder(self._folder) as folder,
            _captured_log() as log,
            LoopbackService().serving() as service,
        ):
            sandbox = Sandbox(open_engine=self._open_engine, folder=folder, service=service, log=log)
            async with sandbox.opened():
                concurrent, after_power_cut = await asyncio.gather(
                    _run_all(chosen(CONCURRENT), sandbox, report),
                    _run_after_power_cut(chosen(AFTER_POWER_CUT), sandbox, report),
                )
                last = await _run_all(chosen(LAST), sandbox, report)
        findings = [*concurrent, *after_power_cut, *last]
        return sorted(findings, key=lambda finding: int(finding.rule[1:]))


async def _run_all(checks: Sequence[Check], sandbox: Sandbox, report: Report) -> list[Finding]:
    return await asyncio.gather(*(_run(check, sandbox, report) for check in checks))


async def _run(check: Check, sandbox: Sandbox, report: Report) -> Finding:
    broken = Sentence()
    try:
        await check.run(sandbox)
    except Exception as error:  # a broken rule may break the check itself
        broken = _breach(error)
    return _reported(Finding(check.name, broken), report)


async def _run_after_power_cut(checks: Sequence[Check], sandbox: Sandbox, report: Report) -> list[Finding]:
    if not checks:
        return []
    async with AsyncExitStack() as stack:
        try:
            after = await stack.enter_async_context(restarted_after_power_cut(sandbox))
        except Exception as error:
            return [_reported(Finding(check.name, _breach(error)), report) for check in checks]
        return await _run_all(checks, after, report)


def _reported(finding: Finding, report: Report) -> Finding:
    report(finding)
    return finding


def _breach(error: Exception) -> Sentence:
    if isinstance(error, RuleBroken):
        return error.seen
    return Sentence("the check crashed: {error}", error=type(error).__name__)


@contextmanager
def _temporary_folder(data_dir: Path) -> Iterator[Path]:
    """Is removed at the end, together with folders that a killed drill left."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        for left in data_dir.glob(f"{PREFIX}*"):
            if time.time() - left.stat().st_mtime > STALE_S:
                shutil.rmtree(left, ignore_errors=True)
        folder = tempfile.TemporaryDirectory(prefix=PREFIX, dir=data_dir)
    except OSError as error:
        raise CannotStart(
            f"the drill cannot write in the data folder {data_dir} ({error.strerror}). Make it writable."
        ) from error
    with folder as name:
        yield Path(name)


@contextmanager
def _captured_log() -> Iterator[io.StringIO]:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    try:
        yield log
    finally:
        logging.getLogger().removeHandler(handler)
