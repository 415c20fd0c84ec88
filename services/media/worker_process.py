"""One worker process, as the app sees it."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from services.media.probed import Truncated, WrongKind

_START_S = 20.0
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
# Frames come and go: handed back to the system each time, their pages cost a third of a verification.
_ALLOCATION = {"MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2), "MALLOC_TRIM_THRESHOLD_": str(64 * 1024**2)}
_ERRORS: dict[str, type[Exception]] = {each.__name__: each for each in (ValueError, Truncated, WrongKind)}


class Crashed(Exception):
    """The process died over a job, or was killed because it hung."""


class WorkerProcess:
    """A plain child on two pipes instead of a ProcessPoolExecutor: a crash or a kill costs one call, not
    all in flight, `__main__` is not imported again in the child, and no thread stands in between.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, niceness: int) -> Self:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "services.media.worker_main", str(niceness), str(os.getpid())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=_environment(),
        )
        started = cls(process)
        try:
            async with asyncio.timeout(_START_S):
                await started._receive()
        except BaseException:
            started.kill()
            raise
        return started

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def call(self, act: Callable[..., Any], args: tuple[str, ...], timeout_s: float) -> Any:
        """Raises ValueError (or a kind of it) as `act` did, RuntimeError for anything else, or Crashed; then
        the process is gone.
        """
        try:
            async with asyncio.timeout(timeout_s):
                self._send(act, args, timeout_s + 1)
                answer = await self._receive()
        except (TimeoutError, EOFError, OSError, ValueError) as error:
            await self.close()
            raise Crashed from error
        except BaseException:
            self.kill()  # an answer that nobody reads would be taken for the next call's
            raise
        if "error" in answer:
            raise _ERRORS.get(answer["error"], RuntimeError)(answer["text"])
        return answer["result"]

    def kill(self) -> None:
        if self.alive:
            self._process.kill()

    async def close(self) -> None:
        """Not while a call waits for its answer. Returns when the pipes are closed as well."""
        self.kill()
        await self._process.wait()
        assert self._process.stdin is not None and self._process.stdout is not None
        await self._process.stdout.read()
        self._process.stdin.close()
        with contextlib.suppress(OSError):
            await self._process.stdin.wait_closed()

    def _send(self, act: Callable[..., Any], args: tuple[str, ...], timeout_s: float) -> None:
        assert self._process.stdin is not None
        job = {"act": f"{act.__module__}:{act.__name__}", "args": args, "timeout_s": timeout_s}
        self._process.stdin.write(json.dumps(job).encode() + b"\n")

    async def _receive(self) -> Any:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise EOFError
        return json.loads(line)


def _environment() -> dict[str, str]:
    """Only what Python needs: no key of ours stands where strangers' bytes are decoded."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | _ALLOCATION | {"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}
