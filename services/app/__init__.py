"""The engine as a whole: its parts, how they are joined, opened and closed; nothing below knows it."""

from services.app.build import build
from services.app.container import Engine
from services.app.drill_engine import open_for_drill
from services.app.lifespan import running

__all__ = ["Engine", "build", "open_for_drill", "running"]
