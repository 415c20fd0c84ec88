import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from services.media.storage.folder import disk_errors

BATCH_BYTES = 1024 * 1024


class Fingerprint(NamedTuple):
    size_bytes: int
    sha256: str


class PartFile:
    """An unfinished file, written in batches so that a small clip needs a single call in a thread.

    `add` is for the loop, the other methods are for threads.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None
        self._waiting: list[bytes] = []
        self._hash = hashlib.sha256()
        self.waiting_bytes = 0
        self.size_bytes = 0

    def add(self, chunk: bytes) -> None:
        self._waiting.append(chunk)
        self.waiting_bytes += len(chunk)
        self.size_bytes += len(chunk)

    def flush(self) -> None:
        batch = memoryview(b"".join(self._waiting))
        self._waiting.clear()
        self.waiting_bytes = 0
        self._hash.update(batch)
        with disk_errors():
            if self._handle is None:
                self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            while batch:
                batch = batch[os.write(self._handle, batch) :]

    def finish(self) -> Fingerprint:
        self.flush()
        with disk_errors():  # a network disk may only now report that it is full
            self._close()
        return Fingerprint(self.size_bytes, self._hash.hexdigest())

    def discard(self) -> None:
        self._close()
        self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            os.close(handle)


def measure(path: Path) -> Fingerprint:
    with path.open("rb") as file:
        return Fingerprint(os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest())
