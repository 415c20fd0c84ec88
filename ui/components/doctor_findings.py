"""The doctor's findings: a verdict, a sentence and advice."""

from collections.abc import Sequence
from itertools import groupby

from nicegui import ui

from services.diagnostics.doctor.finding import FAILED, PASSED, WARNING, Finding
from ui.text import _, deferred, labels

NAMES = {
    "app": deferred("Rushes"),
    "address": deferred("Address"),
    "clock": deferred("Clock"),
    "stream": deferred("Event stream"),
    "ranges": deferred("Range requests"),
    "websocket": deferred("WebSocket"),
    "disk": deferred("Disk"),
}
MARKS = {
    PASSED: (deferred("OK"), "held"),
    WARNING: (deferred("warning"), "doubtful"),
    FAILED: (deferred("problem"), "broken"),
}


def findings_of(findings: Sequence[Finding], name: str) -> None:
    """Groups findings by what was examined; `name` is the list's accessible name."""
    with ui.element("ul").classes("r-checks") as list_:
        list_.props["aria-label"] = name
        for subject, found in groupby(findings, key=lambda finding: finding.what):
            _item(_(NAMES[subject]) if subject in NAMES else subject, list(found))


def _item(name: str, findings: Sequence[Finding]) -> None:
    word, state = MARKS[max((finding.mark for finding in findings), key=list(MARKS).index)]
    with ui.element("li").classes(f"r-check {state}"), ui.element("div").classes("r-check-words"):
        with ui.element("p").classes("r-check-head"):
            ui.label(name)
            ui.label(_(word)).classes("r-check-state")
        for finding in findings:
            ui.label(labels.finding_text(finding.says))
            if finding.advice:
                ui.label(labels.finding_text(finding.advice)).classes("r-check-advice")
