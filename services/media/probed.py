from dataclasses import dataclass

from services.media.formats import EXTENSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    content_type: str
    width: int
    height: int
    duration_s: float | None = None
    fps: float | None = None

    @property
    def extension(self) -> str:
        return EXTENSIONS[self.content_type]


class WrongKind(ValueError):
    """Neither a film nor a picture, or the wrong one of the two."""


class Truncated(ValueError):
    """The end is missing."""
