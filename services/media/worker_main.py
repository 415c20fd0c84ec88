"""The worker process: `python -m services.media.worker_main NICENESS PARENT PIXELS`.

Reads jobs from standard input until it ends and writes answers to standard output, a line of JSON each:
{"act": "module:function", "args": [], "timeout_s": 9} -> {"result": …} or {"error": "ValueError", "text": ""}
JSON and not pickle, so that a compromised decoder cannot run code in the app.
"""

import contextlib
import ctypes
import importlib
import json
import os
import signal
import sys
from resource import RLIMIT_AS, RLIMIT_CORE, RLIMIT_FSIZE, setrlimit
from typing import Any

MEMORY_BYTES = 2 * 1024**3
BYTES_PER_PIXEL = 20
"""A picture as it is read, in floating point, and as it is drawn, with room to spare."""
MAX_FILE_BYTES = 64 * 1024**2
PR_SET_PDEATHSIG = 1


def main() -> None:
    niceness, parent, max_pixels = (int(word) for word in sys.argv[1:4])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _exit_with(parent)
    os.nice(niceness)
    _set_limits(max_pixels)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a decoder prints goes to standard error
    _load_decoders(max_pixels)
    answers.write(b"{}\n")
    for line in sys.stdin.buffer:
        job = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, job["timeout_s"])  # kills a decoder that hangs, parent or not
        answer = _answer(job)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(json.dumps(answer).encode() + b"\n")


def _answer(job: dict[str, Any]) -> dict[str, Any]:
    module, _, name = job["act"].partition(":")
    try:
        return {"result": getattr(importlib.import_module(module), name)(*job["args"])}
    except Exception as error:  # any error is an answer
        return {"error": type(error).__name__, "text": str(error)}


def _exit_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()


def _set_limits(max_pixels: int) -> None:
    memory_bytes = max(MEMORY_BYTES, BYTES_PER_PIXEL * max_pixels)
    for kind, limit in {RLIMIT_AS: memory_bytes, RLIMIT_FSIZE: MAX_FILE_BYTES, RLIMIT_CORE: 0}.items():
        with contextlib.suppress(ValueError, OSError):  # not every system has each of them
            setrlimit(kind, (limit, limit))


def _load_decoders(max_pixels: int) -> None:
    from PIL import Image

    from services.media import pictures, posters, previews, stills

    assert posters and previews and stills
    Image.MAX_IMAGE_PIXELS = pictures.MAX_PIXELS = max_pixels
    Image.preinit()


if __name__ == "__main__":
    main()
