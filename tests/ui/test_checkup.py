"""The check-up without a browser: the drill's rows and the doctor's findings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User

from services.core.errors import Sentence
from services.diagnostics.drill.checks import CHECKS, Finding
from services.diagnostics.drill.rules import RULES
from services.diagnostics.runs.drill_run import Run, remember
from services.diagnostics.service import Diagnostics
from tests.support.eventually import equals
from tests.support.fake_drill import diagnostics, drill_without, lines, print_command
from tests.support.patient_user import patient_user
from tests.support.proof_counts import proven
from tests.ui.stand_in_services import StandInServices
from tests.ui.test_library import press
from ui.components.browser_probe import BrowserProbe
from ui.pages.routes import register

pytestmark = pytest.mark.asyncio

ALL_WELL: dict[str, Any] = {
    "number": 1,
    "origin": "http://localhost",
    "seconds": 35,
    "stream": {"status": 200, "lags_s": [0.01, 0.02], "complete": True, "lived_s": 35.1, "quiet_s": 0},
    "ranges": {"status": 206, "size": 200, "right": True},
    "websocket": {"opened": True, "ours": True},
}
Visiting = Callable[[Diagnostics], AbstractAsyncContextManager[User]]


@pytest.fixture
def visiting() -> Visiting:
    @asynccontextmanager
    async def context(diagnostics: Diagnostics):  # type: ignore[no-untyped-def]
        stand_in = StandInServices()
        async with patient_user() as simulated:
            await diagnostics.open()
            register(
                stand_in.as_generations(),
                stand_in.as_library(),
                stand_in.as_chats(),
                stand_in.as_deliveries(),
                diagnostics,
            )
            await simulated.open("/checkup")
            yield simulated
            await diagnostics.close()

    return context


def states(user: User) -> dict[str, str]:
    """Returns the state shown for each rule."""
    with user:
        rows = [one for one in ElementFilter(kind=ui.element) if "r-check" in one.classes and one.tag == "li"]
    report = [[child for child in row.descendants() if isinstance(child, ui.label)] for row in rows]
    return {
        labels[0].text: next(one.text for one in labels if "r-check-state" in one.classes)
        for labels in report
    }


def measure(user: User, report: object) -> None:
    """Sends the browser's report."""
    with user:
        (browser,) = ElementFilter(kind=BrowserProbe)
    for listener in browser._event_listeners.values():
        if listener.type == "measured":
            browser._handle_event({"listener_id": listener.id, "args": report})


async def test_every_rule_is_there_before_the_first_drill(visiting: Visiting, tmp_path: Path) -> None:
    async with visiting(diagnostics([], tmp_path)) as user:
        assert states(user) == dict.fromkeys(RULES, "not run yet")
        await user.should_see("Not run yet.")


async def test_a_drill_turns_each_rule_to_held(visiting: Visiting, tmp_path: Path) -> None:
    async with visiting(diagnostics(print_command(lines()), tmp_path)) as user:
        press(user, "Run reliability test")
        await user.should_see("All 12 rules passed.")
        await equals(lambda: states(user), dict.fromkeys(RULES, "passed"))


async def test_what_was_seen_instead_stands_under_its_rule(visiting: Visiting, tmp_path: Path) -> None:
    seen = {"lost_answer": Sentence("it was sent {count} times", count=2)}
    async with visiting(diagnostics(print_command(lines(broken=seen), code=1), tmp_path)) as user:
        press(user, "Run reliability test")
        await user.should_see("1 rule failed.")
        await user.should_see("Result: it was sent 2 times.")
        await equals(lambda: [rule for rule, state in states(user).items() if state != "passed"], ["R6"])


async def test_under_way_it_says_how_far_it_is_and_a_second_press_begins_no_second_one(
    visiting: Visiting, tmp_path: Path
) -> None:
    drilled = diagnostics(
        print_command(lines(without=set(CHECKS) - {"late", "lost_answer"}), waits=True), tmp_path
    )
    async with visiting(drilled) as user:
        press(user, "Run reliability test")
        await user.should_see(f"2 of {len(CHECKS)} checks done")
        first = drilled.drills.newest
        press(user, "Run reliability test")
        await user.should_see(f"2 of {len(CHECKS)} checks done")
        assert drilled.drills.newest is first
        await equals(lambda: set(states(user).values()), {"running"})


