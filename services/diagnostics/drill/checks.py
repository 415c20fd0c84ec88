"""All checks of a drill, which of them share an engine, and a check's finding."""

from dataclasses import dataclass, field

from services.core.errors import Sentence, Words
from services.diagnostics.drill import delivery_checks, integrity_checks, power_cut_checks, process_checks

CONCURRENT = (*delivery_checks.CHECKS, *integrity_checks.CHECKS, *process_checks.CHECKS)
AFTER_POWER_CUT = power_cut_checks.CHECKS
"""They share one power cut and the engine that starts after it."""
LAST = (process_checks.takeover,)
"""A second engine takes over every open generation, so nothing else may run."""
CHECKS = {
    check.name: check
    for check in sorted((*CONCURRENT, *AFTER_POWER_CUT, *LAST), key=lambda check: int(check.rule[1:]))
}
"""By name, in the order of the rules."""


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    """A name in CHECKS."""
    broken: Sentence = field(default_factory=Sentence)
    """The observed breach; empty where the rule held."""

    @property
    def rule(self) -> str:
        return CHECKS[self.check].rule

    @property
    def does(self) -> Words:
        return CHECKS[self.check].does

    def __str__(self) -> str:
        mark = "✗" if self.broken else "✓"
        seen = f" Result: {self.broken}." if self.broken else ""
        return f"{mark} {self.rule:<4} {self.does}{seen}"
