from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.api import Metrics
from services.settings import Settings
from tests.services.api.stand_in import StandIn, application, client_of


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    return StandIn(tmp_path, Settings(_env_file=None))


@pytest.fixture
def included(stand_in: StandIn, tmp_path: Path) -> tuple[FastAPI, Metrics]:
    return application(stand_in, tmp_path)


@pytest.fixture
def app(included: tuple[FastAPI, Metrics]) -> FastAPI:
    return included[0]


@pytest.fixture
def metrics(included: tuple[FastAPI, Metrics]) -> Metrics:
    return included[1]


@pytest_asyncio.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client
