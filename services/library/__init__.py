"""Kept results: lists, tags, trash, exports, retention and scrub; never submits or watches a job."""

from services.library.library import Library

__all__ = ["Library"]
