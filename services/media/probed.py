from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    content_type: str
    extension: str
    width: int
    height: int
    duration_s: float | None
    fps: float | None


class WrongKind(ValueError):
    """Not a film or picture at all, or the other one of the two."""


class Truncated(ValueError):
    """The end is missing."""
