"""The promise in figures, from the database alone: the door beside `library`."""

from services.deliveries.deliveries import Deliveries

__all__ = ["Deliveries"]
