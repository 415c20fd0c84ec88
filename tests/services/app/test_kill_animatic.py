"""kill -9 at every boundary, with the embedded backend, which takes a key."""

from __future__ import annotations

from contextlib import suppress

import httpx
import pytest

from tests.support.kill_parts import BOUNDARIES, SHORT, at, killed_at
from tests.support.killable_app import KillableApp

pytestmark = pytest.mark.timeout(240)
BEFORE_THE_JOB = ("before_submit", "after_submit")


@at(*BEFORE_THE_JOB, *BOUNDARIES, fast="after_submit")
def test_the_animatic_draws_once_whatever_boundary_the_kill_comes_at(
    animated: KillableApp, boundary: str
) -> None:
    prompt = f"a lighthouse, killed {boundary}"
    file_id = killed_at(boundary, animated, prompt, **SHORT)

    animated.start()

    animated.wait_for(file_id)
    (job_id,) = animated.animatic_jobs(prompt)
    row = animated.assert_delivered(file_id, animated.animatic_content(job_id))
    assert row == animated.row_of(prompt)
    assert row["job_id"] == job_id


@pytest.mark.proof
def test_the_animatic_draws_on_after_a_kill_in_the_middle_of_the_film(animated: KillableApp) -> None:
    prompt = "a long wave, killed while it is drawn"
    file_id = animated.generate(prompt, **SHORT | {"duration": 10, "resolution": "720p", "fps": 24})
    animated.wait_until(lambda: (animated.get(f"/api/file/{file_id}")["progress"] or 0) > 1, 30)
    animated.kill()
    animated.wait_until_killed()
    assert animated.row(file_id)["phase"] == "processing"

    animated.start()

    animated.wait_for(file_id)
    (job_id,) = animated.animatic_jobs(prompt)
    animated.assert_delivered(file_id, animated.animatic_content(job_id))


def test_a_kill_while_the_trash_is_emptied_leaves_neither_row_nor_file(animated: KillableApp) -> None:
    stays, goes = (animated.generate(f"a kite that {word}", **SHORT) for word in ("stays", "goes"))
    for file_id in (stays, goes):
        animated.wait_for(file_id)
        animated.wait_until(lambda file_id=file_id: animated.row(file_id)["preview"], 30)
    kept = animated.row(goes)["kept"]["name"]
    animated.delete(f"/api/file/{goes}").raise_for_status()
    animated.arm("rows_removed")
    with suppress(httpx.HTTPError):
        animated.delete("/api/trash")
    animated.wait_until_killed()
    assert kept in animated.media_files()

    animated.start()

    animated.wait_until(lambda: animated.media_files() == animated.referenced_files(), 20)
    assert kept not in animated.media_files()
    assert [row["id"] for row in animated.rows() if row["id"] in (stays, goes)] == [stays]
    answer = httpx.get(f"{animated.url}/api/files", params={"trashed": "true"}, trust_env=False)
    assert answer.json()["items"] == []
