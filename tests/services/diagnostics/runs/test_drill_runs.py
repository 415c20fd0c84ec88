"""One drill at a time, in a process of its own: what it says is told as it comes, and nothing of it stays."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path

import psutil
import pytest

from services.core.errors import Sentence
from services.diagnostics.drill.checks import CHECKS
from services.diagnostics.runs import Run
from services.diagnostics.runs import drill_runs as room
from services.diagnostics.runs.drill_runs import DrillRuns
from tests.support.fake_drill import lines, print_command

pytestmark = pytest.mark.asyncio


async def played(drills: DrillRuns) -> Run:
    drills.start()
    async with asyncio.timeout(60):
        while drills.newest is None or drills.newest.under_way:
            await asyncio.sleep(0.02)
    return drills.newest


async def test_each_finding_is_told_as_it_comes_and_the_verdict_is_remembered(tmp_path: Path) -> None:
    drills = DrillRuns(print_command(lines()), tmp_path)
    heard: list[Run] = []
    drills.events.subscribe(heard.append)
    run = await played(drills)
    assert [len(news.findings) for news in heard] == [0, *range(1, len(CHECKS) + 1), len(CHECKS)]
    assert run.held
    reopened = DrillRuns([], tmp_path)
    await reopened.open()
    assert reopened.newest == run


async def test_a_rule_that_did_not_hold_is_remembered_with_what_was_seen(tmp_path: Path) -> None:
    seen = Sentence("it was sent {count} times", count=2)
    run = await played(DrillRuns(print_command(lines(broken={"lost_answer": seen}), code=1), tmp_path))
    assert not run.held and not run.trouble
    assert [(finding.rule, str(finding.broken)) for finding in run.broken] == [("R6", "it was sent 2 times")]
    reopened = DrillRuns([], tmp_path)
    await reopened.open()
    assert reopened.newest == run


async def test_whoever_presses_meanwhile_watches_the_same_one(tmp_path: Path) -> None:
    drills = DrillRuns(print_command(lines(), waits=True), tmp_path)
    first = drills.start()
    assert drills.start() is first
    await drills.close()


async def test_it_ends_with_the_app_and_says_so(tmp_path: Path) -> None:
    drills = DrillRuns(print_command(lines(), waits=True), tmp_path)
    drills.start()
    async with asyncio.timeout(20):
        while drills.newest is None or not drills.newest.findings:
            await asyncio.sleep(0.02)
    (child,) = psutil.Process().children()
    await drills.close()
    assert not child.is_running()
    assert drills.newest.trouble == room.CUT_OFF
    assert not drills.newest.held


async def test_one_that_does_not_heed_the_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_RUN_S", 0.3)
    monkeypatch.setattr(room, "STOP_TIMEOUT_S", 0.1)
    run = await played(DrillRuns([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path))
    assert run.trouble == room.TOO_LONG
    assert psutil.Process().children() == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (print_command(["Rushes cannot start: the drill cannot write."], code=1), "the drill cannot write."),
        (print_command(["{", '{"trial": "nobody", "broken": null}'], code=0), "nobody"),
        (print_command([], code=3), "exit code 3"),
        (["/nowhere/python"], "FileNotFoundError"),
        ([sys.executable, "-c", "print('x' * 200_000)"], "ValueError"),
    ],
    ids=["refused", "unknown", "died", "not there", "endless line"],
)
async def test_one_that_cannot_run_is_a_sentence(command: list[str], said: str, tmp_path: Path) -> None:
    run = await played(DrillRuns(command, tmp_path))
    assert said in str(run.trouble)
    assert not run.held


async def test_one_that_leaves_something_untried_did_not_hold(tmp_path: Path) -> None:
    run = await played(DrillRuns(print_command(lines(without={"takeover"})), tmp_path))
    assert not run.trouble and not run.broken
    assert not run.held


async def test_a_full_disk_is_not_filled_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: usage._replace(free=10**8))
    run = await played(DrillRuns(print_command(lines()), tmp_path))
    assert run.trouble == room.FULL
    assert run.findings == ()


@pytest.mark.parametrize("text", ["", "[", "null", '{"began_at": 1}', json.dumps({"began_at": 1, "ended_at": 2, "trouble": {"sentence": "", "values": {}}, "findings": 3})])  # fmt: skip
async def test_a_verdict_that_cannot_be_read_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / room.LAST).write_text(text)
    drills = DrillRuns([], tmp_path)
    await drills.open()
    assert drills.newest is None
