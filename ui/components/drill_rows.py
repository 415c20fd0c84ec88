"""One row for each rule, with the drill's findings so far."""

from nicegui import ui

from services.diagnostics.drill import Finding
from services.diagnostics.drill.checks import CHECKS
from services.diagnostics.drill.rules import RULES
from services.diagnostics.runs import Run
from ui.text import _, deferred, labels

STATES = {
    "waiting": deferred("not run yet"),
    "left": deferred("not run"),
    "trying": deferred("running"),
    "held": deferred("passed"),
    "broken": deferred("failed"),
}


class DrillRows:
    def __init__(self) -> None:
        with ui.element("ul").classes("r-checks") as list_:
            list_.props["aria-label"] = _("Rules")
            self._rows = [_Row(rule) for rule in RULES]

    def refresh(self, run: Run | None) -> None:
        for row in self._rows:
            row.refresh(run)


class _Row:
    def __init__(self, rule: str) -> None:
        self._trials = [name for name, trial in CHECKS.items() if trial.rule == rule]
        self._shown: tuple[str, tuple[Finding, ...]] | None = None
        with ui.element("li").classes("r-check") as self._item, ui.element("div").classes("r-check-words"):
            with ui.element("p").classes("r-check-head"):
                ui.label(rule).classes("r-check-number")
                ui.label(_(RULES[rule]))
                self._state_label = ui.label().classes("r-check-state")
            for name in self._trials:
                ui.label(_(CHECKS[name].does)).classes("r-check-trial")
            self._details = ui.element("div").classes("r-check-seen")

    def refresh(self, run: Run | None) -> None:
        found = [finding for finding in run.findings if finding.check in self._trials] if run else []
        broken = tuple(finding for finding in found if finding.broken)
        state = "broken" if broken else self._state_of(run, len(found))
        if self._shown == (state, broken):
            return
        self._shown = state, broken
        self._item.classes(replace=f"r-check {state}")
        self._state_label.text = _(STATES[state])
        self._details.clear()
        with self._details:
            for finding in broken:
                ui.label(_("Result: {what}.").format(what=labels.finding_text(finding.broken)))

    def _state_of(self, run: Run | None, found: int) -> str:
        if found == len(self._trials):
            return "held"
        if run is None:
            return "waiting"
        return "trying" if run.under_way else "left"
