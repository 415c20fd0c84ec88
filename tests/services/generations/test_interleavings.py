"""Random interleavings of both channels, crashes, stops and checks: the promise holds in each."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import looptime
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from services.backends.base import Capabilities
from services.backends.scripted import Script, Scripted
from services.core.model import FINAL, LOCAL_OWNER, Generation, Phase
from tests.support.engine_harness import EngineHarness
from tests.support.proof_counts import proven

STREAMS = st.sampled_from(
    ["ok", "silent", "dead", "ended", "drops", "garbage", "foreign", "refused", "server_error", "no_content"]
)
POLLS = st.sampled_from(["ok", "gone", "busy", "server_error", "hang", "malformed"])
SUBMITS = st.sampled_from(["ok", "ok", "ok", "not_taken", "lost_before", "lost_after", "misspoke", "refused"])
SCRIPTS = st.builds(
    Script,
    length_s=st.floats(0.0, 60.0),
    fails=st.sampled_from([None, None, None, "moderated"]),
    submits=st.lists(SUBMITS, min_size=1, max_size=3).map(lambda row: (*row, "ok")),
    streams=st.lists(STREAMS, min_size=1, max_size=4).map(tuple),
    polls=st.lists(POLLS, max_size=4).map(lambda row: (*row, "ok")),
    urls=st.lists(
        st.sampled_from(["https://a.example/1", "https://b.example/2", "https://bad.example/403"]), max_size=3
    ).map(lambda row: (*row, "https://a.example/1")),
    repeats=st.integers(1, 3),
)
WAITS = st.one_of(st.floats(0.0, 0.1), st.floats(0.0, 30.0), st.floats(0.0, 120.0))


A_FEW = settings(
    max_examples=20,
    stateful_step_count=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


TWINS_SEED = 7


class Lives(RuleBasedStateMachine):
    """The invariants are those of reliability.md's last section, checked when everything has settled."""

    @initialize(idempotent=st.booleans(), searchable=st.booleans(), script=SCRIPTS)
    def begin(self, idempotent: bool, searchable: bool, script: Script) -> None:
        logging.disable(logging.CRITICAL)
        self.loop = looptime.new_event_loop(start=0)
        self.folder = Path(tempfile.mkdtemp(prefix="rushes-lives-"))
        self.scripts: dict[str, Script] = {}
        self.started: list[Generation] = []
        self.resent: set[str] = set()
        backend = Scripted(
            self._script, capabilities=Capabilities(idempotent=idempotent, searchable=searchable)
        )
        self.harness = EngineHarness(self.folder, backend, bytes_ok=lambda url: "bad" not in url)
        self._run(self.harness.open())
        self.start(script)

    @rule(script=SCRIPTS, twin=st.booleans())
    def start(self, script: Script, twin: bool = False) -> None:
        """Twins ask for the very same."""
        self.next_script = script
        started = self._run(self.harness.start(seed=TWINS_SEED if twin else None))
        self.scripts.setdefault(started.id, script)
        self.started.append(started)

    @rule(seconds=WAITS)
    def wait(self, seconds: float) -> None:
        self._run(asyncio.sleep(seconds))

    @rule(away_s=WAITS)
    def crash(self, away_s: float) -> None:
        self._run(self.harness.crash())
        self._run(asyncio.sleep(away_s))
        self._run(self.harness.open())

    @rule(which=st.integers(0, 99))
    def stop(self, which: int) -> None:
        if self.started:
            self._run(self.harness.generations.stop(self._pick(which), owner=LOCAL_OWNER))

    @rule(which=st.integers(0, 99))
    def check(self, which: int) -> None:
        if self.started:
            self._run(self.harness.generations.check(self._pick(which), owner=LOCAL_OWNER))

    @rule(which=st.integers(0, 99))
    def submit_again(self, which: int) -> None:
        if self.started:
            chosen = self._pick(which)
            if self._run(self.harness.store.get(chosen)).phase is Phase.UNCONFIRMED:
                self.resent.add(chosen)
                self._run(self.harness.generations.submit_again(chosen, owner=LOCAL_OWNER))

    @rule(listed=st.booleans())
    def list_jobs(self, listed: bool) -> None:
        self.harness.backend.lists = ("ok" if listed else "unavailable",)

    @rule()
    def reconcile_regularly(self) -> None:
        self._run(self.harness.reconciler.run_once())

    def teardown(self) -> None:
        if not hasattr(self, "harness"):
            return
        try:
            self._run(asyncio.sleep(300.0))
            self._run(self.harness.crash())
            self._run(self.harness.open())
            self._run(asyncio.sleep(900.0))
            self.harness.backend.lists = ("ok",)
            self._run(self.harness.reconciler.run_once())
            self._run(asyncio.sleep(900.0))
            self._check_the_promise()
            self._run(self.harness.close())
        finally:
            logging.disable(logging.NOTSET)
            self.loop.close()
            shutil.rmtree(self.folder)

    # -- the promise -------------------------------------------------------------------------

    def _check_the_promise(self) -> None:
        kept_names = set()
        for started in self.started:
            row = self._run(self.harness.store.get(started.id))
            self._paid_once(row)
            self._never_backwards(row)
            self._settled(row)
            self._found(row)
            if row.kept is not None:
                kept_names.add(row.kept.name)
        left_by_crashes = self.harness.ingest.files - kept_names
        self._count(kept_names)
        assert kept_names <= self.harness.ingest.files, "every kept result has its bytes"
        assert all(self._crashed() for _ in left_by_crashes), "no second copy without a crash"

    def _count(self, kept_names: set[str]) -> None:
        jobs = Counter(job.generation.id for job in self.harness.backend.jobs.values())
        proven(
            "lives",
            lives=1,
            generations=len(self.started),
            results=len(kept_names),
            lost=len(kept_names - self.harness.ingest.files),
            paid_twice=sum(1 for id, many in jobs.items() if many > 1 and id not in self.resent),
        )

    def _paid_once(self, row: Generation) -> None:
        if row.id not in self.resent:
            assert self.harness.backend.paid(row.id) <= 1, "never paid twice"

    def _never_backwards(self, row: Generation) -> None:
        told = self.harness.snapshots(row)
        progress = [news.progress for news in told if news.progress is not None]
        assert progress == sorted(progress), "progress never goes backwards"
        completions = {news.receipt.kept_at for news in told if news.receipt is not None}
        assert len(completions) <= 1, "delivered once"
        final = [news.phase for news in told if news.phase in FINAL]
        if Phase.COMPLETED in final:
            assert set(final[final.index(Phase.COMPLETED) :]) == {Phase.COMPLETED}, (
                "completed is never changed"
            )

    def _settled(self, row: Generation) -> None:
        jobs = [job for job in self.harness.backend.jobs.values() if job.generation.id == row.id]
        script = self.scripts[row.id]
        assert row.phase in FINAL | {Phase.UNCONFIRMED}, "nothing hangs"
        if row.job_id is not None and script.fails is None:
            assert row.phase is Phase.COMPLETED, "never lost"
        if not jobs:
            assert row.phase is not Phase.COMPLETED, "nothing comes from nothing"

    def _found(self, row: Generation) -> None:
        """What was paid for is watched, by the row that asked for it, and by no other."""
        harness = self.harness
        jobs = [job for job in harness.backend.jobs.values() if job.generation.id == row.id]
        if row.job_id is not None:
            asked = harness.backend.jobs[row.job_id].generation.id
            assert asked == row.id or asked in self.resent, "nobody takes another's job"
        elif len(jobs) == 1 and row.request.seed != TWINS_SEED:
            assert not harness.backend.capabilities.searchable, "what was taken unheard is found"

    # -- below -------------------------------------------------------------------------------

    def _script(self, generation: Generation) -> Script:
        return self.scripts.setdefault(generation.id, self.next_script)

    def _pick(self, which: int) -> str:
        return self.started[which % len(self.started)].id

    def _crashed(self) -> bool:
        return self.harness._opened > 2

    def _run(self, act: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(act)


@pytest.mark.proof
@pytest.mark.timeout(1200)
class TestManyLives(Lives.TestCase):  # type: ignore[name-defined,misc]
    settings = settings(A_FEW, max_examples=100)


@pytest.mark.timeout(600)
class TestLives(Lives.TestCase):  # type: ignore[name-defined,misc]
    settings = A_FEW
