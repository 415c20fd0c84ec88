"""The drill: scripted faults against this install's own engine, a verdict for each rule of the promise."""

from services.diagnostics.drill.drill import Drill
from services.diagnostics.drill.finding import Finding

__all__ = ["Drill", "Finding"]
