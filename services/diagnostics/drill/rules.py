"""The rules of the promise, and a check of one of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.core.errors import Words
from services.diagnostics.drill.sandbox import Sandbox

RULES: dict[str, Words] = {
    "R1": Words("It is written down before it is paid for."),
    "R2": Words("A result is kept once, however often it comes."),
    "R3": Words("Done means: the whole file is in hand."),
    "R4": Words("A lost channel is not a failed job."),
    "R5": Words("Late is not lost."),
    "R6": Words("Nothing is paid for twice."),
    "R7": Words("Either channel alone brings the result."),
    "R8": Words("Progress never goes backwards."),
    "R9": Words("A restart loses nothing."),
    "R10": Words("A crash stays small."),
    "R11": Words("Nobody sees what is not theirs."),
    "R12": Words("Each result carries its receipt."),
}


@dataclass(frozen=True, slots=True)
class Check:
    rule: str
    does: Words
    run: Callable[[Sandbox], Awaitable[None]]

    @property
    def name(self) -> str:
        return self.run.__name__


def check(rule: str, does: Words) -> Callable[[Callable[[Sandbox], Awaitable[None]]], Check]:
    return lambda run: Check(rule, does, run)
