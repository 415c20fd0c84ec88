"""One process holds the data folder."""

import fcntl
import os
from pathlib import Path

from services.core.errors import CannotStart


class FolderLock:
    """A file lock; the kernel gives it back when the process ends, however it ends, and at exec."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle: int | None = None

    def take(self) -> None:
        """Raises CannotStart when the folder cannot be written or another process holds it."""
        path = self._folder / "rushes.lock"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CannotStart(
                f"The data folder {self._folder} cannot be written ({error.strerror}). "
                "Make it writable, or name another one in RUSHES_DATA_DIR."
            ) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            self._handle = None
            raise CannotStart(
                f"Another Rushes is running on the data folder {self._folder}. "
                "Stop it first, or name another folder in RUSHES_DATA_DIR."
            ) from error

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
