"""The parent's side: keeps one animatic server running and reports its address."""

import asyncio
import json
import logging
import secrets
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

PROJECT_ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 15.0
STOP_WITHIN_S = 1.0
BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
STABLE_AFTER_S = 30.0


class AnimaticProcess:
    """Calls `on_address(url, token)` at each start of the server; both are new each time."""

    def __init__(self, data_dir: Path, on_address: Callable[[str, str], None]) -> None:
        self._data_dir = data_dir
        self._on_address = on_address
        self._process: Process | None = None
        self._supervision: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns when the server answers. Raises RuntimeError."""
        await self._launch()
        self._supervision = asyncio.create_task(self._supervise(), name="animatic-supervision")

    async def stop(self) -> None:
        if self._supervision is not None:
            self._supervision.cancel()
            await asyncio.gather(self._supervision, return_exceptions=True)
            self._supervision = None
        if self._process is not None:
            await _end(self._process)
            self._process = None

    async def _launch(self) -> None:
        token = secrets.token_urlsafe(32)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.animatic", "--data-dir", str(self._data_dir.resolve()),
            stdin=PIPE, stdout=PIPE, cwd=PROJECT_ROOT,
        )  # fmt: skip
        try:
            url = await asyncio.wait_for(_handshake(process, token), READY_WITHIN_S)
        except (TimeoutError, OSError, ValueError, KeyError) as error:
            await _end(process)
            raise RuntimeError(
                f"The animatic server did not start (exit code {process.returncode}): see its messages above."
            ) from error
        except BaseException:
            await _end(process)
            raise
        self._process = process
        self._on_address(url, token)

    async def _supervise(self) -> None:
        failures = 0
        while True:
            assert self._process is not None
            started_s = time.monotonic()
            code = await self._process.wait()
            failures = 0 if time.monotonic() - started_s > STABLE_AFTER_S else failures
            log.warning("animatic server ended (exit code %s); starting it again", code)
            failures = await self._launch_again(failures)

    async def _launch_again(self, failures: int) -> int:
        while True:
            await asyncio.sleep(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
            failures += 1
            try:
                await self._launch()
            except RuntimeError as error:
                log.warning("%s", error)
            else:
                log.info("animatic server is back")
                return failures


async def _handshake(process: Process, token: str) -> str:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{token}\n".encode())
    await process.stdin.drain()
    return str(json.loads(await process.stdout.readline())["url"])


async def _end(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()
