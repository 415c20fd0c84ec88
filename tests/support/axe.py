"""Accessibility checks of a page with axe-core.

`axe_core/` holds version 4.14.1 as published (`npm pack axe-core@4.14.1`: axe.min.js and its licences, MPL-2.0), so
that the tests need neither npm nor a network. Only the tests' browser loads it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

GRAVE = ("serious", "critical")


@cache
def _script() -> str:
    return (Path(__file__).parent / "axe_core" / "axe.min.js").read_text()


def grave_findings(page: Page) -> str:
    """One line per node: rule, impact, HTML and failure; empty when there are none."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())  # not as a script tag, which the page's content policy forbids
    # preload makes requests, for which Quasar shows a bar; no serious rule needs it
    report = page.evaluate("axe.run({ resultTypes: ['violations'], preload: false })")
    assert report["passes"], "axe checked nothing"
    return "\n".join(
        f"{rule['id']} ({rule['impact']}): {node['html'][:160]} · {node['failureSummary'].splitlines()[-1].strip()}"
        for rule in report["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    )
