"""Locks the data folder for one process."""

import fcntl
import os
from pathlib import Path

from services.core.errors import CannotStart


class FolderLock:
    """A file lock; the kernel releases it when the process ends, however it ends, and at exec."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle: int | None = None

    def acquire(self) -> None:
        """Raises CannotStart when the folder cannot be written or another process holds it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / "rushes.lock"
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CannotStart(
                f"The data folder {self._folder} cannot be written ({error.strerror}). "
                "Make it writable, or name another one in RUSHES_DATA_DIR."
            ) from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            raise CannotStart(
                f"Another Rushes is running on the data folder {self._folder}. "
                "Stop it first, or name another folder in RUSHES_DATA_DIR."
            ) from error

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
