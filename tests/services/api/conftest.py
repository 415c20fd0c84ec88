"""One app for each file of tests (it takes 40 ms to make), emptied before each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.api import Metrics
from tests.services.api.stand_in import StandIn, application, client_of


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[StandIn, FastAPI, Metrics]:
    folder = tmp_path_factory.mktemp("data")
    stand_in = StandIn(folder)
    return stand_in, *application(stand_in, folder)


@pytest.fixture
def stand_in(made: tuple[StandIn, FastAPI, Metrics]) -> StandIn:
    made[0].empty()
    return made[0]


@pytest.fixture
def app(made: tuple[StandIn, FastAPI, Metrics], stand_in: StandIn) -> FastAPI:
    return made[1]


@pytest.fixture
def public(stand_in: StandIn) -> FastAPI:
    stand_in.settings = stand_in.settings.model_copy(update={"public_url": "https://rushes.example"})
    return application(stand_in, stand_in.media(""))[0]


@pytest.fixture
def metrics(made: tuple[StandIn, FastAPI, Metrics], stand_in: StandIn) -> Metrics:
    return made[2]


@pytest_asyncio.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client
