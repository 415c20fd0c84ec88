"""Tolerant readers for JSON from backends: odd values never raise."""

import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from services.core.strip_secrets import strip_secrets

LINK = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://\S+|\bwww\.\S+", re.IGNORECASE)
MAX_MESSAGE_CHARS = 200
MAX_READ_CHARS = 10_000


def read_json(body: bytes | str | None) -> Any:
    """Raises ValueError, also for None (a body above its limit) and for too deep nesting."""
    if body is None:
        raise ValueError("too long")
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def an_object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def a_text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def first_text(place: dict[str, Any], *names: str) -> str:
    return next((text for name in names if (text := a_text(place.get(name)))), "")


def an_id(value: object) -> str:
    """Ids come as text or as whole numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return a_text(value)


def a_number(value: object) -> float | None:
    """Finite, and no bool."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def numbers(value: object) -> tuple[float, ...]:
    """The positive numbers of a list, unique and sorted."""
    found = (a_number(each) for each in value) if isinstance(value, list) else ()
    return tuple(sorted({number for number in found if number is not None and number > 0}))


def a_fraction(value: object) -> float | None:
    """0-1, or percent when above 1.

    An exact 1 counts as one percent: progress never goes backwards, and a finished job reports its result.
    """
    number = a_number(value)
    if number is None or number < 0:
        return None
    return min(number if number < 1 else number / 100, 1.0)


def a_timestamp(value: object) -> float | None:
    """An ISO 8601 time as Unix seconds; without a zone it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def error_message(body: bytes | str | None, *, without: Iterable[str] = ()) -> str:
    """The backend's message about a refusal, as one short line without links; may be empty.

    FastAPI's shapes: {"detail": text | [{"loc", "msg"}]}, {"errors": [{"field", "message"}]}, and kin.
    """
    try:
        errors = _errors(an_object(read_json(body)))
    except ValueError:
        return ""
    return one_line("; ".join(filter(None, map(_error_text, errors))), without=without)


def one_line(text: str, *, without: Iterable[str] = ()) -> str:
    """One short line without links, control characters and the given texts."""
    text = LINK.sub("…", strip_secrets(text, without)[:MAX_READ_CHARS])
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return text if len(text) <= MAX_MESSAGE_CHARS else text[: MAX_MESSAGE_CHARS - 1] + "…"


def _errors(body: dict[str, Any]) -> list[Any]:
    if errors := objects(body.get("errors")):
        return errors
    value = body.get("detail") or body.get("error") or body.get("message") or []
    return value if isinstance(value, list) else [value]


def _error_text(error: object) -> str:
    if isinstance(error, str):
        return error
    parts = an_object(error)
    text = first_text(parts, "msg", "message", "detail")
    where = parts.get("field") or parts.get("loc")
    field = str(where[-1]) if isinstance(where, list) and where else a_text(where)
    return f"{field}: {text}" if field and text else text
