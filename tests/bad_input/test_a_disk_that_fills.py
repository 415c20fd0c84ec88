"""A disk that fills while a result comes in, or before its poster: waited out, and nothing that was paid for goes.

The narrower tests: tests/services/media/test_download.py and test_files.py (a write that fails, a rename that fails).
"""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.fault_server import WireServer
from tests.support.killable_app import ForkServer, KillableApp, killable_app, padded, wire_settings
from tests.support.proof_counts import proven
from tests.support.sample_media import tiny_film

pytestmark = pytest.mark.timeout(180)

MB = 1_000_000


class SmallDisk:
    """A tmpfs of 24 MB."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def leave(self, app: KillableApp, size_bytes: int) -> None:
        with self._ballast.open("ab", buffering=0) as file, suppress(OSError):
            while (free := shutil.disk_usage(self.folder).free) > size_bytes:
                file.write(bytes(min(MB, free - size_bytes)))

    def make_room(self, app: KillableApp) -> None:
        self._ballast.unlink()


class FileLimit:
    """Where nothing can be mounted: no file of the app may grow beyond this."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def leave(self, app: KillableApp, size_bytes: int) -> None:
        largest = max(path.stat().st_size for path in app.data_dir.glob("rushes.db*"))
        self._limit(app, size_bytes or largest)

    def make_room(self, app: KillableApp) -> None:
        self._limit(app, resource.RLIM_INFINITY)

    def _limit(self, app: KillableApp, size_bytes: int) -> None:
        psutil.Process(app.process.pid).rlimit(psutil.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


@pytest.fixture(params=[pytest.param("small disk", marks=pytest.mark.proof), "file limit"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallDisk | FileLimit]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "rushes-test", str(folder)]
    if request.param == "file limit" or subprocess.run(mount, capture_output=True).returncode != 0:
        yield FileLimit(folder)
    else:
        yield SmallDisk(folder)
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_refuses_new_work_and_keeps_what_was_paid_for(
    fork_server: ForkServer, disk: SmallDisk | FileLimit, tmp_path: Path
) -> None:
    film = tmp_path / "large.mp4"
    film.write_bytes(large := padded(tiny_film(), 8 * MB))
    with (
        WireServer(idempotent=False) as wire,
        killable_app(fork_server, disk.folder / "data", **wire_settings(wire)) as app,
    ):
        app.wait_for_models()
        wire.script(length_s=600, result=str(film))
        file_id = app.generate("a kite too large for the disk")
        app.wait_for(file_id, status="processing")
        job_id = app.row(file_id)["job_id"]

        disk.leave(app, 4 * MB)
        wire.finish(job_id)
        app.wait_until(lambda: "disk_full" in _reasons(app, file_id), 30)
        assert app.get(f"/api/file/{file_id}")["status"] == "processing"
        refused = _asked_until_refused(app, disk)
        disk.make_room(app)

        assert refused["success"] is False
        assert "disk" in refused["error"]
        app.assert_delivered(file_id, large)
        assert wire.submits_by_prompt["a kite too large for the disk"] == 1
        assert len(app.rows()) == sum(wire.submits_by_prompt.values())
        assert app.post("/api/generate/video", {"prompt": "there is room again"}).status_code == 202
        assert "Traceback" not in app.log
        assert " ERROR " not in app.log
    proven("bad input", cases=1, harmed=0)


@pytest.mark.proof
def test_a_poster_that_could_not_be_written_down_is_drawn_at_the_next_start(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    disk = FileLimit(tmp_path)
    with (
        WireServer(idempotent=False) as wire,
        killable_app(fork_server, tmp_path / "data", **wire_settings(wire)) as app,
    ):
        app.wait_for_models()
        wire.script(length_s=0.1, result="small")
        file_id = app.generate("a kite whose poster finds no room")
        app.wait_until(lambda: app.row(file_id)["phase"] == "completed", 30)
        disk.leave(app, 0)
        app.wait_until(lambda: "at the next start" in app.log or app.row(file_id)["poster"], 30)
        app.kill()
        app.wait_until_killed()

        app.start()

        (job_id,) = wire.jobs
        app.assert_delivered(file_id, wire.content(job_id))
        assert "Traceback" not in app.log


def _asked_until_refused(app: KillableApp, disk: SmallDisk | FileLimit) -> dict[str, object]:
    """The last page of the journal file may hold a row or two more, and a download that failed gives back
    its room.
    """
    for number in range(20):
        disk.leave(app, 0)
        body = {"prompt": f"{number} " + "a kite in a storm " * 150}
        answer = app.post("/api/generate/video", body)
        if answer.status_code != 202:
            assert answer.status_code in (503, 507), answer.text
            assert answer.headers["content-type"] == "application/json"
            return dict(answer.json())
    raise AssertionError("Twenty rows were taken although the disk is full.")


def _reasons(app: KillableApp, file_id: str) -> list[str]:
    items = app.get(f"/api/file/{file_id}/trace")["items"]
    return [line["data"].get("reason", "") for line in items if line["event"] == "keep_failed"]
