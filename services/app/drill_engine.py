"""Opens an engine for the drill."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from services.app.build import Engine, build_engine
from services.app.lifespan import running
from services.backends.base import Backend
from services.core.settings import Settings


@asynccontextmanager
async def open_for_drill(
    settings: Settings, folder: Path, backends: Sequence[Backend], origins: Iterable[str]
) -> AsyncIterator[Engine]:
    """Opens the whole engine on another folder, with short intervals and without paid services."""
    changes = {
        "data_dir": folder,
        "database_url": None,
        "chat_url": None,
        "chat_model": None,
        "poll_every_s": 0.3,
        "poll_attempts": 1000,
        "stream_silence_s": 1.0,
    }
    engine = build_engine(settings.model_copy(update=changes), replacements=backends, origins=origins)
    async with running(engine, decoders=False):  # each engine would start three processes
        yield engine
