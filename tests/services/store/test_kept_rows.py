"""Kept files in rows of every age."""

from __future__ import annotations

from services.core.model import Problem
from services.store.rows import kept_from_json


def test_rows_from_before_have_no_problem_and_no_codec() -> None:
    stored = {"name": "a", "size_bytes": 1, "sha256": "", "content_type": "video/mp4"}
    stored |= {"width": 1, "height": 1, "duration_s": None, "fps": None}
    made = kept_from_json(stored)
    assert made is not None
    assert (made.problem, made.codec) == (None, None)
    with_one = kept_from_json(stored | {"problem": {"code": "unknown", "reason": "Why."}})
    assert with_one is not None
    assert with_one.problem == Problem(code="unknown", reason="Why.")