async def test_one_that_cannot_run_says_why(visiting: Visiting, tmp_path: Path) -> None:
    refusal = print_command(["Rushes cannot start: the drill cannot write in the data folder."], code=1)
    async with visiting(diagnostics(refusal, tmp_path)) as user:
        press(user, "Run reliability test")
        await user.should_see("the drill cannot write in the data folder")
        await equals(lambda: states(user), dict.fromkeys(RULES, "not run"))


async def test_the_last_verdict_is_there_after_a_restart(visiting: Visiting, tmp_path: Path) -> None:
    held = Run(began_at=1.0, ended_at=1_790_000_000.0, findings=tuple(Finding(name) for name in CHECKS))
    remember(held, tmp_path / "drill.json")
    async with visiting(diagnostics([], tmp_path)) as user:
        await user.should_see("All 12 rules passed.")
        await user.should_see("Last run")


async def test_it_speaks_russian_too(visiting: Visiting, tmp_path: Path) -> None:
    seen = {"lost_answer": Sentence("it was sent {count} times", count=2)}
    async with visiting(diagnostics(print_command(lines(broken=seen), code=1), tmp_path)) as user:
        user.http_client.headers["Accept-Language"] = "ru"
        await user.open("/checkup")
        press(user, "Запустить проверку")
        await user.should_see("Нарушено 1 правило.")
        await user.should_see("Результат: отправлено раз: 2.")


@pytest.mark.proof
async def test_a_build_with_a_rule_switched_off_is_red_on_the_page(
    visiting: Visiting, tmp_path: Path
) -> None:
    async with visiting(diagnostics(drill_without("with_a_submit_that_insists"), tmp_path)) as user:
        press(user, "Run reliability test")
        await user.should_see("1 rule failed.", retries=400)
        await user.should_see("Seen instead: it is not shown as unconfirmed.")
        broken = {"R6": "failed"}
        await equals(lambda: states(user), dict.fromkeys(RULES, "passed") | broken)
    proven("drill", rules_switched_off=1, found=1, not_found=0)


async def test_what_the_browser_measured_is_judged(visiting: Visiting, tmp_path: Path) -> None:
    async with visiting(diagnostics([], tmp_path)) as user:
        measure(user, ALL_WELL)
        await user.should_see("Stable for 35 s.")
        await user.should_see("This browser's clock matches the server's.")
        cut = {"status": 200, "lags_s": [0, 7.0], "complete": False, "lived_s": 30.2, "quiet_s": 10}
        measure(user, {**ALL_WELL, "number": 2, "stream": cut, "websocket": {"opened": False, "ours": False}})
        await user.should_see("Disconnected after about 30 s, 10 s after the last event.")
        await user.should_see("Buffered: events arrive up to 7 s late.")
        await user.should_see("Does not connect; pages do not update.")


async def test_a_url_other_than_the_public_one_is_reported(visiting: Visiting, tmp_path: Path) -> None:
    async with visiting(diagnostics([], tmp_path, public_url="https://rushes.example/")) as user:
        measure(user, ALL_WELL)
        await user.should_see(
            "Measured at http://localhost, but the public address is https://rushes.example/."
        )
        measure(user, {**ALL_WELL, "number": 2, "origin": "https://rushes.example"})
        await user.should_see("Measured at https://rushes.example.")


@pytest.mark.parametrize(
    "report",
    [
        None,
        [],
        {**ALL_WELL, "seconds": 10**9},
        {**ALL_WELL, "stream": {**ALL_WELL["stream"], "lags_s": [float("nan")]}},
        {**ALL_WELL, "stream": {**ALL_WELL["stream"], "lags_s": [0.0] * 2000}},
        {**ALL_WELL, "stream": {**ALL_WELL["stream"], "lived_s": "1"}},
        {**ALL_WELL, "origin": "x" * 1000},
    ],
    ids=["nothing", "a list", "years", "no number", "many", "a text", "long"],
)
async def test_an_invalid_browser_report_is_refused(
    report: object, visiting: Visiting, tmp_path: Path
) -> None:
    async with visiting(diagnostics([], tmp_path)) as user:
        measure(user, report)
        await user.should_see("This browser's measurements could not be read.")


async def test_the_way_to_it_stands_on_the_deliveries_and_in_the_settings(user: User) -> None:
    for place in ("/deliveries", "/settings"):
        await user.open(place)
        with user:
            assert any(one._props.get("href") == "/checkup" for one in ElementFilter(kind=ui.element))
