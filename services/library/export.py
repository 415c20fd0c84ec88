"""Exports: single copies or a ZIP, streamed and never held in memory."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from zipstream import ZIP_STORED, ZipStream

from services.core.errors import NotFound
from services.core.model import Generation, Kept, Phase
from services.library.embedded_facts import facts_of
from services.media.formats import EXTENSIONS
from services.media.tagged_copy import Copy, copy_of, plain_copy
from services.media.xmp import packet

MAX_NAME_LENGTH = 60
MISSING_NAME = "not-in-this-archive.txt"


def copy(generation: Generation, media_path: Callable[[str], Path]) -> Copy:
    """The kept bytes with their metadata; `media_path` returns a kept file's path by its name. Blocks.

    Raises NotFound without a kept file, FileNotFoundError when that file is missing.
    """
    kept = _kept(generation)
    if kept is None:
        raise NotFound("This file is not here yet.")
    if kept.problem is not None:  # nothing is written into what could not be read
        return plain_copy(media_path(kept.name))
    return copy_of(media_path(kept.name), packet(facts_of(generation), generation.request.prompt))


def archive(generations: Iterable[Generation], media_path: Callable[[str], Path]) -> ZipStream:
    """Packs all that have a file, and a list of the missing files. Blocks, as does iterating the result.

    Media are compressed already: stored, the `len` is known in advance. Raises NotFound for none.
    """
    stream = ZipStream(compress_type=ZIP_STORED, sized=True)
    packed, missing = 0, []
    for generation in generations:
        if (kept := _kept(generation)) is None:
            continue
        name = download_name(generation, kept)
        try:
            made = copy(generation, media_path)
        except FileNotFoundError:
            missing.append(name)
        else:
            stream.add(made.chunks(), name, size=made.size_bytes)
            packed += 1
    if not packed and missing:
        raise NotFound("The files of these were kept, but they are gone from the disk.")
    if not packed:
        raise NotFound("None of these has a file that could be packed.")
    if missing:
        lines = ["These were kept, but are gone from the disk:", *missing, ""]
        stream.add("\n".join(lines), MISSING_NAME)
    return stream


def download_name(generation: Generation, kept: Kept) -> str:
    """For example "a-red-kite-over-the-sea-1b2c3d4e.mp4"."""
    words = "-".join(re.findall(r"\w+", generation.request.prompt.lower())[:8])[:MAX_NAME_LENGTH].strip("-_")
    tail = re.sub(r"\W", "", generation.id)[-8:]
    extension = EXTENSIONS.get(kept.content_type) or kept.name.rpartition(".")[2]
    return f"{words or generation.request.kind}-{tail}.{extension}"


def _kept(generation: Generation) -> Kept | None:
    return generation.kept if generation.phase is Phase.COMPLETED else None
