"""The composer's form values, stored per person and kind. They are never job state."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from nicegui import app

from services.core.model import Draft, Generation, GenerationSettings, Kind, Model
from services.generations.service import MAX_AT_ONCE


@dataclass(slots=True)
class FormValues:
    """The values of the composer's fields. Empty means the model's default."""

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
    """Source picture, by its name in the media folder."""
    source_name: str = ""
    """Its name for the person: a file's, or what it was taken from."""
    earlier_seed: str = ""
    """The seed of the generation whose settings these are; the next one gets a new seed."""
    count: int = 1
    """How many to generate at once; images only."""

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
        """Keeps the values that `model` offers and replaces the others by its defaults."""
        self.backend, self.model = model.backend, model.name
        if not _offers(model.durations_s, self.duration_s, any_value=model.any_duration):
            self.duration_s = model.default_duration_s or next(iter(model.durations_s), None)
        if self.aspect_ratio not in model.aspect_ratios:
            self.aspect_ratio = next(iter(model.aspect_ratios), "")
        if self.resolution not in model.resolutions:
            self.resolution = model.default_resolution or next(iter(model.resolutions), "")
        if not _offers(model.fps, self.fps, any_value=model.any_fps):
            self.fps = model.default_fps or next(iter(model.fps), None)


def load(kind: Kind) -> FormValues:
    """Loads the stored values; unreadable ones are left out."""
    stored: Any = app.storage.user.get(f"draft-{kind}", {})
    types = {one.name: type(one.default) for one in fields(FormValues)}
    values = FormValues()
    for name, value in dict(stored).items():
        if (
            name in types
            and isinstance(value, str | int | float)
            and isinstance(value, str) == (types[name] is str)
        ):
            setattr(values, name, value)
    values.count = max(1, min(MAX_AT_ONCE, values.count))
    return values


def from_generation(generation: Generation) -> FormValues:
    """Returns the same settings with a new random seed; the form says so, and offers the old one."""
    request = generation.request
    return FormValues(
        prompt=request.prompt,
        backend=request.backend,
        model=request.model,
        **_settings_values(request.settings),
        source=request.source or "",
        earlier_seed=str(request.seed),
    )


def from_draft(draft: Draft) -> FormValues:
    """Returns the settings embedded in a file, including its seed."""
    return FormValues(
        prompt=draft.prompt,
        backend=draft.backend or "",
        model=draft.model or "",
        seed="" if draft.seed is None else str(draft.seed),
        **_settings_values(draft.settings),
    )


def _settings_values(settings: GenerationSettings) -> dict[str, Any]:
    """Returns field values; text fields hold an empty string for None."""
    return asdict(settings) | {
        "aspect_ratio": settings.aspect_ratio or "",
        "resolution": settings.resolution or "",
    }


def with_source(generation: Generation, kind: Kind, source: str, name: str) -> FormValues:
    """Returns the stored values of that kind with a source picture; fills an empty prompt."""
    values = load(kind)
    values.source, values.source_name, values.earlier_seed = source, name, ""
    if not values.prompt.strip():
        values.prompt = generation.request.prompt
        values.aspect_ratio = generation.request.settings.aspect_ratio or ""
    return values


def _offers(offered: tuple[float, ...] | tuple[int, ...], value: float | None, *, any_value: bool) -> bool:
    if value is None or not offered:
        return False
    return min(offered) <= value <= max(offered) if any_value else value in offered
