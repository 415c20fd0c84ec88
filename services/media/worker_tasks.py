"""The worker's tasks: plain values in and out. Decoders are imported in its process, not in the app."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.core.model import Kind


def probe(path: str, kind: str) -> dict[str, Any]:
    from services.media.probe import probe

    return asdict(probe(Path(path), Kind(kind)))


def poster(path: str, out: str) -> None:
    from services.media import previews

    previews.poster(Path(path), Path(out))


def still(path: str, out: str) -> None:
    from services.media import previews

    previews.still(Path(path), Path(out))


def preview(path: str, out: str) -> None:
    from services.media import previews

    previews.preview(Path(path), Path(out))
