"""A drawing process: takes jobs as JSON lines on stdin, answers with JSON lines on stdout.

Ends by itself when stdin reaches its end, so it never outlives the server, however that died.
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


class Answers:
    """Writes to the real stdout; progress at most 8 times a second and only upwards."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._percent = -1
        self._told_at_s = 0.0

    def start(self) -> None:
        self._percent = -1
        self._told_at_s = 0.0

    def progress(self, fraction: float) -> None:
        percent, now_s = min(99, int(fraction * 100)), time.monotonic()
        if percent > self._percent and now_s - self._told_at_s >= PROGRESS_EVERY_S:
            self._percent, self._told_at_s = percent, now_s
            self.tell(progress=percent)

    def tell(self, **message: Any) -> None:
        self._pipe.write(json.dumps(message).encode() + b"\n")
        self._pipe.flush()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    os.nice(5)
    answers = Answers(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    jobs: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(jobs,), name="jobs", daemon=True).start()
    importlib.import_module("services.animatic.film.render").warm()
    while True:
        _draw(jobs.get(), answers)


def _read(jobs: "queue.SimpleQueue[dict[str, Any]]") -> None:
    try:
        for line in sys.stdin.buffer:
            jobs.put(json.loads(line))
    finally:
        os._exit(0)


def _draw(job: dict[str, Any], answers: Answers) -> None:
    # Imported here: the thread that watches the pipe must not wait for numpy and the codecs.
    from services.animatic.film.render import render

    answers.start()
    target = Path(job["target"])
    source = Path(job["source"]) if job["source"] else None
    try:
        render(Order.from_json(job["order"]), source, target, Path(job["thumbnail"]), answers.progress)
    except Exception as error:
        log.error("drawing failed", exc_info=error)
        answers.tell(error=f"The film could not be drawn ({type(error).__name__}).")
    else:
        answers.tell(done=target.stat().st_size)


if __name__ == "__main__":
    main()
