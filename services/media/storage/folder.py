"""The folder of kept files, `ab/cdef….mp4`; unfinished ones are in `.parts`."""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.core.errors import DeliveryFailed, Words
from services.media.threads import in_thread

_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{30}(\.poster|\.preview|\.source)?\.[a-z0-9]{2,5}")
HELD = ".held"
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})
_PART_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    size_bytes: int
    written_at: float
    """Unix seconds; the kernel's clock for files lags by up to 0.01 s."""


class MediaFolder:
    """Names are relative to the root, as in the database."""

    def __init__(self, root: Path, *, checkpoint: Callable[[str], None] = lambda _: None) -> None:
        self._root = root.resolve()
        self._checkpoint = checkpoint
        self._parts = self._root / ".parts"
        self._parts.mkdir(parents=True, exist_ok=True, mode=0o700)

    def part(self, prefix: str) -> Path:
        """Returns a new path for unfinished bytes, never the same: two channels may deliver at once."""
        if not _PART_PREFIX.fullmatch(prefix):
            raise ValueError("This id cannot be part of a file's name.")
        return self._parts / f"{prefix}.{secrets.token_hex(6)}.part"

    def new_name(self, extension: str) -> str:
        token = secrets.token_hex(16)
        return f"{token[:2]}/{token[2:]}.{extension}"

    async def read(self, name: str) -> bytes:
        """Raises FileNotFoundError."""
        return await in_thread(self.path(name).read_bytes)

    def path(self, name: str) -> Path:
        """Raises ValueError unless it is a kept file's name that leads into this folder."""
        path = self._root / name
        if not _NAME.fullmatch(name) or not path.resolve().is_relative_to(self._root):
            raise ValueError("This is not the name of a kept file.")
        return path

    async def keep(self, part: Path, name: str) -> None:
        """Gives the part its final name; once this returns, it survives a power cut."""
        with disk_errors():
            await in_thread(_keep, part, self.path(name), self._checkpoint)

    async def hold(self, part: Path, name: str) -> Path:
        """Gives the part a name under which it outlives a restart; returns its path."""
        path = self._parts / f"{name}{HELD}"
        with disk_errors():
            await in_thread(_hold, part, path)
        return path

    async def held_files(self) -> list[Path]:
        return await in_thread(lambda: list(self._parts.glob(f"*.*.*{HELD}")))

    async def link(self, held: Path, name: str) -> None:
        """Gives a held file its final name too: without a commit it is needed again."""
        with disk_errors():
            await in_thread(_link, held, self.path(name))

    async def remove(self, name: str) -> None:
        await self.discard(self.path(name))

    async def discard(self, part: Path) -> None:
        await in_thread(partial(part.unlink, missing_ok=True))

    async def clean_parts(self) -> int:
        """Removes all part files and returns how many; not for use once a download has started.

        Held files stay.
        """
        return await in_thread(_clean, self._parts)

    async def files(self) -> dict[str, StoredFile]:
        """Lists all kept files; a crash between rename and commit leaves one without a row."""
        return await in_thread(_files, self._root)

    async def free_bytes(self) -> int:
        return (await in_thread(shutil.disk_usage, self._root)).free


@contextmanager
def disk_errors() -> Iterator[None]:
    """Raises DeliveryFailed (disk_full) in place of an OSError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            sentence = Words("The disk is full. Free space in the data folder, then check again.")
        else:
            sentence = Words("The media folder is not writable. Check its disk and permissions.")
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
        if error.errno not in _NO_LINKS:
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


def _hold(part: Path, path: Path) -> None:
    _sync(part)
    part.replace(path)
    _sync(path.parent)


def _link(held: Path, path: Path) -> None:
    """A file of today: one that is older than the start, and that no row names, counts as an orphan."""
    new_folder = not path.parent.exists()
    path.parent.mkdir(exist_ok=True, mode=0o700)
    os.utime(held)
    try:
        os.link(held, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with held.open("rb") as source, path.open("xb") as copy:  # a disk without hard links
            shutil.copyfileobj(source, copy)
        _sync(path)
    _sync(path.parent)
    if new_folder:
        _sync(path.parent.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _clean(parts: Path) -> int:
    left = [part for part in parts.iterdir() if part.suffix != HELD]
    for part in left:
        part.unlink(missing_ok=True)
    return len(left)


def _files(root: Path) -> dict[str, StoredFile]:
    found = {}
    for path in root.glob("[0-9a-f][0-9a-f]/*"):
        name = path.relative_to(root).as_posix()
        with suppress(FileNotFoundError):  # removed meanwhile
            if _NAME.fullmatch(name):
                stat = path.stat()
                found[name] = StoredFile(size_bytes=stat.st_size, written_at=stat.st_mtime)
    return found
