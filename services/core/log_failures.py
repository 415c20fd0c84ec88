"""Guards one iteration of a periodic task: logs a failure, so that the next one tries again."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from services.core.errors import StoreFailed

log = logging.getLogger(__name__)


@contextmanager
def log_failures(failed: str) -> Iterator[None]:
    """`failed` is what the log says of a failure, without its end: "The leases could not be renewed"."""
    try:
        yield
    except StoreFailed as error:
        log.warning("%s; the next round tries again. %s", failed, error)
    except Exception:
        log.exception("%s.", failed)
