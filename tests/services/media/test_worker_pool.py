from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from services.core.errors import DeliveryFailed
from services.media import worker_main, worker_tasks
from services.media.worker_pool import Worker

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def worker(misbehaving: Any) -> AsyncIterator[Worker]:
    worker = Worker(processes=2)
    await worker.start()
    yield worker
    await worker.close()


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


async def gone(pid: int, within_s: float) -> bool:
    until = time.monotonic() + within_s
    while running(pid) and time.monotonic() < until:
        await asyncio.sleep(0.01)
    return not running(pid)


async def test_a_warm_worker_answers_at_once(worker: Worker, misbehaving: Any) -> None:
    started = time.monotonic()
    pids = set(await asyncio.gather(*(worker.run(misbehaving.pid) for _ in range(20))))
    assert time.monotonic() - started < 0.2
    assert os.getpid() not in pids
    assert 1 <= len(pids) <= 2


async def test_a_refusal_comes_back_as_it_was(worker: Worker, misbehaving: Any) -> None:
    with pytest.raises(ValueError, match=r"^No\.$"):
        await worker.run(misbehaving.refuse)
    with pytest.raises(RuntimeError, match="odd"):
        await worker.run(misbehaving.stumble)
    assert await worker.run(misbehaving.chatter) == "said"


async def test_a_crash_fails_one_call_and_the_next_ones_work(worker: Worker, misbehaving: Any) -> None:
    waiting = asyncio.create_task(worker.run(misbehaving.wait, "0.3"))
    with pytest.raises(DeliveryFailed) as failed:
        await worker.run(misbehaving.crash)
    assert failed.value.reason == "undecodable"
    await waiting
    assert len({await worker.run(misbehaving.pid) for _ in range(4)}) >= 1
    await asyncio.gather(*(worker.run(misbehaving.wait, "0.01") for _ in range(4)))


async def test_a_call_that_hangs_is_killed_and_others_go_on(worker: Worker, misbehaving: Any) -> None:
    started = time.monotonic()
    hanging = asyncio.create_task(worker.run(misbehaving.hang, timeout_s=0.3))
    await asyncio.sleep(0.05)
    other = await worker.run(misbehaving.pid)
    assert time.monotonic() - started < 0.25
    with pytest.raises(DeliveryFailed) as failed:
        await hanging
    assert failed.value.reason == "undecodable"
    assert time.monotonic() - started < 0.8
    assert await worker.run(misbehaving.pid) == other


async def test_more_memory_than_the_limit_is_not_to_be_had(worker: Worker, misbehaving: Any) -> None:
    assert worker_main.MEMORY_BYTES == 2 * 1024**3
    with pytest.raises(RuntimeError):
        await worker.run(misbehaving.greedy)


async def test_a_process_that_died_idle_is_replaced_unnoticed(worker: Worker, misbehaving: Any) -> None:
    first = {await worker.run(misbehaving.pid)}
    for pid in first:
        os.kill(pid, signal.SIGKILL)
        assert await gone(pid, 1)
    await asyncio.sleep(0.05)
    assert await worker.run(misbehaving.pid) not in first


async def test_a_caller_who_leaves_does_not_disturb_the_process(worker: Worker, misbehaving: Any) -> None:
    pids = set(await asyncio.gather(*(worker.run(misbehaving.pid) for _ in range(8))))
    leaving = asyncio.create_task(worker.run(misbehaving.wait, "0.2"))
    await asyncio.sleep(0.05)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    answers = await asyncio.gather(*(worker.run(misbehaving.chatter) for _ in range(8)))
    assert answers == ["said"] * 8
    await asyncio.sleep(0.2)
    assert set(await asyncio.gather(*(worker.run(misbehaving.pid) for _ in range(8)))) <= pids


async def test_what_may_wait_runs_beside_at_low_priority(worker: Worker, misbehaving: Any) -> None:
    later = [asyncio.create_task(worker.run_later(misbehaving.wait, "0.2")) for _ in range(3)]
    started = time.monotonic()
    assert await worker.run(misbehaving.nice) == os.nice(0)
    assert time.monotonic() - started < 0.15
    await asyncio.gather(*later)
    assert await worker.run_later(misbehaving.nice) == os.nice(0) + 10


async def test_no_key_of_ours_stands_in_the_worker(
    worker: Worker, misbehaving: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERDUPERAI_TOKEN", "key")
    with pytest.raises(DeliveryFailed):
        await asyncio.gather(worker.run(misbehaving.crash), worker.run(misbehaving.crash))
    assert "SUPERDUPERAI_TOKEN" not in await worker.run(misbehaving.secrets)


async def test_ctrl_c_does_not_reach_the_workers(worker: Worker, misbehaving: Any) -> None:
    pid = await worker.run(misbehaving.pid)
    os.kill(pid, signal.SIGINT)
    await worker.run(misbehaving.wait, "0.2")
    assert await worker.run(misbehaving.pid) == pid


async def test_closing_is_quick_even_over_a_call_that_hangs(misbehaving: Any) -> None:
    worker = Worker(processes=2)
    await worker.start()
    pids = [await worker.run(misbehaving.pid), await worker.run_later(misbehaving.pid)]
    hanging = asyncio.create_task(worker.run(misbehaving.hang))
    await asyncio.sleep(0.05)
    started = time.monotonic()
    await worker.close()
    assert time.monotonic() - started < 0.5
    with pytest.raises(DeliveryFailed):
        await hanging
    assert not any(running(pid) for pid in pids)
    with pytest.raises(RuntimeError, match="closed"):
        await worker.run(misbehaving.pid)


async def test_no_process_is_left_when_the_app_is_killed(tmp_path: Path, misbehaving: Any) -> None:
    """Not an idle one, and not one that is busy."""
    script = (
        "import asyncio, sys; sys.path.insert(0, sys.argv[1]); import misbehaving\n"
        "from services.media.worker_pool import Worker\n"
        "async def main():\n"
        "    worker = Worker(processes=2); await worker.start()\n"
        "    pids = {await worker.run(misbehaving.pid), await worker.run_later(misbehaving.pid)}\n"
        "    asyncio.create_task(worker.run(misbehaving.hang)); await asyncio.sleep(0.1)\n"
        "    pids.add(await worker.run(misbehaving.pid)); print(*pids, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    app = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(worker_main.__file__).parents[2],
    )
    assert app.stdout is not None
    pids = [int(word) for word in (await asyncio.to_thread(app.stdout.readline)).split()]
    assert len(pids) >= 3
    app.kill()
    app.wait()
    app.stdout.close()
    assert [await gone(pid, 1) for pid in pids] == [True] * len(pids)


async def test_a_worker_decodes_pictures_up_to_the_admins_limit(tmp_path: Path) -> None:
    Image.new("1", (2_000, 1_001)).save(tmp_path / "file", "PNG")
    for max_pixels, allowed in ((2_000_000, False), (3_000_000, True)):
        worker = Worker(processes=1, max_pixels=max_pixels)
        try:
            run = worker.run(worker_tasks.probe, str(tmp_path / "file"), "image")
            if allowed:
                assert (await run)["width"] == 2_000
            else:
                with pytest.raises(ValueError, match=r"larger than 2 megapixels \(RUSHES_PICTURE_LIMIT_MP\)"):
                    await run
        finally:
            await worker.close()
