"""What the admin's settings accept, and the sentence for what they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.core.errors import CannotStart
from services.core.settings import read_settings


@pytest.fixture(autouse=True)
def no_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("written", "origins"),
    [
        ("", ()),
        (" , ", ()),
        ("http://minio.lan:9000", ("http://minio.lan:9000",)),
        ("http://10.0.0.5:9000/, https://[fd00::5]", ("http://10.0.0.5:9000/", "https://[fd00::5]")),
        ("http://a:1\nhttps://b,", ("http://a:1", "https://b")),
    ],
)
def test_result_origins_are_a_list_with_commas(
    written: str, origins: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSHES_RESULT_ORIGINS", written)
    assert read_settings().result_origins == origins


@pytest.mark.parametrize(
    "written",
    [
        "minio:9000",
        "http://minio/bucket",
        "http://*.lan",
        "ftp://minio",
        "http://user:secret@minio",
        "http://minio?x",
        "http://[::1",
        "http://minio:99999",
        "http://:80",
        "*",
    ],
)
def test_what_is_no_origin_stops_the_start_with_a_sentence(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSHES_RESULT_ORIGINS", f"http://fine:1, {written}")
    with pytest.raises(CannotStart) as refused:
        read_settings()
    assert str(refused.value).startswith("the setting RUSHES_RESULT_ORIGINS is not right:")
    assert "write http://host:port or https://host, separated by commas" in str(refused.value)
