"""Each file that a backend gives is handed over byte for byte: the real app, over real HTTP."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import httpx
import numpy
import pytest
from PIL import Image

from tests.support.app import NO_TLS, RunningApp, running_app
from tests.support.fault_server import WireServer
from tests.support.killable_app import wire_settings
from tests.support.odd_media import MAKERS_TAGS, sample

WIDE, TALL, SMALL = (320, 180), (180, 320), (64, 48)


def is_picture(drawn: Image.Image) -> bool:
    """Neither black nor white."""
    return 20 < float(numpy.asarray(drawn.convert("L")).mean()) < 235


@dataclass(frozen=True, slots=True)
class Result:
    name: str
    size: tuple[int, int] = WIDE
    """As displayed."""
    content_type: str = "video/mp4"
    problem: str = ""

    @property
    def is_image(self) -> bool:
        return self.content_type.startswith("image/") and not self.name.startswith("anim.")


RESULTS = (
    Result("plain.mp4"),
    Result("trim_h264.mp4"),
    Result("trim_av1.mp4"),
    Result("junk.mp4"),
    Result("zeros.webm", content_type="video/webm"),
    Result("noeoi.jpg", content_type="image/jpeg"),
    Result("notrailer.gif", content_type="image/gif"),
    Result("anim.webp", SMALL, content_type="image/webp"),
    Result("anim.gif", SMALL, content_type="image/gif"),
    Result("bigztxt.png", content_type="image/png"),
    Result("rot90.mp4", TALL),
    Result("exif6.jpg", content_type="image/jpeg"),
    Result("grey16.png", content_type="image/png"),
    Result("fadein.webm", content_type="video/webm"),
    Result("hevc.mp4"),
    Result("itunes.mp4"),
    Result(
        "coveraudio.mp4",
        content_type="application/octet-stream",
        problem="the file has sound and a cover image, but no video.",
    ),
)


@pytest.fixture(scope="module")
def wire() -> Iterator[WireServer]:
    with WireServer(idempotent=False) as wire:
        wire.script(length_s=0.1)
        yield wire


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, wire: WireServer) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("data"), **wire_settings(wire)) as app:
        app.wait_for_models()
        yield app


@pytest.fixture(scope="module")
def handed_over(
    app: RunningApp, wire: WireServer, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Result], tuple[str, Path]]:
    """Orders each result once; returns its id and the backend's file."""
    folder, seen = tmp_path_factory.mktemp("samples"), dict[str, tuple[str, Path]]()

    def hand_over(result: Result) -> tuple[str, Path]:
        if result.name not in seen:
            path = sample(result.name, folder)
            kind, model = ("image", "wire/still") if result.is_image else ("video", "wire/film")
            wire.script(prompt=result.name, result=str(path))
            answer = app.post(f"/api/generate/{kind}", {"prompt": result.name, "model": model})
            seen[result.name] = str(answer.json()["fileId"]), path
        file_id, path = seen[result.name]
        app.wait_for(file_id, within_s=90)
        return file_id, path

    return hand_over


def fetched(app: RunningApp, path: str) -> httpx.Response:
    return httpx.get(app.url + path, timeout=10, trust_env=False, verify=NO_TLS)


def each(*left_out: str) -> pytest.MarkDecorator:
    chosen = [one for one in RESULTS if one.name not in left_out]
    return pytest.mark.parametrize("result", chosen, ids=[one.name for one in chosen])


@each()
def test_it_is_kept_byte_for_byte_and_paid_for_once(
    app: RunningApp,
    wire: WireServer,
    handed_over: Callable[[Result], tuple[str, Path]],
    result: Result,
) -> None:
    file_id, path = handed_over(result)
    served = fetched(app, f"/media/{file_id}/file")
    assert served.content == path.read_bytes()
    assert served.headers["Content-Type"] == result.content_type
    problem = app.get(f"/api/file/{file_id}")["problem"]
    assert (problem["sentence"].partition("show it: ")[2] if problem else "") == result.problem
    assert ("attachment" in served.headers.get("Content-Disposition", "")) == bool(result.problem)
    assert wire.submits_by_prompt[result.name] == 1


@each("coveraudio.mp4")
def test_its_poster_and_the_source_taken_from_it_are_as_displayed(
    app: RunningApp, handed_over: Callable[[Result], tuple[str, Path]], result: Result
) -> None:
    file_id, _ = handed_over(result)
    app.wait_until(lambda: app.get(f"/api/file/{file_id}")["thumbnail_url"], 30)
    source = app.post(f"/api/file/{file_id}/source").json()
    for path in (f"/media/{file_id}/poster", source["url"]):
        with Image.open(io.BytesIO(fetched(app, path).content)) as drawn:
            assert drawn.size == result.size
            assert is_picture(drawn)


def test_a_downloaded_copy_keeps_the_maker_s_tags(
    app: RunningApp, handed_over: Callable[[Result], tuple[str, Path]]
) -> None:
    file_id, _ = handed_over(Result("itunes.mp4"))
    copy = fetched(app, f"/media/{file_id}/download")
    with av.open(io.BytesIO(copy.content)) as opened:
        assert MAKERS_TAGS.items() <= dict(opened.metadata).items()
        assert opened.metadata["title"] == "itunes.mp4"  # the prompt
