"""axe-core looks at a page and says what keeps people out of it.

`axe_core/` holds version 4.14.1 as npm gives it (`npm pack axe-core@4.14.1`: axe.min.js and its licences, MPL-2.0),
so that the tests need neither npm nor a network. It goes to no browser but the tests'.
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
    """One line for each place: the rule, where, and what is wrong there. Empty is good."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_script())  # not as a tag: the page's own policy may stay as it is
    # without its own requests, for which Quasar would show a bar; no rule with a grave finding needs them
    report = page.evaluate("axe.run({ resultTypes: ['violations'], preload: false })")
    assert report["passes"], "axe looked at nothing"
    return "\n".join(
        f"{rule['id']} ({rule['impact']}): {node['html'][:160]} · {node['failureSummary'].splitlines()[-1].strip()}"
        for rule in report["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    )
