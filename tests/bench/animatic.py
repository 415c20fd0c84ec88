"""The embedded backend: 5 s 720p films from the request to the kept bytes, one after the other.

Meanwhile a probe measures the lag of the app's loop a hundred times a second.
"""

from __future__ import annotations

import json
import time

from tests.bench import rig
from tests.bench.probed_app import LOOP_LAG
from tests.bench.table import Figure
from tests.support.app import RunningApp

PROMPTS = (
    "a lighthouse above a stormy sea at night, slow zoom in",
    "rain over a neon city, dolly forward between the towers",
    "fog rising from a pine forest at dawn, slow pan to the right",
    "a field of grass under drifting clouds",
    "mountains over a lake in the evening",
    "a desert at noon",
    "stars and a planet, slow zoom out",
    "snow on the mountains",
)
WITHIN_S = 60.0


def measure() -> list[Figure]:
    with rig.studio(None, program=["-m", "tests.bench.probed_app"]) as app:
        _film(app, "a warm-up by the sea")
        log_offset = len(app.log)
        taken = [_film(app, prompt) for prompt in PROMPTS]
        lag_ms = [1000 * each for each in loop_lag(app.log[log_offset:])]
    return [
        Figure(
            name="5 s at 720p, requested to kept", unit="s", values=taken, at_most={"p50": 2.5, "max": 2.5}
        ),
        Figure(name="lag of the app's loop meanwhile", unit="ms", values=lag_ms, at_most={"p99": 20.0}),
    ]


def loop_lag(log: str) -> list[float]:
    """The loop's lag at each probe, in seconds, from the log."""
    lines = (line for line in log.splitlines() if line.startswith(LOOP_LAG))
    return [each for line in lines for each in json.loads(line.removeprefix(LOOP_LAG))]


def _film(app: RunningApp, prompt: str) -> float:
    before = len(rig.kept_at(app))
    requested_at = time.time()
    answer = app.post("/api/generate/video", {"prompt": prompt, "duration": 5, "resolution": "720p"})
    file_id = answer.json()["fileId"]
    return rig.wait_until_kept(app, before + 1, WITHIN_S)[file_id] - requested_at
