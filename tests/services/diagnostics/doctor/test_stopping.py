"""A server that stops while the doctor listens."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.support.app import running_app


@pytest.mark.proof
def test_a_listening_doctor_does_not_hold_up_the_end(tmp_path: Path) -> None:
    came = threading.Event()

    def listen(url: str) -> None:
        with httpx.stream(
            "GET", f"{url}/api/doctor/stream?seconds=60", timeout=30, trust_env=False
        ) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    came.set()

    with running_app(tmp_path, RUSHES_ANIMATIC="false") as app:
        listener = threading.Thread(target=listen, args=(app.url,))
        listener.start()
        assert came.wait(10)
        begun = time.monotonic()
        app.stop()
        listener.join(10)
        assert time.monotonic() - begun < 3.0
        assert not listener.is_alive()
        assert "ERROR" not in app.log
