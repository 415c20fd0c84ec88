from __future__ import annotations

from tests.support.library_harness import kept_house as house

__all__ = ["house"]
