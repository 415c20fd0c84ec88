from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import av
import numpy
import pytest
import pytest_asyncio
from PIL import Image

from services.media.storage.folder import MediaFolder
from tests.support.ingest_harness import ingest_harness as harness
from tests.support.ingest_harness import worker
from tests.support.raw_site import Site, open_site

__all__ = ["harness", "worker"]


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as site:
        yield site


@pytest_asyncio.fixture
async def other_site() -> AsyncIterator[Site]:
    async with open_site() as site:
        yield site


@pytest.fixture
def folder(tmp_path: Path) -> MediaFolder:
    return MediaFolder(tmp_path / "media")


def made_film(path: Path, *, codec: str = "libx264", dark_s: float = 0.0, **options: str) -> Path:
    """Two seconds, 12 frames each, 320 x 180."""
    encoding = {"libx264": {"preset": "ultrafast", "g": "100"}, "libvpx-vp9": {"cpu-used": "8"}}[codec]
    ramp = numpy.linspace(40, 220, 320 + 24, dtype=numpy.uint8)
    with av.open(str(path), "w", options=options) as film:
        stream = film.add_stream(codec, rate=12, options=encoding)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(24):
            picture = numpy.zeros((180, 320, 3), numpy.uint8)
            if number >= dark_s * 12:
                picture[:] = ramp[number : number + 320, None]
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(stream.encode(None))
    return path


def made_picture(kind: str, size: tuple[int, int] = (400, 300)) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 40).convert("RGB").save(out, kind)
    return out.getvalue()


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    here = tmp_path_factory.mktemp("films")
    return {
        "mp4": made_film(here / "front.mp4", movflags="+faststart").read_bytes(),
        "mp4 with its index behind": made_film(here / "behind.mp4").read_bytes(),
        "mp4 in fragments": made_film(
            here / "fragments.mp4", movflags="+frag_keyframe+empty_moov"
        ).read_bytes(),
        "mov": made_film(here / "film.mov").read_bytes(),
        "webm": made_film(here / "film.webm", codec="libvpx-vp9").read_bytes(),
        "dark at first": made_film(here / "dark.mp4", dark_s=1.0).read_bytes(),
    }


@pytest.fixture(scope="session")
def pictures() -> dict[str, bytes]:
    return {kind: made_picture(kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "AVIF")}


@pytest.fixture
def misbehaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Jobs that no worker should survive, in a module that its processes can import."""
    (tmp_path / "misbehaving.py").write_text(
        "import os, signal, time\n"
        "def crash(): os.kill(os.getpid(), signal.SIGSEGV)\n"
        "def hang():\n    while True: pass\n"
        "def wait(seconds): time.sleep(float(seconds))\n"
        "def pid(): return os.getpid()\n"
        "def nice(): return os.nice(0)\n"
        "def greedy(): return len(bytes(3 * 1024**3))\n"
        "def chatter():\n    os.write(1, b'noise\\n')\n    print('more')\n    return 'said'\n"
        "def refuse(): raise ValueError('No.')\n"
        "def stumble(): raise KeyError('odd')\n"
        "def secrets(): return dict(os.environ)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import misbehaving

    yield misbehaving
    import sys

    del sys.modules["misbehaving"]
