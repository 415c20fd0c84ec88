"""Drills for tests: one with given output, and one on a build with a rule switched off.

`python -m tests.support.fake_drill SWITCH …` is `main.py …` with that function of the drill's own tests applied.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from services.core.errors import Sentence
from services.diagnostics.doctor import Doctor
from services.diagnostics.drill.checks import CHECKS, Finding
from services.diagnostics.runs import DrillRuns
from services.diagnostics.runs.finding_json import to_line
from services.diagnostics.service import Diagnostics
from tests.support.app import ROOT

SWITCHES = ROOT / "tests" / "services" / "diagnostics" / "drill" / "test_drill.py"


def lines(
    *, broken: dict[str, Sentence] | None = None, without: set[str] | frozenset[str] = frozenset()
) -> list[str]:
    """The output of a drill in which everything else holds."""
    findings = broken or {}
    return [to_line(Finding(name, findings.get(name, Sentence()))) for name in CHECKS if name not in without]


def print_command(text: list[str], *, code: int = 0, waits: bool = False) -> list[str]:
    """A command that prints these lines and ends, or waits until its input is closed."""
    program = f"import sys; print({chr(10).join(text)!r}, flush=True); {'sys.stdin.read();' if waits else ''} sys.exit({code})"
    return [sys.executable, "-c", program]


def diagnostics(command: list[str], folder: Path, **changes: Any) -> Diagnostics:
    """With a doctor without backends."""
    doctor = Doctor(data_dir=folder, backends={}, url_of=lambda _: "")
    return Diagnostics(DrillRuns(command, folder), doctor, **{"public_url": None, **changes})


def drill_without(switch: str) -> list[str]:
    """The command of a drill on a build without that rule."""
    return [sys.executable, "-m", "tests.support.fake_drill", switch, "drill", "--lines"]


def main() -> int:
    switch = sys.argv.pop(1)
    spec = importlib.util.spec_from_file_location("switches", SWITCHES)
    assert spec is not None and spec.loader is not None
    switches = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(switches)
    getattr(switches, switch)(pytest.MonkeyPatch())
    import main as rushes

    return rushes.main()


if __name__ == "__main__":
    sys.exit(main())
