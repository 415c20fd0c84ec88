import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from services.animatic.film.render import draw, render
from services.animatic.film.scenes import SCENES
from services.animatic.job_request import Order, read_order


def order(prompt: str = "a lighthouse at night, zoom in", **config: Any) -> Order:
    return read_order(
        {"generation_config_name": "animatic/film", "prompt": prompt, "seed": 1, "duration": 1, "width": 192,
         "height": 108, "frame_rate": 12} | config,
        "video",
    )  # fmt: skip


def film(folder: Path, wanted: Order, source: Path | None = None) -> bytes:
    target = folder / "film.mp4"
    render(wanted, source, target, folder / "thumb.jpg", lambda share: None)
    return target.read_bytes()


def test_the_same_order_gives_the_same_bytes_also_in_another_process(tmp_path: Path) -> None:
    wanted = order()
    script = (
        "import sys, json, pathlib;"
        "from services.animatic.job_request import Order;"
        "from services.animatic.film.render import render;"
        "folder = pathlib.Path(sys.argv[1]);"
        "render(Order.from_json(json.loads(sys.argv[2])), None, folder / 'b.mp4', folder / 'b.jpg', lambda s: None)"
    )
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    root = Path(__file__).resolve().parents[3]
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), json.dumps(wanted.to_json())],
        check=True, cwd=root, env=environment,
    )  # fmt: skip
    assert film(tmp_path, wanted) == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize(
    "change", [{"seed": 2}, {"prompt": "a sea"}, {"style_name": "noir"}, {"shot_size": "close"}]
)
def test_whatever_is_ordered_otherwise_looks_otherwise(change: dict[str, Any]) -> None:
    def look(wanted: Order) -> str:
        frame = next(draw(wanted))
        return hashlib.sha256(b"".join(plane.tobytes() for plane in frame.all())).hexdigest()

    assert look(order(**change)) != look(order())


@pytest.mark.parametrize(
    ("width", "height", "frame_rate", "duration"), [(192, 108, 12, 1), (108, 192, 24, 1.5), (128, 128, 30, 1)]
)
def test_a_film_decodes_with_its_size_rate_and_every_frame(
    tmp_path: Path, width: int, height: int, frame_rate: int, duration: float
) -> None:
    film(tmp_path, order(width=width, height=height, frame_rate=frame_rate, duration=duration))
    with av.open(str(tmp_path / "film.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.average_rate) == (width, height, frame_rate)
        assert len(list(container.decode(stream))) == round(frame_rate * duration)


def test_a_film_can_be_played_before_it_is_whole(tmp_path: Path) -> None:
    content = film(tmp_path, order())
    assert content.index(b"moov") < content.index(b"mdat")
    assert not list(tmp_path.glob("*.part"))


def test_progress_only_grows_and_ends_with_all(tmp_path: Path) -> None:
    told: list[float] = []
    render(order(duration=2), None, tmp_path / "a.mp4", tmp_path / "a.jpg", told.append)
    assert told == sorted(told) and told[-1] == 1


@pytest.mark.parametrize("place", sorted(SCENES))
@pytest.mark.parametrize(
    "rest", ["at dawn, fog, pan left", "at noon, snow, zoom out", "at night, storm, tilt up"]
)
def test_every_place_can_be_drawn_at_any_time_and_in_any_weather(place: str, rest: str) -> None:
    frames = [frame.y.copy() for frame in draw(order(f"{place} {rest}", width=160, height=90))]
    assert len(frames) == 12
    assert frames[0].std() > 4, "an empty picture"
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 0.2, "nothing moves"


@pytest.mark.parametrize(("width", "height"), [(270, 480), (270, 270), (360, 270)])
def test_a_still_of_any_shape_is_a_png_of_that_size(tmp_path: Path, width: int, height: int) -> None:
    config = {
        "generation_config_name": "animatic/still",
        "prompt": "a city",
        "seed": 1,
        "width": width,
        "height": height,
    }
    render(read_order(config, "image"), None, tmp_path / "a.png", tmp_path / "a.jpg", lambda share: None)
    with Image.open(tmp_path / "a.png") as still:
        assert (still.format, still.size) == ("PNG", (width, height))


@pytest.mark.parametrize("size", [(300, 200), (60, 900), (1, 1)])
def test_a_source_picture_of_any_shape_becomes_a_film_in_its_colours(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    source = tmp_path / "source.png"
    Image.new("RGBA", size, (210, 40, 30, 255)).save(source)
    frames = draw(order("slow zoom in", references=[{"type": "source", "reference_id": "x"}]), source)
    assert next(frames).v.mean() > 135, "the red is not there"


def still_from(tmp_path: Path, prompt: str, seed: int = 1) -> np.ndarray:
    source = tmp_path / "source.png"
    ramp = np.linspace(0, 255, 400, dtype=np.uint8)
    Image.fromarray(np.stack([np.tile(ramp, (300, 1)), np.full((300, 400), 200, np.uint8), np.tile(ramp[::-1], (300, 1))], 2)).save(source)  # fmt: skip
    config = {"generation_config_name": "animatic/still-from-picture", "prompt": prompt, "seed": seed,
              "resolution": "360p", "references": [{"type": "source", "reference_id": "x"}]}  # fmt: skip
    return next(draw(read_order(config, "image"), source)).y.astype(np.int16)


def test_a_still_from_a_picture_is_another_cut_by_the_seed_and_the_same_again(tmp_path: Path) -> None:
    first, again, other = (still_from(tmp_path, "a view", seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert np.abs(first - other).mean() > 2


def test_a_source_takes_the_light_and_the_weather_that_the_words_name(tmp_path: Path) -> None:
    plain, night, fog, snow = (
        still_from(tmp_path, words) for words in ("a view", "at night", "in fog", "snow")
    )
    assert night.mean() < 0.75 * plain.mean()
    assert fog.std() < 0.9 * plain.std()
    assert np.abs(np.diff(snow)).mean() > 1.1 * np.abs(np.diff(plain)).mean()


def test_snow_over_white_stays_white(tmp_path: Path) -> None:
    source = tmp_path / "white.png"
    Image.new("RGB", (640, 360), "white").save(source)
    frame = next(
        draw(
            order("snow", width=640, height=360, references=[{"type": "source", "reference_id": "x"}]), source
        )
    )
    assert frame.y[60:-60, 100:-100].min() > 100


def test_a_stem_s_motion_is_smooth_and_not_in_steps() -> None:
    """A slow pan moves by parts of a pixel: each frame differs from the one before by about as much."""
    wanted = order("mountains at dawn, pan right", duration=4, width=320, height=180, frame_rate=24)
    frames = [frame.y[20:120].astype(np.int16) for frame in draw(wanted)]
    steps = np.array([np.abs(b - a).mean() for a, b in itertools.pairwise(frames[20:-20])])
    assert steps.max() < 3.5 * np.median(steps)


def test_a_long_film_takes_time_in_proportion_and_little_memory(tmp_path: Path) -> None:
    def took_s(duration: float) -> float:
        began_s = time.process_time()
        film(tmp_path, order(duration=duration, width=320, height=180))
        return time.process_time() - began_s

    took_s(1)
    assert took_s(20) < 20 * max(0.2, took_s(2))
