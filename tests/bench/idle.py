"""The app with nothing to do: resident memory and CPU of its own process, the children beside it.

Default settings, the animatic running, no page open, ten seconds after the model list is there.
"""

from __future__ import annotations

import time

from tests.bench import rig
from tests.bench.table import Figure, one

SETTLED_S = 10.0
MB = 1e6


def measure() -> list[Figure]:
    with rig.studio(None) as app:
        time.sleep(SETTLED_S)
        before = rig.cpu(app)
        time.sleep(SETTLED_S)
        spent = rig.cpu(app).since(before)
        figures = [
            one("app, resident", "MB", rig.memory_bytes(app) / MB, at_most=250),
            one("app, CPU", "% core", spent.share),
        ]
        for name, size in sorted(rig.children_bytes(app).items()):
            figures.append(one(f"children: {name}", "MB", size / MB))
        return figures
