"""The worker's tasks: plain values in and out. Decoders are imported in its process, not in the app."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from services.core.model import Kind


def probe(path: str, kind: str) -> dict[str, Any]:
    from services.media.probe import probe

    return asdict(probe(Path(path), Kind(kind)))


def poster(path: str, out: str) -> None:
    from services.media import posters

    posters.poster(Path(path), Path(out))


def still(path: str, out: str, kind: str) -> None:
    from services.media import stills

    stills.still(Path(path), Path(out), Kind(kind))


def make_plain(path: str) -> None:
    from services.media import stills

    stills.make_plain(Path(path))


def preview(path: str, out: str) -> None:
    from services.media import previews

    previews.preview(Path(path), Path(out))
