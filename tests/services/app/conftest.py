from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.killable_app import ForkServer, KillableApp, killable_app


@pytest.fixture(scope="module")
def animated(fork_server: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KillableApp]:
    with killable_app(fork_server, tmp_path_factory.mktemp("kill") / "animatic") as app:
        app.wait_for_models()
        yield app
