"""The data folder: any path, and nobody else's to read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.store.folder_modes import close_folder, close_new_files
from tests.support.app import running_app

pytestmark = pytest.mark.timeout(180)

ODD = "100% a?b=c&d#e ~f %20 é 風筝 {g} [h] +;'\"$i"


@pytest.fixture
def private_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    found = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    return {str(path.relative_to(folder.parent)): stat.S_IMODE(mode) for path, mode in found.items()}


def open_to_others(folder: Path) -> list[str]:
    return [name for name, mode in modes(folder).items() if mode & 0o077]


@pytest.mark.parametrize("name", [ODD, "~", "file:x?mode=ro"])
def test_a_folder_of_any_name_is_a_path_and_private(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "above" / name
    with running_app(folder) as app:
        app.wait_for_models()
        made = app.wait_for(app.generate("a kite", duration=5, resolution="360p"))
        assert made["url"]
        assert (folder / "rushes.db").stat().st_size > 0
        assert open_to_others(folder) == []
        app.kill()
        app.start()
        assert app.wait_for(made["id"])["status"] == "completed"
    assert [each.name for each in folder.parent.iterdir()] == [name]
    assert open_to_others(folder) == []


def older(folder: Path, mode: int = 0o755) -> Path:
    (folder / "media" / "ab").mkdir(parents=True)
    (folder / "notes").mkdir()
    for name in ("rushes.db", "rushes.db-wal", "storage_secret", "media/ab/cd.mp4", "notes/mine.txt"):
        (folder / name).write_bytes(b"x")
        (folder / name).chmod(0o644)
    folder.chmod(mode)
    return folder


@pytest.mark.usefixtures("private_umask")
def test_an_older_folder_is_closed_and_the_log_says_it_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    folder = older(tmp_path / "data")
    close_folder(folder)
    assert sorted(open_to_others(folder)) == ["data/notes", "data/notes/mine.txt"]
    assert modes(folder)["data"] == 0o700
    assert [record.args for record in caplog.records] == [(6,)]
    close_folder(folder)
    assert len(caplog.records) == 1


@pytest.mark.usefixtures("private_umask")
def test_a_folder_that_is_shared_with_a_group_stays_shared_with_it(tmp_path: Path) -> None:
    folder = older(tmp_path / "data", mode=0o2775)
    close_new_files(folder)
    close_folder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o2770
    assert modes(folder)["data/rushes.db"] == 0o640
    (folder / "new").touch()
    assert modes(folder)["data/new"] == 0o660


@pytest.mark.usefixtures("private_umask")
def test_a_link_out_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    folder, elsewhere = older(tmp_path / "data"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "film.mp4").touch(0o644)
    (folder / "animatic").symlink_to(elsewhere)
    (folder / "media" / "link.mp4").symlink_to(elsewhere / "film.mp4")
    before = modes(elsewhere)
    close_folder(folder)
    assert modes(elsewhere) == before


@pytest.mark.usefixtures("private_umask")
def test_a_folder_reached_by_a_link_is_closed(tmp_path: Path) -> None:
    older(tmp_path / "disk")
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    close_folder(tmp_path / "data")
    assert modes(tmp_path / "disk")["disk"] == 0o700
    assert modes(tmp_path / "disk")["disk/storage_secret"] == 0o600
