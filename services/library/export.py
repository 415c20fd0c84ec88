"""Exports: single copies or a ZIP, streamed and never held in memory."""

import re
from collections.abc import Callable, Iterable
from itertools import chain, count
from pathlib import Path

from zipstream import ZIP_STORED, ZipStream

from services.core.errors import NotFound
from services.core.model import Generation, Kept, Phase
from services.library.embedded_facts import facts_of
from services.media.file_names import cut, safe_name, words_of
from services.media.formats import EXTENSIONS
from services.media.tagged_copy import Copy, copy_of, plain_copy
from services.media.xmp import packet

MAX_NAME_BYTES = 120
MAX_READ_LENGTH = 1000
MISSING_NAME = "not-in-this-archive.txt"
SHORTENED_NAME = "shortened-in-this-archive.txt"


def copy(generation: Generation, media_path: Callable[[str], Path]) -> Copy:
    """The kept bytes with their metadata; `media_path` returns a kept file's path by its name. Blocks.

    Raises NotFound without a kept file, FileNotFoundError when that file is missing.
    """
    kept = _kept(generation)
    if kept is None:
        raise NotFound("This file is not ready yet.")
    if kept.problem is not None:  # nothing is written into what could not be read
        return plain_copy(media_path(kept.name), kept.sha256)
    told = packet(facts_of(generation), generation.request.prompt)
    return copy_of(media_path(kept.name), kept.sha256, told)


def archive(generations: Iterable[Generation], media_path: Callable[[str], Path]) -> ZipStream:
    """Packs all that have a file, and a list of the missing files. Blocks, as does iterating the result.

    Media are compressed already: stored, the `len` is known in advance. Raises NotFound for none.
    """
    stream = ZipStream(compress_type=ZIP_STORED, sized=True)
    packed, missing, shortened = 0, [], []
    used = {MISSING_NAME, SHORTENED_NAME}
    for generation in generations:
        if (kept := _kept(generation)) is None:
            continue
        name = _unused(download_name(generation, kept), used)
        try:
            made = copy(generation, media_path)
        except FileNotFoundError:
            missing.append(name)
        else:
            stream.add(made.chunks(), name, size=made.size_bytes)
            packed += 1
            if made.shortened:
                shortened.append(f"{name}: {', '.join(made.shortened)}")
    if not packed and missing:
        raise NotFound("These files are missing from the disk.")
    if not packed:
        raise NotFound("None of the selected items has a file to download.")
    if missing:
        lines = ["These were kept, but are gone from the disk:", *missing, ""]
        stream.add("\n".join(lines), MISSING_NAME)
    if shortened:
        lines = ["These have no room for all their text. It stands whole in Rushes:", *shortened, ""]
        stream.add("\n".join(lines), SHORTENED_NAME)
    return stream


def download_name(generation: Generation, kept: Kept) -> str:
    """For example "a-red-kite-over-the-sea-1b2c3d4e.mp4"."""
    words = "-".join(words_of(generation.request.prompt[:MAX_READ_LENGTH].lower())[:8])
    words = cut(words, MAX_NAME_BYTES).strip("-_")
    tail = re.sub(r"\W", "", generation.id)[-8:]
    extension = EXTENSIONS.get(kept.content_type) or kept.name.rpartition(".")[2]
    return safe_name(f"{words or generation.request.kind}-{tail}.{extension}")


def _unused(name: str, used: set[str]) -> str:
    """Numbers a name that the archive has: unpacked, one file would replace the other."""
    stem, _, extension = name.rpartition(".")
    numbered = (f"{stem}-{number}.{extension}" for number in count(2))
    free = next(each for each in chain([name], numbered) if each not in used)
    used.add(free)
    return free


def _kept(generation: Generation) -> Kept | None:
    return generation.kept if generation.phase is Phase.COMPLETED else None
