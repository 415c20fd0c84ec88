"""One generation for a bug report: everything needed to understand it, and no secrets."""

import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.core.model import Generation, TraceEntry
from services.core.settings import Settings
from services.statistics.redaction import Redaction

SHOWN_SETTINGS = {
    "animatic",
    "poll_every_s",
    "poll_attempts",
    "chat_poll_after_s",
    "chat_model",
    "stream_silence_s",
    "watch_for_s",
}
"""Settings whose values are included; of the others only whether they are set."""
OMITTED_FIELDS = {"owner", "request", "kept", "receipt", "poster", "preview", "tags"}
"""Of the generation itself: included elsewhere, or names that open a file or identify a person."""
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
    fields = asdict(generation)
    kept, request = fields["kept"], fields["request"]
    request |= request.pop("settings")
    names = [fields["id"], fields["request_id"], fields["job_id"], request["chat_id"], request["model"]]
    redaction = Redaction(secrets=installation.secrets(), names=[*names, kept and kept["sha256"]])
    request["source"] = request["source"] is not None
    report = {
        "generation": {name: value for name, value in fields.items() if name not in OMITTED_FIELDS},
        "request": request,
        "kept": kept and {name: value for name, value in kept.items() if name != "name"},
        "receipt": fields["receipt"],
        "trace": [
            {"at": entry.at, "lane": entry.lane, "event": entry.event, "data": entry.data}
            for entry in entries
        ],
        "settings": _settings(installation.settings),
        "backends": list(installation.backends),
    }
    return {
        "about": ABOUT,
        "version": installation.version,
        "python": platform.python_version(),
        "made_at": made_at,
        **redaction.redact_json(report),
    }


def _settings(settings: Settings) -> dict[str, Any]:
    shown = settings.model_dump(include=SHOWN_SETTINGS)
    hidden = {
        name: "default" if getattr(settings, name) == field.default else "set"
        for name, field in type(settings).model_fields.items()
    }
    return dict(sorted((hidden | shown).items()))
