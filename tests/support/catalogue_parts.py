"""Backends and models for a catalogue."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.catalogue import Catalogue
from services.core.errors import BackendUnavailable
from services.core.model import Kind, Model
from services.core.settings import Settings

FILM = Model(
    backend="animatic",
    name="animatic/film",
    label="Animatic film",
    kind=Kind.VIDEO,
    durations_s=(1.0, 5.0, 20.0),
    any_duration=True,
    resolutions=("360p", "720p"),
    fps=(12, 24, 30),
    default_duration_s=5.0,
    default_resolution="720p",
    default_fps=24,
    price_per_second=0.0,
)
FILM_FROM_PICTURE = replace(FILM, name="animatic/film-from-picture", needs_source=True)
STILL = replace(FILM, name="animatic/still", kind=Kind.IMAGE, durations_s=(), any_duration=False, fps=())
VEO = Model(
    backend="cloud",
    name="google-cloud/veo3",
    label="Veo 3",
    kind=Kind.VIDEO,
    durations_s=(5.0, 8.0),
    price_per_second=0.5,
)
SORA = Model(backend="cloud", name="azure/sora", label="Sora", kind=Kind.VIDEO)


@dataclass
class FakeBackend:
    """The part of a backend that the catalogue uses."""

    name: str
    listed: list[Model] = field(default_factory=list)
    error: str = ""
    asked_at: list[float] = field(default_factory=list)

    async def models(self) -> list[Model]:
        self.asked_at.append(asyncio.get_running_loop().time())
        if self.error:
            raise BackendUnavailable(self.error, backend=self.name)
        return self.listed


def a_catalogue(folder: Path, *backends: FakeBackend, toml: str | None = None) -> Catalogue:
    if toml is not None:
        (folder / "models.toml").write_text(toml, encoding="utf-8")
    return Catalogue(backends, Settings(_env_file=None, data_dir=folder))  # type: ignore[call-arg, arg-type]


def animatic() -> FakeBackend:
    return FakeBackend("animatic", [FILM, FILM_FROM_PICTURE, STILL])


def cloud() -> FakeBackend:
    return FakeBackend("cloud", [VEO, SORA])


def a_seed() -> int:
    return 77
