import asyncio
import sys
from pathlib import Path

import httpx
import pytest

from services.animatic import process as parent_side
from services.animatic.process import AnimaticProcess


class Addresses:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.news = asyncio.Event()

    def __call__(self, url: str, token: str) -> None:
        self.told.append((url, token))
        self.news.set()

    async def ping(self) -> int:
        url, token = self.told[-1]
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{url}/api/v1/ping", headers={"Authorization": f"Bearer {token}"})
        return answer.status_code


@pytest.mark.asyncio
async def test_it_tells_an_address_that_answers_and_stops_at_once(tmp_path: Path) -> None:
    addresses = Addresses()
    animatic = AnimaticProcess(tmp_path, addresses)
    await animatic.start()
    assert await addresses.ping() == 200
    async with asyncio.timeout(1.5):
        await animatic.stop()
    with pytest.raises(httpx.ConnectError):
        await addresses.ping()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "animatic-supervision"]


@pytest.mark.asyncio
async def test_a_dead_server_is_started_again_with_a_new_token(tmp_path: Path) -> None:
    addresses = Addresses()
    animatic = AnimaticProcess(tmp_path, addresses)
    await animatic.start()
    addresses.news.clear()
    assert animatic._process is not None
    animatic._process.kill()
    async with asyncio.timeout(10):
        await addresses.news.wait()
    assert addresses.told[0][1] != addresses.told[1][1]
    assert await addresses.ping() == 200
    await animatic.stop()


@pytest.mark.asyncio
async def test_a_server_that_cannot_start_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    animatic = AnimaticProcess(tmp_path, Addresses())
    with pytest.raises(RuntimeError, match="did not start"):
        await animatic.start()
    await animatic.stop()


def test_the_backoff_grows_and_is_bounded() -> None:
    assert list(parent_side.BACKOFF_S) == sorted(parent_side.BACKOFF_S)
    assert parent_side.BACKOFF_S[-1] <= 30
