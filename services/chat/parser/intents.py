"""Results of the parser."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.core.model import Kind


@dataclass(slots=True, kw_only=True)
class Settings:
    """As far as they are named; nothing is checked against a model yet."""

    duration_s: float | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    fps: int | None = None
    seed: int | None = None
    count: int | None = None
    model: str | None = None
    """A part of a model's name or label."""

    def named(self) -> bool:
        return any(getattr(self, name) is not None for name in self.__slots__)


@dataclass(slots=True, kw_only=True)
class Intent:
    """Something new."""

    kind: Kind
    prompt: str
    settings: Settings = field(default_factory=Settings)


@dataclass(slots=True, kw_only=True)
class Change:
    """The last artifact once more, otherwise.

    `steps` are codes: longer, shorter, another_seed, again, to_video, to_image, and the scenes of
    `scenes.py`. `more` is added to the prompt as it is, `less` to what is not to be seen.
    """

    steps: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)
    more: str = ""
    less: str = ""


@dataclass(slots=True, kw_only=True)
class Unclear:
    """`code`: empty_command, unknown_command, no_prompt, which, help, hello, thanks or unclear."""

    code: str
    values: dict[str, str] = field(default_factory=dict)


Reading = Intent | Change | Unclear
