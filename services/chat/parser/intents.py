"""Results of the parser."""

from dataclasses import dataclass, field

from services.core.model import Kind


@dataclass(slots=True, kw_only=True)
class RequestedSettings:
    """The settings that a message names, not yet checked against a model."""

    duration_s: float | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    fps: int | None = None
    seed: int | None = None
    count: int | None = None
    model: str | None = None
    """Part of a model's name or label."""

    def named(self) -> bool:
        return any(getattr(self, name) is not None for name in self.__slots__)


@dataclass(slots=True, kw_only=True)
class Intent:
    """A new video or image."""

    kind: Kind
    prompt: str
    settings: RequestedSettings = field(default_factory=RequestedSettings)


@dataclass(slots=True, kw_only=True)
class Change:
    """A change to the last artifact.

    `steps` are codes: longer, shorter, another_seed, again, to_video, to_image, onwards, and the scenes of
    `scenes.py`. `more` is appended to the prompt, `less` to the negative prompt.
    """

    steps: tuple[str, ...] = ()
    settings: RequestedSettings = field(default_factory=RequestedSettings)
    more: str = ""
    less: str = ""


@dataclass(slots=True, kw_only=True)
class NoIntent:
    """A message that starts nothing.

    `code`: empty_command, unknown_command, no_prompt, which, help, hello, thanks or unclear.
    """

    code: str
    values: dict[str, str] = field(default_factory=dict)


ParseResult = Intent | Change | NoIntent
