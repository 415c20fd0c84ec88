"""Makes films and pictures as people bring them: in any codec and container, moving, trimmed, turned."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import av
import numpy
from PIL import Image

CASES = Path(__file__).parents[1] / "media_cases"
RED_LEFT = Image.new("RGB", (160, 90), "blue")
RED_LEFT.paste("red", (0, 0, 80, 90))
SAMPLES_PER_S = 44100
PLAIN_BYTES = 57_920
"""Of junk.mp4: the film before its junk."""
MAKERS_TAGS = {"artist": "Model Y", "description": "AIGC label", "copyright": "Studio X"}


def sample(name: str, folder: Path) -> Path:
    """Returns the path of one of CASES, or makes it."""
    if (CASES / name).exists():
        return CASES / name
    path, size = folder / name, (320, 180)
    match name:
        case "plain.mp4":
            path.write_bytes((CASES / "junk.mp4").read_bytes()[:PLAIN_BYTES])
        case "hevc.mp4":
            film(path, codec="libx265", size=size)
        case "fadein.webm":
            black = Image.new("RGB", size)
            film(
                path,
                name="webm",
                codec="libvpx-vp9",
                size=size,
                frames=lambda n: black if n < 12 else RED_LEFT,
            )
        case "itunes.mp4":
            film(path, size=size, metadata=MAKERS_TAGS)
        case "anim.webp" | "anim.gif":
            path.write_bytes(animation(path.suffix[1:].upper(), 12))
        case _:
            raise ValueError(name)
    return path


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def animation(kind: str, count: int = 6, *, first: str = "noise", ms: int = 100) -> bytes:
    frames = [Image.effect_noise((64, 48), 20 + 10 * number).convert("RGB") for number in range(count)]
    if first == "black":
        frames[: count // 4] = [Image.new("RGB", (64, 48))] * (count // 4)
    frames[-1].paste("red", (0, 0, 64, 48))
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=ms, loop=0)


def film(
    path: Path,
    *,
    name: str = "mp4",
    codec: str = "libx264",
    size: tuple[int, int] = (160, 90),
    frames: Callable[[int], Image.Image] = lambda _: RED_LEFT,
    count: int = 24,
    prepare: Callable[[av.VideoStream], object] = lambda _: None,
    sound: bool = False,
    metadata: dict[str, str] | None = None,
) -> Path:
    """12 frames a second."""
    with av.open(str(path), "w", format=name) as made:
        made.metadata.update(metadata or {})
        stream = made.add_stream(codec, rate=12)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        prepare(stream)
        heard = made.add_stream("aac", rate=SAMPLES_PER_S) if sound else None
        for number in range(count):
            made.mux(stream.encode(av.VideoFrame.from_image(frames(number).resize(size))))
        made.mux(stream.encode(None))
        if heard is not None:
            made.mux([*heard.encode(_noise(count / 12)), *heard.encode(None)])
    return path


def _noise(length_s: float) -> av.AudioFrame:
    noise = numpy.random.default_rng(1).uniform(-0.1, 0.1, (1, round(SAMPLES_PER_S * length_s)))
    frame = av.AudioFrame.from_ndarray(noise.astype("float32"), "fltp", "mono")
    frame.rate = SAMPLES_PER_S
    return frame
