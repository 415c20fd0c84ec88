"""Checks that the data folder can be written and has room."""

import shutil
import tempfile
from pathlib import Path

from services.core.errors import Sentence
from services.diagnostics.doctor.finding import Finding, failed, passed, warning

MIN_FREE_BYTES = 200_000_000
LOW_FREE_BYTES = 2_000_000_000


def can_write(folder: Path) -> bool:
    """Raises OSError when it cannot."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"rushes")
    return True


def disk(folder: Path) -> Finding:
    try:
        can_write(folder)
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        advice = Sentence(
            "Make it writable for the account that runs Rushes, or set another folder in RUSHES_DATA_DIR."
        )
        says = Sentence("The data folder is not writable ({error}).", error=error.strerror)
        return failed("disk", says, advice)
    free = round(free_bytes / 1e9, 1)
    if free_bytes < MIN_FREE_BYTES:
        advice = Sentence("Rushes accepts no work below 0.2 GB. Free space on this disk.")
        return failed("disk", Sentence("Only {free} GB is free.", free=free), advice)
    if free_bytes < LOW_FREE_BYTES:
        advice = Sentence("Free space soon. Below 0.2 GB, Rushes accepts no work.")
        return warning("disk", Sentence("Only {free} GB is free.", free=free), advice)
    return passed("disk", Sentence("The data folder is writable, with {free} GB free.", free=free))
