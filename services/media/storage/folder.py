"""The folder of kept files: `ab/cdef….mp4`, with unfinished ones in `.parts`."""

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.core.errors import DeliveryFailed, Words
from services.media.threads import in_thread

_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{30}(\.poster|\.preview|\.source)?\.[a-z0-9]{2,5}")
_SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    size_bytes: int
    written_at: float
    """Unix seconds; the kernel's clock for files lags by up to 0.01 s."""


class MediaFolder:
    """Names are relative to the root, as they stand in the database."""

    def __init__(self, root: Path, *, checkpoint: Callable[[str], None] = lambda _: None) -> None:
        self._root = root.resolve()
        self._checkpoint = checkpoint
        self._parts = self._root / ".parts"
        self._parts.mkdir(parents=True, exist_ok=True, mode=0o700)

    def part(self, generation_id: str) -> Path:
        """A new path for unfinished bytes; each call another one, as two channels may deliver at once."""
        if not _SAFE.fullmatch(generation_id):
            raise ValueError("This id cannot stand in a file's name.")
        return self._parts / f"{generation_id}.{secrets.token_hex(6)}.part"

    def new_name(self, extension: str) -> str:
        token = secrets.token_hex(16)
        return f"{token[:2]}/{token[2:]}.{extension}"

    async def read(self, name: str) -> bytes:
        """Raises FileNotFoundError."""
        return await in_thread(self.path(name).read_bytes)

    def path(self, name: str) -> Path:
        """Raises ValueError for anything that is not one of this folder's names or leaves it."""
        path = self._root / name
        if not _NAME.fullmatch(name) or not path.resolve().is_relative_to(self._root):
            raise ValueError("This is not the name of a kept file.")
        return path

    async def keep(self, part: Path, name: str) -> None:
        """When it returns, the bytes survive a power cut under their final name."""
        with DiskErrors():
            await in_thread(_keep, part, self.path(name), self._checkpoint)

    async def remove(self, name: str) -> None:
        await in_thread(_unlink, self.path(name))

    async def discard(self, part: Path) -> None:
        await in_thread(_unlink, part)

    async def clean_parts(self) -> int:
        """At start, before anything is fetched; says how many there were."""
        return await in_thread(_clean, self._parts)

    async def files(self) -> dict[str, Lying]:
        """All kept files. One that no row knows was left by a crash between rename and commit."""
        return await in_thread(_files, self._root)

    async def free_bytes(self) -> int:
        return (await in_thread(shutil.disk_usage, self._root)).free


class DiskErrors:
    """Turns what a disk refuses into DeliveryFailed (disk_full)."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, OSError):
            return
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            sentence = Words("The disk is full: make room in the data folder, then check again.")
        else:
            sentence = Words("The media folder cannot be written to: check its disk and its permissions.")
        raise DeliveryFailed(sentence, reason="disk_full") from error


def _keep(part: Path, path: Path, checkpoint: Callable[[str], None]) -> None:
    new_folder = not path.parent.exists()
    path.parent.mkdir(exist_ok=True, mode=0o700)
    checkpoint("before_sync")
    _sync(part)
    checkpoint("after_sync")
    try:
        os.link(part, path)  # unlike rename, it never overwrites
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        path.touch(exist_ok=False)  # a disk without hard links
        part.replace(path)
    else:
        checkpoint("linked")
        part.unlink()
    checkpoint("renamed")
    _sync(path.parent)
    if new_folder:
        _sync(path.parent.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)


def _clean(parts: Path) -> int:
    left = list(parts.iterdir())
    for part in left:
        part.unlink(missing_ok=True)
    return len(left)


def _files(root: Path) -> dict[str, Lying]:
    found = {}
    for path in root.glob("[0-9a-f][0-9a-f]/*"):
        name = path.relative_to(root).as_posix()
        with contextlib.suppress(FileNotFoundError):  # removed while we walk
            if _NAME.fullmatch(name):
                stat = path.stat()
                found[name] = Lying(size_bytes=stat.st_size, written_at=stat.st_mtime)
    return found
