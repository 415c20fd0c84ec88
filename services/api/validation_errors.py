"""Turns validation errors of pydantic into one sentence a person can act on."""

from collections.abc import Mapping, Sequence
from typing import Any

SENTENCES = {
    "missing": "{field} is needed.",
    "extra_forbidden": "There is no field {field} here.",
    "string_type": "{field} must be a text.",
    "string_unicode": "{field} holds characters that are no text.",
    "string_too_short": "{field} must not be empty.",
    "string_too_long": "{field} may have at most {max_length} characters.",
    "int_type": "{field} must be a whole number.",
    "int_parsing": "{field} must be a whole number.",
    "int_parsing_size": "{field} is too large a number.",
    "int_from_float": "{field} must be a whole number.",
    "float_type": "{field} must be a number.",
    "float_parsing": "{field} must be a number.",
    "finite_number": "{field} must be a finite number.",
    "greater_than": "{field} must be more than {gt}.",
    "greater_than_equal": "{field} must be at least {ge}.",
    "less_than_equal": "{field} must be at most {le}.",
    "literal_error": "{field} must be one of {expected}.",
    **dict.fromkeys(
        ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware"),
        "{field} must be a time with its zone, as 2026-01-31T18:00:00Z.",
    ),
    "not_plain_text": "{field} holds characters that are no text.",
    "blank": "{field} must not be empty.",
}


def sentence_of(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    """The first error's sentence and its field, by the name that the API gives it."""
    first = errors[0]
    field = printable(str(first["loc"][-1])) if first["loc"] else None
    sentence = SENTENCES.get(first["type"], "{field} is not valid.")
    bounds = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in first.get("ctx", {}).items()
    }
    return sentence.format(field=field or "The body", **bounds), field


def printable(name: str) -> str:
    """A name from outside, safe and short enough for a sentence."""
    plain = name.encode("ascii", "backslashreplace").decode()
    plain = "".join(letter if letter.isprintable() else "?" for letter in plain)
    return plain if len(plain) <= 60 else f"{plain[:57]}..."
