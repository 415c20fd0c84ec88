from __future__ import annotations

from tests.support.library_harness import library_harness as harness

__all__ = ["harness"]
