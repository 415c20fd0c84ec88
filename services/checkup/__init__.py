"""Is it true here? The drill in a process of its own, and what the doctor finds around the living app."""

from services.checkup.checkup import Checkup
from services.checkup.drills import Drills
from services.checkup.run import Run

__all__ = ["Checkup", "Drills", "Run"]
