"""The page's drill as it truly is: a process, which goes with the app however the app ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from services.app.backends import InstalledBackends
from services.app.build import build_diagnostics
from services.core.settings import Settings
from services.diagnostics.runs import DrillRuns
from tests.services.diagnostics.runs.test_drill_runs import played
from tests.support.app import RunningApp, running_app
from tests.support.fake_drill import drill_without
from tests.support.proof_counts import proven

pytestmark = [pytest.mark.proof, pytest.mark.timeout(120)]


def drilling(app: RunningApp) -> list[psutil.Process]:
    """The drill's own process."""
    return [one for one in psutil.Process(app.process.pid).children() if "--lines" in one.cmdline()]


def begun(app: RunningApp) -> psutil.Process:
    assert app.post("/api/drill").status_code == 202
    app.wait_until(lambda: list(app.data_dir.glob("drill-*")), 20)
    (process,) = drilling(app)
    return process


def test_a_fresh_install_holds_and_what_is_under_way_beside_it_arrives(tmp_path: Path) -> None:
    with running_app(tmp_path) as app:
        app.wait_for_models()
        begun(app)
        film = app.generate("a kite beside a drill", resolution="360p", duration=1, fps=12)
        assert app.wait_for(film)["status"] == "completed"
        app.wait_until(lambda: not app.get("/api/drill")["drill"]["under_way"], 60)
        told = app.get("/api/drill")["drill"]
        assert told["held"], told
        assert list(app.data_dir.glob("drill-*")) == []
        assert len(app.get("/api/files")["items"]) == 1
        proven("drill", green_runs=1, rules_held=len({found["rule"] for found in told["findings"]}))


def test_it_goes_when_the_app_stops_and_when_it_is_killed(tmp_path: Path) -> None:
    with running_app(tmp_path, RUSHES_ANIMATIC="false") as app:
        process = begun(app)
        assert app.stop() < 4.0
        assert not process.is_running()
        assert "Traceback" not in app.log
        app.start()
        assert "Rushes stopped" in app.get("/api/drill")["drill"]["trouble"]
        process = begun(app)
        app.kill()
        app.wait_until(lambda: not process.is_running(), 10)
        app.start()
    assert list(tmp_path.glob("drill-*")) == []


@pytest.mark.parametrize(
    ("switch", "rule"),
    [("without_compare_and_set", "R2"), ("with_a_submit_that_insists", "R6"), ("without_polling", "R7")],
)
def test_a_build_with_a_rule_switched_off_is_red_through_its_process_too(
    switch: str, rule: str, tmp_path: Path
) -> None:
    async def run() -> None:
        drilled = await played(DrillRuns(drill_without(switch), tmp_path))
        assert not drilled.trouble
        assert rule in {finding.rule for finding in drilled.broken}, drilled

    asyncio.run(run())
    proven("drill", rules_switched_off=1, found=1, not_found=0)


def test_the_command_that_the_engine_is_given_is_the_drill(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path)  # type: ignore[call-arg]
    diagnostics = build_diagnostics(settings, InstalledBackends(backends={}, addresses={}))
    run = asyncio.run(_played(diagnostics.drills))
    assert run is True


async def _played(drills: DrillRuns) -> bool:
    return (await played(drills)).held
