"""Modes of the data folder: for this account alone."""

import logging
import os
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

OURS = (
    "rushes.db*", "rushes.lock", "storage_secret", "catalogue.json*", "models.toml",
    "media", "animatic", "nicegui", "drill-*",
)  # fmt: skip
"""Other files in the folder keep their modes; the folder itself is closed."""
WAIT_S = 0.3
"""For the media; a million files take longer, and the start does not wait for them."""
_OTHERS, _GROUP = 0o007, 0o070


def close_new_files(folder: Path) -> None:
    """From now on this process and its children create files and folders for their own account alone."""
    os.umask(_refused(folder))


def close_folder(folder: Path) -> None:
    """Takes older files and folders from other accounts, once. Blocks for a moment."""
    folder = folder.resolve()
    refused = _refused(folder)
    if _close(folder, refused) is None:
        log.warning("The mode of the data folder %s cannot be changed: other accounts may read it.", folder)
    top = sorted({path for name in OURS for path in folder.glob(name)})
    closing = threading.Thread(target=_close_all, args=(top, refused), name="folder modes", daemon=True)
    closing.start()
    closing.join(WAIT_S)


def _refused(folder: Path) -> int:
    """A folder with the setgid bit is shared with its group on purpose: the group keeps its rights."""
    with suppress(OSError):  # the lock says what is wrong with the folder
        if folder.stat().st_mode & stat.S_ISGID:
            return _OTHERS
    return _GROUP | _OTHERS


def _close_all(top: Iterable[Path], refused: int) -> None:
    closed = sum(bool(_close(path, refused)) for each in top for path in _walk(each))
    if closed:
        log.info("Files and folders in the data folder that other accounts cannot read any more: %d.", closed)


def _walk(path: Path) -> Iterator[Path]:
    """Never follows a link: it may lead out of the folder."""
    if path.is_symlink():
        return
    yield path
    for parent, folders, files in os.walk(path):
        for name in (*folders, *files):
            yield Path(parent, name)


def _close(path: Path, refused: int) -> bool | None:
    """Whether the mode changed; None where it cannot."""
    with suppress(FileNotFoundError):  # removed meanwhile
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode) or not mode & refused:
            return False
        try:
            path.chmod(stat.S_IMODE(mode) & ~refused)
        except OSError:  # another account's, or a file system without modes
            return None
        return True
    return False
