"""After `kill -9` with a thousand open generations: how soon all of them are watched again, each polled at once.

Measured from the start of the process, and from the first claim of an open row. The backend's counts are read ten
times a second, so every figure is up to 0.1 s too long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from tests.bench import rig
from tests.bench.open_watches import LENGTH_S, OPEN, PROGRESS_EVERY_S, open_them
from tests.bench.probed_app import RESUME_BEGINS
from tests.bench.table import Figure

RESTARTS = 3
WITHIN_S = 120.0
OBSERVED_EVERY_S = 0.1


def measure() -> list[Figure]:
    with (
        rig.wire(length_s=LENGTH_S, progress_every_s=PROGRESS_EVERY_S) as backend,
        rig.studio(backend, program=["-m", "tests.bench.probed_app"]) as app,
    ):
        open_them(backend, app)
        runs = [_restart(backend, app) for _ in range(RESTARTS)]
    rows = (
        ("resume to the first one polled", "first", 1.0),
        ("resume to 1,000 polled", "polled", 3.0),
        ("resume to 1,000 streams open", "streams", None),
        ("process start to 1,000 polled", "from_start", None),
        ("process start to the address printed", "ready", None),
    )
    return [
        Figure(
            name=name,
            unit="s",
            values=[run[key] for run in runs],
            at_most={} if limit is None else {"max": limit},
        )
        for name, key, limit in rows
    ]


def _restart(backend: rig.Wire, app: rig.RunningApp) -> dict[str, float]:
    app.kill()
    rig.until(lambda: not any(job["open_streams"] for job in backend.jobs().values()), WITHIN_S)
    observer, log_offset, begun = PollObserver(backend), len(app.log), time.time()
    app.start()
    ready = time.time()
    observer.wait()
    resumed = next(
        float(line.removeprefix(RESUME_BEGINS))
        for line in app.log[log_offset:].splitlines()
        if line.startswith(RESUME_BEGINS)
    )
    return {
        "first": observer.first_at - resumed,
        "polled": observer.polled_at - resumed,
        "streams": observer.streaming_at - resumed,
        "from_start": observer.polled_at - begun,
        "ready": ready - begun,
    }


class PollObserver:
    """Records when the first and the last job was polled again, and when the last stream was open."""

    def __init__(self, backend: rig.Wire) -> None:
        self.first_at = self.polled_at = self.streaming_at = 0.0
        self._backend = backend
        self._before = _polls(backend.jobs())
        self._thread = threading.Thread(target=self._observe, name="observer", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Raises TimeoutError."""
        self._thread.join(WITHIN_S)
        if not self.streaming_at:
            raise TimeoutError("not all were watched again")

    def _observe(self) -> None:
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline and not (self.polled_at and self.streaming_at):
            jobs, now = self._backend.jobs(), time.time()
            polls = _polls(jobs)
            polled = sum(polls[prompt] > count for prompt, count in self._before.items())
            if polled and not self.first_at:
                self.first_at = now
            if polled == OPEN and not self.polled_at:
                self.polled_at = now
            if not self.streaming_at and all(job["open_streams"] for job in jobs.values()):
                self.streaming_at = now
            time.sleep(OBSERVED_EVERY_S)


def _polls(jobs: Mapping[str, rig.Json]) -> dict[str, int]:
    return {prompt: int(job["polls"]) for prompt, job in jobs.items()}
