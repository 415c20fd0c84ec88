"""The promise in figures, from the database alone: the door beside `library`."""

from services.statistics.statistics import Deliveries

__all__ = ["Deliveries"]
