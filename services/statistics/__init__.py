"""The promise in figures, from the database alone: the door beside `library`."""

from services.statistics.service import Statistics

__all__ = ["Statistics"]
