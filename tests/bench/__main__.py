"""`python -m tests.bench [NAME …]`: measure and print one table. Without a name: everything, some minutes."""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from collections.abc import Callable

from tests.bench import (
    animatic,
    at_once,
    durable,
    first_frame,
    idle,
    library,
    many_open,
    open_pages,
    open_watches,
    restart,
    without_push,
)
from tests.bench.table import Figure, table

BENCHES: dict[str, Callable[[], list[Figure]]] = {
    "idle": idle.measure,
    "durable": durable.measure,
    "animatic": animatic.measure,
    "first_frame": first_frame.measure,
    "without_push": without_push.measure,
    "at_once": at_once.measure,
    "open_watches": open_watches.measure,
    "many_open": many_open.measure,
    "restart": restart.measure,
    "open_pages": open_pages.measure,
    "library": library.measure,
}


def main(names: list[str]) -> int:
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(f"No such bench: {', '.join(sorted(unknown))}. There are: {', '.join(BENCHES)}.")
        return 2
    rows: list[tuple[str, Figure]] = []
    broken = []
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {_load()}",
        flush=True,
    )
    for name in names or BENCHES:
        begun = time.monotonic()
        print(f"{name} ...", end=" ", flush=True)
        try:
            rows += [(name, figure) for figure in BENCHES[name]()]
        except Exception:  # a bench that breaks must not lose the figures of the others
            traceback.print_exc()
            broken.append(name)
        print(f"{time.monotonic() - begun:.0f} s, {_load()}", flush=True)
    print("\n" + table(rows))
    if broken:
        print(f"\nBroken: {', '.join(broken)}")
    return 1 if broken else 0


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
