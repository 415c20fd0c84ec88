"""One finding: a mark, a sentence, and advice."""

from dataclasses import dataclass, field

from services.core.errors import Sentence

PASSED, WARNING, FAILED = "✓", "!", "✗"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    mark: str
    what: str
    """A code (app, address, clock, stream, ranges, websocket, disk), or a backend's name."""
    says: Sentence
    advice: Sentence = field(default_factory=Sentence)

    def __str__(self) -> str:
        line = f"{self.mark} {NAMES.get(self.what, self.what):<14} {self.says}"
        return line + (f"\n{'':<17}{self.advice}" if self.advice else "")


NAMES = {"stream": "event stream"}


def passed(what: str, says: Sentence) -> Finding:
    return Finding(mark=PASSED, what=what, says=says)


def warning(what: str, says: Sentence, advice: Sentence) -> Finding:
    return Finding(mark=WARNING, what=what, says=says, advice=advice)


def failed(what: str, says: Sentence, advice: Sentence) -> Finding:
    return Finding(mark=FAILED, what=what, says=says, advice=advice)
