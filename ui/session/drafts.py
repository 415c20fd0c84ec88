"""What a person has typed, kept per person and kind until it is changed. Never job state."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from nicegui import app

from services.core.model import Draft, Generation, GenerationSettings, Kind, Model
from services.generations.service import MOST_AT_ONCE


@dataclass(slots=True)
class FormValues:
    """The composer's values as they stand in its fields. Empty means: the model's own choice."""

    prompt: str = ""
    backend: str = ""
    model: str = ""
    duration_s: float | None = None
    aspect_ratio: str = ""
    resolution: str = ""
    fps: int | None = None
    seed: str = ""
    negative_prompt: str = ""
    style: str = ""
    shot_size: str = ""
    source: str = ""
    """The picture to start from, by its name in the media folder."""
    count: int = 1
    """How many at once; images only."""

    def save(self, kind: Kind) -> None:
        app.storage.user[f"draft-{kind}"] = asdict(self)

    def draft(self, kind: Kind) -> Draft:
        return Draft(
            kind=kind,
            prompt=self.prompt,
            backend=self.backend or None,
            model=self.model or None,
            seed=int(self.seed) if self.seed.strip() else None,
            settings=GenerationSettings(
                duration_s=self.duration_s if kind is Kind.VIDEO else None,
                aspect_ratio=self.aspect_ratio or None,
                resolution=self.resolution or None,
                fps=self.fps if kind is Kind.VIDEO else None,
                negative_prompt=self.negative_prompt,
                style=self.style,
                shot_size=self.shot_size,
            ),
            source=self.source or None,
        )

    def fit(self, model: Model) -> None:
        """Keep what `model` offers, and take its own choice for the rest."""
        self.backend, self.model = model.backend, model.name
        if not _offers(model.durations_s, self.duration_s, anything=model.any_duration):
            self.duration_s = model.default_duration_s or next(iter(model.durations_s), None)
        if self.aspect_ratio not in model.aspect_ratios:
            self.aspect_ratio = next(iter(model.aspect_ratios), "")
        if self.resolution not in model.resolutions:
            self.resolution = model.default_resolution or next(iter(model.resolutions), "")
        if not _offers(model.fps, self.fps, anything=model.any_fps):
            self.fps = model.default_fps or next(iter(model.fps), None)


def load(kind: Kind) -> FormValues:
    """What was typed last; anything unreadable is left out."""
    stored: Any = app.storage.user.get(f"draft-{kind}", {})
    known = {one.name: type(one.default) for one in fields(FormValues)}
    typed = FormValues()
    for name, value in dict(stored).items():
        if (
            name in known
            and isinstance(value, str | int | float)
            and isinstance(value, str) == (known[name] is str)
        ):
            setattr(typed, name, value)
    typed.count = max(1, min(MOST_AT_ONCE, typed.count))
    return typed


def of(generation: Generation) -> FormValues:
    """The same settings again, with a fresh seed."""
    request = generation.request
    return FormValues(
        prompt=request.prompt,
        backend=request.backend,
        model=request.model,
        **_values_of(request.settings),
        source=request.source or "",
    )


def of_draft(draft: Draft) -> FormValues:
    """Just the settings that a file came with, its seed among them."""
    return FormValues(
        prompt=draft.prompt,
        backend=draft.backend or "",
        model=draft.model or "",
        seed="" if draft.seed is None else str(draft.seed),
        **_values_of(draft.settings),
    )


def _values_of(settings: GenerationSettings) -> dict[str, Any]:
    """Text fields hold an empty string where the settings name nothing."""
    return asdict(settings) | {
        "aspect_ratio": settings.aspect_ratio or "",
        "resolution": settings.resolution or "",
    }


def starting_from(generation: Generation, kind: Kind, source: str) -> FormValues:
    """The composer's values of that kind, with a picture to start from; an empty one takes the words too."""
    typed = load(kind)
    typed.source = source
    if not typed.prompt.strip():
        typed.prompt = generation.request.prompt
        typed.aspect_ratio = generation.request.settings.aspect_ratio or ""
    return typed


def _offers(offered: tuple[float, ...] | tuple[int, ...], value: float | None, *, anything: bool) -> bool:
    if value is None or not offered:
        return False
    return min(offered) <= value <= max(offered) if anything else value in offered
