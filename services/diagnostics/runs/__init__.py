"""Is it true here? The drill in a process of its own, and what the doctor finds around the living app."""

from services.diagnostics.runs.drill_run import Run
from services.diagnostics.runs.drill_runs import DrillRuns

__all__ = ["DrillRuns", "Run"]
