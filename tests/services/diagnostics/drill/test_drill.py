"""The drill passes on this build and fails for a rule that is switched off."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.app.drill_engine import open_for_drill
from services.backends.scripted import Scripted
from services.channels.polling import Polling
from services.channels.race import JobFailed, Race
from services.core.errors import BackendUnavailable, CannotStart, DeliveryFailed, Sentence
from services.core.model import Channel, Failure, Generation, Phase
from services.core.settings import Settings
from services.diagnostics.drill import Drill, Finding, sandbox
from services.diagnostics.drill.checks import CHECKS
from services.diagnostics.drill.rules import RULES
from services.generations.delivery import Delivery
from services.generations.job_watch import JobWatch
from services.generations.supervisor import Supervisor
from services.generations.transitions import Transitions
from services.store import statements
from services.store.store import Store
from tests.mutants.patch import mutants
from tests.support.app import ROOT
from tests.support.proof_counts import proven

Switch = Callable[[pytest.MonkeyPatch], None]


def settings_for(folder: Path) -> Settings:
    return Settings(_env_file=None, data_dir=folder)  # type: ignore[call-arg]


def drilled(folder: Path, *rules: str) -> list[Finding]:
    async def run() -> list[Finding]:
        settings = settings_for(folder)
        return await Drill(functools.partial(open_for_drill, settings), folder).run(frozenset(rules))

    return asyncio.run(run())


def test_the_command_says_that_every_rule_holds_and_leaves_nothing_behind(tmp_path: Path) -> None:
    env = {"PATH": "/usr/bin", "RUSHES_DATA_DIR": str(tmp_path), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "main.py", "drill"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=110
    )
    *lines, last = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert {line.split()[1] for line in lines} == {f"R{number}" for number in range(1, 13)}
    assert all(line.startswith("✓ ") for line in lines)
    assert last == f"All {len(lines)} held."
    proven("drill", checks_held=len(lines))
    assert list(tmp_path.iterdir()) == []


def test_a_data_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands where the folder should")
    with pytest.raises(CannotStart, match="cannot write in the data folder"):
        drilled(tmp_path / "data", "R1")


def test_what_a_killed_drill_has_left_goes_with_the_next_one_and_a_running_ones_stays(tmp_path: Path) -> None:
    for name, age_s in (("drill-killed", 7200), ("drill-running", 1)):
        (tmp_path / name / "media").mkdir(parents=True)
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    drilled(tmp_path, "R1")
    assert [path.name for path in tmp_path.iterdir()] == ["drill-running"]


# -- the rules, switched off ----------------------------------------------------------------------


def without_an_intent(patch: pytest.MonkeyPatch) -> None:
    advance = Transitions.advance

    async def forgetful(self: Transitions, row: Generation, to: Phase, **more: Any) -> Generation | None:
        if to is Phase.SUBMITTING:
            return replace(row, phase=to)
        if to is Phase.PROCESSING:
            await advance(self, row, Phase.SUBMITTING)
        return await advance(self, row, to, **more)

    patch.setattr(Transitions, "advance", forgetful)


def without_compare_and_set(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(statements, "NOT_COMPLETED", None)


def without_epochs(patch: pytest.MonkeyPatch) -> None:
    change = Store._change

    async def ignorant(self: Store, generation_id: str, changes: Any, **more: Any) -> Generation | None:
        return await change(self, generation_id, changes, **{**more, "epoch": None})

    patch.setattr(Store, "_change", ignorant)


def without_push(patch: pytest.MonkeyPatch) -> None:
    async def deaf(self: Race, *_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    patch.setattr(Race, "_listen", deaf)


def without_polling(patch: pytest.MonkeyPatch) -> None:
    async def mute(self: Polling) -> None:
        await asyncio.Event().wait()

    patch.setattr(Polling, "run", mute)


def with_a_submit_that_insists(patch: pytest.MonkeyPatch) -> None:
    submit = Scripted.submit

    async def insistent(self: Scripted, row: Generation, *, source: bytes | None = None) -> str:
        try:
            return await submit(self, row, source=source)
        except BackendUnavailable:
            return await submit(self, row, source=source)

    patch.setattr(Scripted, "submit", insistent)


def without_resuming(patch: pytest.MonkeyPatch) -> None:
    async def nothing(self: Supervisor) -> list[Generation]:
        return []

    patch.setattr(Supervisor, "resume", nothing)


def with_a_race_that_a_bad_file_ends(patch: pytest.MonkeyPatch) -> None:
    def gives_up(self: Race, candidate: Any, _: DeliveryFailed) -> None:
        self._decide(JobFailed(channel=candidate.channel, failure=Failure(text="no")))

    patch.setattr(Race, "_delivery_failed", gives_up)


def with_failures_that_nobody_confirms(patch: pytest.MonkeyPatch) -> None:
    def believes(self: Race, channel: Channel, failure: Failure) -> None:
        self._fail(JobFailed(channel=channel, failure=failure))

    patch.setattr(Race, "_take_failure", believes)


def with_a_watch_that_ends_at_the_message(patch: pytest.MonkeyPatch) -> None:
    def until_the_message(self: JobWatch, row: Generation) -> float:
        return max(0.0, row.created_at + row.late_after_s - self._runtime.now())

    patch.setattr(JobWatch, "_remaining_s", until_the_message)


def with_a_stop_that_bins_what_comes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(statements, "NOT_COMPLETED", statements.OPEN)


def with_progress_as_it_comes(patch: pytest.MonkeyPatch) -> None:
    async def append_log(self: Store, _: Any, progress: Any) -> list[Generation]:
        changed = [await self.update(each.generation_id, progress=each.progress) for each in progress]
        return [row for row in changed if row is not None]

    patch.setattr(Store, "append_log", append_log)


def without_a_barrier(patch: pytest.MonkeyPatch) -> None:
    async def bare(self: Supervisor, row: Generation, resumed: bool) -> None:
        with suppress(RuntimeError):
            await self._run(row, resumed)

    patch.setattr(Supervisor, "_guard", bare)


def without_owners(patch: pytest.MonkeyPatch) -> None:
    get = Store.get

    async def anybody(self: Store, generation_id: str, **_: Any) -> Generation:
        return await get(self, generation_id)

    patch.setattr(Store, "get", anybody)


def with_a_link_in_the_log(patch: pytest.MonkeyPatch) -> None:
    deliver = Delivery.deliver

    async def tells(
        self: Delivery, row: Generation, channel: Channel, result: Any, *more: Any, **named: Any
    ) -> None:
        logging.getLogger("rushes").info("fetching %s", result.url)
        await deliver(self, row, channel, result, *more, **named)

    patch.setattr(Delivery, "deliver", tells)


def with_half_a_receipt(patch: pytest.MonkeyPatch) -> None:
    write = Delivery._receipt
    patch.setattr(Delivery, "_receipt", lambda *of: dataclasses.replace(write(*of), other_said=""))


SWITCHED_OFF = [
    (without_an_intent, "intent_first", "no-intent-row"),
    (without_compare_and_set, "delivered_twice", "completed-may-be-overwritten"),
    (with_a_race_that_a_bad_file_ends, "broken_downloads", "a-dead-address-ends-the-race"),
    (with_failures_that_nobody_confirms, "false_failure", "push-failures-are-believed"),
    (with_a_watch_that_ends_at_the_message, "late", "the-message-is-the-end"),
    (with_a_stop_that_bins_what_comes, "stopped_before_power_cut", "a-stop-bars-the-late-result"),
    (with_a_submit_that_insists, "lost_answer", "unconfirmed-is-sent-again"),
    (without_push, "push_alone", "poll-only"),
    (without_polling, "poll_alone", "push-only"),
    (with_progress_as_it_comes, "progress", "progress-goes-backwards-in-the-row"),
    (without_epochs, "takeover", "no-epoch-check"),
    (without_resuming, "polled_at_start", "a-start-watches-nothing"),
    (without_a_barrier, "watcher_bug", "one-bug-ends-its-watch"),
    (without_owners, "private", "no-owner-in-a-look-up"),
    (with_a_link_in_the_log, "private", "a-link-in-the-log"),
    (with_half_a_receipt, "receipt", "half-a-receipt"),
]
"""The check that finds it, and the mutant that breaks the same rule: its killers find it without a drill."""
QUICK = (without_an_intent, without_compare_and_set, with_failures_that_nobody_confirms)


def each_in_its_share() -> list[Any]:
    return [
        pytest.param(off, check, id=off.__name__, marks=[] if off in QUICK else [pytest.mark.proof])
        for off, check, _ in SWITCHED_OFF
    ]


@pytest.mark.parametrize(("switch_off", "check"), each_in_its_share())
def test_a_build_with_a_rule_switched_off_fails_for_that_rule(
    switch_off: Switch, check: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "WITHIN_S", 8.0)
    monkeypatch.setattr(logging.getLogger("rushes"), "level", logging.INFO)
    switch_off(monkeypatch)
    findings = drilled(tmp_path, CHECKS[check].rule)
    found = any(finding.broken for finding in findings if finding.check == check)
    proven("drill", rules_switched_off=1, found=int(found), not_found=int(not found))
    assert found, [str(finding) for finding in findings]
    assert not any("the check crashed" in str(finding.broken) for finding in findings), [
        str(f) for f in findings
    ]


def test_each_switched_off_rule_is_tried_without_a_drill_too() -> None:
    assert {mutant for *_, mutant in SWITCHED_OFF} <= mutants().keys()
    assert {CHECKS[check].rule for _, check, _ in SWITCHED_OFF} == RULES.keys()


def test_a_finding_is_a_sentence_with_what_was_seen_instead() -> None:
    broken = Finding("gateway_error", Sentence("it was sent {count} times", count=2))
    assert str(broken) == (
        "✗ R6   A gateway answers 502: unconfirmed, not sent again. Result: it was sent 2 times."
    )
    assert str(Finding("gateway_error")).endswith("not sent again.")


def test_each_rule_has_a_check() -> None:
    assert {check.rule for check in CHECKS.values()} == RULES.keys()
