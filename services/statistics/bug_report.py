"""One generation for a bug report: everything needed to understand it, and no secrets."""

import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.core.model import Generation, TraceEntry
from services.core.settings import Settings
from services.statistics.redaction import Redaction

SHOWN = (
    "animatic",
    "poll_every_s",
    "poll_attempts",
    "chat_poll_after_s",
    "chat_model",
    "stream_silence_s",
    "watch_for_s",
)
"""Settings that are told as they are; of all others only whether they are set."""
LEFT_OUT = ("owner", "request", "kept", "receipt", "poster", "preview", "tags")
"""Of the generation itself: told elsewhere, or names that open a file or a person."""
ABOUT = (
    "A Rushes generation, for a bug report. Times are Unix seconds (UTC). It holds the prompt; links, keys "
    "and tokens have been taken out."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Facts of this install that a bug report needs."""

    version: str
    settings: Settings
    backends: tuple[str, ...]
    secrets: Callable[[], Iterable[str]]
    """Values that no text leaving the install may contain."""


def bundle(
    generation: Generation, entries: Sequence[TraceEntry], installation: Installation, *, made_at: float
) -> dict[str, Any]:
    """Plain JSON."""
    redaction = Redaction(secrets=installation.secrets(), names=_names(generation))
    kept = asdict(generation.kept) if generation.kept is not None else None
    request = asdict(generation.request)
    request |= request.pop("settings")
    request["source"] = request["source"] is not None
    told = {
        "generation": {name: value for name, value in asdict(generation).items() if name not in LEFT_OUT},
        "request": request,
        "kept": kept and {name: value for name, value in kept.items() if name != "name"},
        "receipt": asdict(generation.receipt) if generation.receipt is not None else None,
        "trace": [
            {"at": entry.at, "lane": entry.lane, "event": entry.event, "data": entry.data}
            for entry in entries
        ],
        "settings": _settings(installation.settings),
        "backends": list(installation.backends),
    }
    about = {
        "about": ABOUT,
        "version": installation.version,
        "python": platform.python_version(),
        "made_at": made_at,
    }
    return about | dict(redaction.plain(told))


def _settings(settings: Settings) -> dict[str, Any]:
    return {
        name: getattr(settings, name) if name in SHOWN else _is_set(name, settings)
        for name in sorted(type(settings).model_fields)
    }


def _is_set(name: str, settings: Settings) -> str:
    default = type(settings).model_fields[name].default
    return "default" if getattr(settings, name) == default else "set"


def _names(generation: Generation) -> list[str | None]:
    request = generation.request
    return [
        generation.id,
        generation.request_id,
        generation.job_id,
        request.chat_id,
        request.model,
        generation.kept.sha256 if generation.kept is not None else None,
    ]
