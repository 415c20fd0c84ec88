"""The engine as a whole: its parts, how they are joined, opened and closed; nothing below knows it."""

from services.engine.building import build
from services.engine.drilling import open_for_drill
from services.engine.engine import Engine
from services.engine.opening import running

__all__ = ["Engine", "build", "open_for_drill", "running"]
