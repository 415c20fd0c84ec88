from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from services.core.errors import DeliveryFailed
from services.media.storage.folder import MediaFolder

pytestmark = pytest.mark.asyncio


async def kept(folder: MediaFolder, data: bytes = b"bytes") -> str:
    part = folder.part("one")
    part.write_bytes(data)
    name = folder.new_name("mp4")
    await folder.keep(part, name)
    return name


async def test_a_kept_file_has_its_name_and_its_part_is_gone(folder: MediaFolder) -> None:
    name = await kept(folder)
    assert folder.path(name).read_bytes() == b"bytes"
    assert set(await folder.files()) == {name}
    assert await folder.clean_parts() == 0


async def test_each_part_of_a_generation_is_another_file(folder: MediaFolder) -> None:
    assert folder.part("one") != folder.part("one")


@pytest.mark.parametrize("id_", ["", "../x", "a/b", "x" * 65, "ä", ".."])
async def test_an_id_that_is_no_plain_word_makes_no_part(folder: MediaFolder, id_: str) -> None:
    with pytest.raises(ValueError, match="id"):
        folder.part(id_)


async def test_another_file_is_never_overwritten(folder: MediaFolder) -> None:
    name = await kept(folder)
    part = folder.part("two")
    part.write_bytes(b"others")
    with pytest.raises(DeliveryFailed):
        await folder.keep(part, name)
    assert folder.path(name).read_bytes() == b"bytes"


async def test_bytes_and_folder_are_synced_around_the_rename(
    folder: MediaFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut after `keep` must not find an empty file, or none."""
    part = folder.part("one")
    part.write_bytes(b"bytes")
    name = folder.new_name("mp4")
    path, inode = folder.path(name), part.stat().st_ino
    synced: list[tuple[str, bool]] = []
    true = os.fsync

    def fsync(handle: int) -> None:
        if os.fstat(handle).st_ino == inode:
            synced.append(("file", path.exists()))
        elif os.path.samestat(os.fstat(handle), path.parent.stat()):
            synced.append(("folder", path.exists()))
        elif os.path.samestat(os.fstat(handle), path.parent.parent.stat()):
            synced.append(("root", path.exists()))
        true(handle)

    monkeypatch.setattr("services.media.storage.folder.os.fsync", fsync)
    await folder.keep(part, name)
    assert synced == [("file", False), ("folder", True), ("root", True)]


async def test_a_disk_without_hard_links_serves_too(
    folder: MediaFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr("services.media.storage.folder.os.link", link)
    name = await kept(folder)
    assert folder.path(name).read_bytes() == b"bytes"
    part = folder.part("two")
    part.write_bytes(b"others")
    with pytest.raises(DeliveryFailed):
        await folder.keep(part, name)
    assert folder.path(name).read_bytes() == b"bytes"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
async def test_a_disk_that_refuses_is_a_failed_delivery(
    folder: MediaFolder, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fsync(_: int) -> None:
        raise OSError(number, "no", "/a/path")

    monkeypatch.setattr("services.media.storage.folder.os.fsync", fsync)
    with pytest.raises(DeliveryFailed) as failed:
        await kept(folder)
    assert failed.value.reason == "disk_full"
    assert "/a/path" not in str(failed.value)
    assert not await folder.files()


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../rushes.db",
        "/etc/passwd",
        ".parts/one.part",
        "ab/../../rushes.db",
        "ab/" + "c" * 30,
        "ab/" + "c" * 30 + ".mp4\n",
        "ab/" + "c" * 30 + ".mp4/..",
        "AB/" + "c" * 30 + ".mp4",
        "ab/" + "c" * 30 + ".mp4\0",
    ],
)
async def test_a_name_that_is_not_one_of_ours_is_refused(folder: MediaFolder, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        folder.path(name)


async def test_a_link_out_of_the_folder_is_not_followed(folder: MediaFolder, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "media" / "ab").symlink_to(tmp_path / "outside")
    with pytest.raises(ValueError, match="name"):
        folder.path("ab/" + "c" * 30 + ".mp4")


async def test_old_parts_are_cleaned_and_kept_files_stay(folder: MediaFolder) -> None:
    name = await kept(folder)
    folder.part("one").write_bytes(b"half")
    folder.part("two").write_bytes(b"half")
    assert await folder.clean_parts() == 2
    assert await folder.clean_parts() == 0
    assert set(await folder.files()) == {name}


async def test_removing_is_final_and_may_be_repeated(folder: MediaFolder) -> None:
    name = await kept(folder)
    await folder.remove(name)
    await folder.remove(name)
    assert not await folder.files()


async def test_names_on_disk_say_nothing_and_differ(folder: MediaFolder) -> None:
    names = {folder.new_name("webm") for _ in range(100)}
    assert len(names) == 100
    assert all(folder.path(name).suffix == ".webm" for name in names)


async def test_the_free_space_is_known(folder: MediaFolder) -> None:
    assert await folder.free_bytes() > 0


async def test_a_cancel_waits_for_the_thread_so_that_nothing_appears_later(
    folder: MediaFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    true = os.fsync

    def fsync(handle: int) -> None:
        time.sleep(0.05)
        true(handle)

    monkeypatch.setattr("services.media.storage.folder.os.fsync", fsync)
    keeping = asyncio.create_task(kept(folder))
    await asyncio.sleep(0.02)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert len(await folder.files()) == 1
