"""Builders of a request and a generation with defaults for everything."""

from __future__ import annotations

import time
from dataclasses import fields
from typing import Any

from uuid6 import uuid7

from services.core.model import Generation, GenerationSettings, Kind, Phase, Request


def nested(**named: Any) -> dict[str, Any]:
    """Moves the fields of GenerationSettings into `settings`, as in Draft and Request."""
    inner = {field.name for field in fields(GenerationSettings)} & named.keys()
    settings = GenerationSettings(**{name: named[name] for name in inner})
    return {name: value for name, value in named.items() if name not in inner} | {"settings": settings}


def a_request(**named: Any) -> Request:
    """A film of a kite, by a model of the wire server."""
    defaults: dict[str, Any] = {
        "kind": Kind.VIDEO,
        "prompt": "a kite",
        "backend": "superduperai",
        "model": "wire/film",
        "aspect_ratio": "16:9",
        "resolution": "360p",
        "seed": 7,
        "duration_s": 5.0,
        "fps": 24,
    }
    return Request(**nested(**defaults | named))


def a_generation(*, at: float | None = None, **named: Any) -> Generation:
    """Created `at` a Unix time, by default now, with new ids."""
    at = time.time() if at is None else at
    defaults: dict[str, Any] = {
        "id": str(uuid7()),
        "request_id": str(uuid7()),
        "owner": "local",
        "request": a_request(),
        "phase": Phase.PENDING,
        "created_at": at,
        "updated_at": at,
    }
    return Generation(**defaults | named)
