"""Runs the drill in a process of its own and remembers the last run."""

from services.diagnostics.runs.drill_run import Run
from services.diagnostics.runs.drill_runs import DrillRuns

__all__ = ["DrillRuns", "Run"]
