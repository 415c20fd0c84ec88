"""The drill: scripted faults against this install's own engine, with a verdict for each rule R1-R12."""

from services.diagnostics.drill.checks import Finding
from services.diagnostics.drill.drill import Drill

__all__ = ["Drill", "Finding"]
