"""The rules of the promise, and a check of one of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.core.errors import Words
from services.diagnostics.drill.sandbox import Sandbox

RULES: dict[str, Words] = {
    "R1": Words("Every request is saved before it is sent."),
    "R2": Words("A result is saved once, even if it arrives several times."),
    "R3": Words("A generation is complete only when its whole file is saved."),
    "R4": Words("A lost connection is not a failed job."),
    "R5": Words("Late results are still delivered."),
    "R6": Words("Nothing is paid for twice."),
    "R7": Words("Push or polling alone delivers the result."),
    "R8": Words("Progress never goes backwards."),
    "R9": Words("A restart loses nothing."),
    "R10": Words("An error in one generation does not affect others."),
    "R11": Words("A result is visible to its owner only. Without sign-in, everyone shares one account."),
    "R12": Words("Every result has a delivery receipt."),
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
