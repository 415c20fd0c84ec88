"""Secrets in text from outside: whole, encoded, or cut off by somebody else."""

from __future__ import annotations

import pytest

from services.core.strip_secrets import strip_secrets

KEY = "Tok3n/with+signs=and-more-0123456789"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"The token {KEY} has expired.", "The token … has expired."),
        ("Tok3n%2Fwith%2Bsigns%3Dand-more-0123456789&x=1", "…&x=1"),
        ("Bearer Tok3n/with+signs=and-", "Bearer …"),
        ('{"key": "Tok3n/with+signs=and-mo"}', '{"key": "…"}'),
        ("Tok3n is the word for it.", "Tok3n is the word for it."),
        (f"{KEY}{KEY}", "……"),
    ],
)
def test_no_secret_is_left(text: str, left: str) -> None:
    assert strip_secrets(text, [KEY]) == left


@pytest.mark.parametrize("secret", ["", "abc", "a\ud800bcd"])
def test_what_is_no_secret_or_no_text_changes_nothing(secret: str) -> None:
    assert strip_secrets("abc", [secret]) == "abc"
