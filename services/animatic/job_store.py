"""The data folder: one JSON file per record, the results, the uploaded pictures."""

import json
import logging
import os
from pathlib import Path

from services.animatic.record import Record

log = logging.getLogger(__name__)

KEEP_RECORDS = 500
KEEP_BYTES = 2 * 1024**3


class JobStore:
    """All of it blocks on the disk, except `get`, `newest_first` and `by_key`."""

    def __init__(self, data_dir: Path) -> None:
        self._jobs_dir = data_dir / "jobs"
        self.files_dir = data_dir / "files"
        self._records: dict[str, Record] = {}

    def open(self) -> list[Record]:
        """Returns the unfinished records, oldest first; removes half-written files."""
        for folder in (self._jobs_dir, self.files_dir):
            folder.mkdir(parents=True, exist_ok=True)
            for leftover in folder.glob("*.part*"):
                leftover.unlink(missing_ok=True)
        for path in self._jobs_dir.glob("*.json"):
            try:
                record = Record.from_json(json.loads(path.read_text("utf-8")))
            except (ValueError, TypeError, OSError) as error:
                log.warning(
                    "job file %s cannot be read and is left alone: %s", path.name, type(error).__name__
                )
                continue
            self._records[record.id] = record
        unfinished = [record for record in self._records.values() if record.status == "in_progress"]
        return sorted(unfinished, key=lambda record: record.created_ns)

    def get(self, file_id: str) -> Record | None:
        return self._records.get(file_id)

    def by_key(self, idempotency_key: str) -> Record | None:
        for record in self._records.values():
            if idempotency_key and record.idempotency_key == idempotency_key:
                return record
        return None

    def newest_first(self) -> list[Record]:
        return sorted(self._records.values(), key=lambda record: record.created_ns, reverse=True)

    def put(self, record: Record) -> None:
        """On disk when it returns; visible to readers only then."""
        write_atomically(self._jobs_dir / f"{record.id}.json", json.dumps(record.to_json()).encode())
        self._records[record.id] = record

    def remove(self, file_id: str) -> bool:
        record = self._records.pop(file_id, None)
        if record is None:
            return False
        (self._jobs_dir / f"{file_id}.json").unlink(missing_ok=True)
        self.path_of(record).unlink(missing_ok=True)
        self.thumbnail_of(record).unlink(missing_ok=True)
        return True

    def path_of(self, record: Record) -> Path:
        return self.files_dir / record.file_name

    def thumbnail_of(self, record: Record) -> Path:
        return self.files_dir / record.thumbnail_name

    def trim(self) -> None:
        """Keeps the newest 500 records and the newest 2 GB; never removes an unfinished one."""
        kept_bytes = 0
        for place, record in enumerate(self.newest_first()):
            kept_bytes += record.size_bytes
            if record.status != "in_progress" and (place >= KEEP_RECORDS or kept_bytes > KEEP_BYTES):
                self.remove(record.id)


def write_atomically(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
