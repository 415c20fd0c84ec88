"""A render process: reads jobs as JSON lines from stdin, writes JSON lines to stdout.

Ends when stdin reaches its end, so it never outlives the server, even one that was killed.
"""

import importlib
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

from services.animatic.job_request import Order

PROGRESS_EVERY_S = 0.125

log = logging.getLogger(__name__)


class Replies:
    """Writes to the real stdout; progress at most 8 times a second and only upwards."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._percent = -1
        self._sent_at_s = 0.0

    def start(self) -> None:
        self._percent = -1
        self._sent_at_s = 0.0

    def progress(self, fraction: float) -> None:
        percent, now_s = min(99, int(fraction * 100)), time.monotonic()
        if percent > self._percent and now_s - self._sent_at_s >= PROGRESS_EVERY_S:
            self._percent, self._sent_at_s = percent, now_s
            self.send(progress=percent)

    def send(self, **message: Any) -> None:
        self._pipe.write(json.dumps(message).encode() + b"\n")
        self._pipe.flush()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    os.nice(5)
    replies = Replies(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(jobs,), name="jobs", daemon=True).start()
    importlib.import_module("services.animatic.film.render").warm()
    while True:
        _draw(jobs.get(), replies)


def _read(jobs: "queue.SimpleQueue[dict[str, Any]]") -> None:
    try:
        for line in sys.stdin.buffer:
            jobs.put(json.loads(line))
    finally:
        os._exit(0)


def _draw(job: dict[str, Any], replies: Replies) -> None:
    # Imported here: the thread that watches the pipe must not wait for numpy and the codecs.
    from services.animatic.film.render import render

    replies.start()
    target = Path(job["target"])
    source = Path(job["source"]) if job["source"] else None
    try:
        render(Order.from_json(job["order"]), source, target, Path(job["thumbnail"]), replies.progress)
    except Exception as error:
        log.error("drawing failed", exc_info=error)
        replies.send(error=f"The film could not be drawn ({type(error).__name__}).")
    else:
        replies.send(done=target.stat().st_size)


if __name__ == "__main__":
    main()
