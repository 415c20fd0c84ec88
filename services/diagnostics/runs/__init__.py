"""Is it true here? The drill in a process of its own, and what the doctor finds around the living app."""

from services.diagnostics.runs.checkup import Checkup
from services.diagnostics.runs.drill_run import Run
from services.diagnostics.runs.drill_runs import Drills

__all__ = ["Checkup", "Drills", "Run"]
