"""The data folder's disk: can it be written, is there room?"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from services.doctor.finding import Finding, doubtful, ill, well

FREE_AT_LEAST_BYTES = 200_000_000
FREE_BETTER_BYTES = 2_000_000_000
GB = 1_000_000_000


def can_write(folder: Path) -> bool:
    """Raises OSError where it cannot."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"rushes")
    return True


def disk(folder: Path) -> Finding:
    what = "disk"
    try:
        can_write(folder)
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        advice = "Make it writable for the user Rushes runs as, or name another folder in RUSHES_DATA_DIR."
        return ill(what, f"The data folder cannot be written ({error.strerror}).", advice)
    free = f"{free_bytes / GB:.1f} GB are free"
    if free_bytes < FREE_AT_LEAST_BYTES:
        return ill(what, f"Only {free}.", "Rushes takes no work below 0.2 GB: make room on this disk.")
    if free_bytes < FREE_BETTER_BYTES:
        return doubtful(what, f"Only {free}.", "Make room soon: below 0.2 GB Rushes takes no work.")
    return well(what, f"The data folder can be written, {free}.")
