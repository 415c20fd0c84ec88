"""Checks that the data folder can be written and has room."""

import shutil
import tempfile
from pathlib import Path

from services.core.errors import Sentence
from services.diagnostics.doctor.finding import Finding, failed, passed, warning

FREE_AT_LEAST_BYTES = 200_000_000
FREE_BETTER_BYTES = 2_000_000_000
GB = 1_000_000_000


def can_write(folder: Path) -> bool:
    """Raises OSError when it cannot."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"rushes")
    return True


def disk(folder: Path) -> Finding:
    what = "disk"
    try:
        can_write(folder)
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        advice = Sentence(
            "Make it writable for the user Rushes runs as, or name another folder in RUSHES_DATA_DIR."
        )
        says = Sentence("The data folder cannot be written ({error}).", error=error.strerror)
        return failed(what, says, advice)
    free = round(free_bytes / GB, 1)
    if free_bytes < FREE_AT_LEAST_BYTES:
        advice = Sentence("Rushes takes no work below 0.2 GB: make room on this disk.")
        return failed(what, Sentence("Only {free} GB are free.", free=free), advice)
    if free_bytes < FREE_BETTER_BYTES:
        advice = Sentence("Make room soon: below 0.2 GB Rushes takes no work.")
        return warning(what, Sentence("Only {free} GB are free.", free=free), advice)
    return passed(what, Sentence("The data folder can be written, {free} GB are free.", free=free))
