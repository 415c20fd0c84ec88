from __future__ import annotations

from tests.support.kept import kept_house as house

__all__ = ["house"]
