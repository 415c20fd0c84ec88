"""Delivery figures from the database, and the bug-report bundle; changes nothing."""

from services.statistics.service import Statistics

__all__ = ["Statistics"]
