"""The drill: scripted faults against this install's own engine, a verdict for each rule of the promise."""

from services.drill.drill import Drill
from services.drill.finding import Finding

__all__ = ["Drill", "Finding"]
