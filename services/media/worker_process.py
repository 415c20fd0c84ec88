"""One worker process, seen from the app."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from services.media.formats import Truncated, WrongKind

_START_TIMEOUT_S = 20.0
_INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
# Returning each frame's pages to the system costs a third of a verification.
_ALLOCATION = {"MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2), "MALLOC_TRIM_THRESHOLD_": str(64 * 1024**2)}
_ERRORS: dict[str, type[Exception]] = {each.__name__: each for each in (ValueError, Truncated, WrongKind)}
_Result = TypeVar("_Result")


class Crashed(Exception):
    """The process died in a call, or was killed because it hung."""


class ActFailed(RuntimeError):
    """The called function raised something else than a ValueError."""


class WorkerProcess:
    """A plain child on two pipes instead of a ProcessPoolExecutor.

    A crash or a kill costs one call and not all in flight, `__main__` is not imported again in the child, and
    no thread is needed.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout

    @classmethod
    async def start(cls, niceness: int, max_pixels: int) -> Self:
        # No key of ours is inherited: the process decodes untrusted bytes.
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        python_path = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "services.media.worker_main"),
            *(str(niceness), str(os.getpid()), str(max_pixels)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**inherited, **_ALLOCATION, "PYTHONPATH": python_path},
        )
        started = cls(process)
        try:
            await asyncio.wait_for(started._receive(), _START_TIMEOUT_S)
        except BaseException:
            started.kill()
            raise
        return started

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def call(self, act: Callable[..., _Result], args: tuple[str, ...], timeout_s: float) -> _Result:
        """Raises ValueError or a subclass as `act` does, RuntimeError for its other errors, and Crashed."""
        job = {"act": f"{act.__module__}:{act.__name__}", "args": args, "timeout_s": timeout_s + 1}
        try:
            async with asyncio.timeout(timeout_s):
                self._stdin.write(json.dumps(job).encode() + b"\n")
                answer = await self._receive()
        except (TimeoutError, EOFError, OSError, ValueError, asyncio.LimitOverrunError) as error:
            await self.close()
            raise Crashed from error
        except BaseException:
            self.kill()  # the next call would take the answer to this one for its own
            raise
        if "error" in answer:
            raise _ERRORS.get(answer["error"], ActFailed)(answer["text"])
        return cast(_Result, answer["result"])

    def kill(self) -> None:
        if self.alive:
            self._process.kill()

    async def close(self) -> None:
        """Returns when the pipes are closed as well; not for use during a call."""
        self.kill()
        await self._process.wait()
        await self._stdout.read()
        self._stdin.close()
        with contextlib.suppress(OSError):
            await self._stdin.wait_closed()

    async def _receive(self) -> Any:
        return json.loads(await self._stdout.readuntil())
