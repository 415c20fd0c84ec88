"""The boundaries that a kill comes at."""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest

from tests.support.killable_app import KillableApp

BOUNDARIES = (
    "after_id",
    "before_download",
    "mid_download",
    "before_rename",
    "after_rename",
    "before_commit",
    "after_commit",
)
SHORT = {"duration": 1, "resolution": "360p", "fps": 12, "model": "animatic/film"}


def at(*boundaries: str, fast: str) -> pytest.MarkDecorator:
    """All but one are left to `make proof ONLY=kills`."""
    return pytest.mark.parametrize(
        "boundary",
        [pytest.param(each, marks=[] if each == fast else pytest.mark.proof) for each in boundaries],
    )


def killed_at(boundary: str, app: KillableApp, prompt: str, **more: object) -> str:
    """The id of the generation at whose boundary the app has died; its asker may not have heard the answer."""
    app.arm(boundary)
    with suppress(httpx.TransportError):
        app.generate(prompt, **more)
    app.wait_until_killed()
    return str(app.row_of(prompt)["id"])
