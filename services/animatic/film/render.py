"""An order becomes a file: the scene is set once, then drawn frame by frame."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from services.animatic.film.camera import Camera
from services.animatic.film.encode import Progress, Shot, save_film, save_still, save_thumbnail
from services.animatic.film.lens import Lens
from services.animatic.film.palette import palette_of
from services.animatic.film.planes import Bench, Planes, blank
from services.animatic.film.prompt_parser import Reading, read
from services.animatic.film.scenes import set_scene
from services.animatic.film.scenes.picture import picture
from services.animatic.film.stage import Stage
from services.animatic.job_request import Order, read_order

FIRST_SIGHTS = ("a lighthouse above a stormy sea at night", "fog over a lake", "rain over a city")

VIVIDNESS = {"noir": 0.1, "vintage": 0.75, "watercolor": 0.85, "pastel": 0.85}


def render(order: Order, source: Path | None, target: Path, thumbnail: Path, progress: Progress) -> None:
    """`target` ends with .mp4 or .png; both files appear whole or not at all."""
    if target.suffix == ".png":
        frame = next(draw(order, source))
        save_still(frame, target)
        save_thumbnail(frame, thumbnail)
        return
    shots = _with_thumbnail(_shots(order, source), order.frame_count * 2 // 5, thumbnail)
    save_film(shots, order, target, progress)


def draw(order: Order, source: Path | None = None) -> Iterator[Planes]:
    """The frames in order; each is valid until the next is asked for."""
    return (shot() for shot in _shots(order, source))


def warm() -> None:
    """Make what a process makes once: noise, ripples, libraries. It is 0.5 s of a first film."""
    for prompt in FIRST_SIGHTS:
        config = {"generation_config_name": "animatic/film", "prompt": prompt, "width": 64, "height": 64}
        next(draw(read_order(config, "video")))


def _shots(order: Order, source: Path | None) -> Iterator[Shot]:
    """Composed pictures whose last step, the lens, is left to the caller, who may take it in another thread.

    A shot is valid until two more were asked for, and shots are to be called in order.
    """
    reading = read(order.prompt, order.seed, order.style_name, order.shot_size)
    camera = Camera(reading.move, order.width, order.height, order.duration)
    stage = _set(order, reading, camera, source)
    camera = replace(camera, focus=stage.focus)
    canvases = [blank(stage.width, stage.height) for _ in range(3)]
    vividness = VIVIDNESS.get(reading.style, 1.0)
    lens = Lens(order.width, order.height, Bench(stage.width, stage.height), vividness=vividness)
    count = order.frame_count if order.duration else 1
    for number in range(count):
        moment = camera.at(number / order.frame_rate if order.duration else 0.0)
        canvas = canvases[number % len(canvases)]
        for part in stage.parts:
            part(canvas, moment)
        yield partial(lens.see, canvas, moment, number)


def _set(order: Order, reading: Reading, camera: Camera, source: Path | None) -> Stage:
    width, height = camera.canvas
    margin_x, margin_y = camera.margin
    stage = Stage(
        width=width,
        height=height,
        margin_x=margin_x,
        margin_y=margin_y,
        reading=reading,
        palette=palette_of(reading, order.seed),
        seed=order.seed ^ int.from_bytes(order.prompt.encode()[:64]) % 2**61,
        bench=Bench(width + 2 * margin_x, height + 2 * margin_y),
    )
    if source is None:
        set_scene(stage)
    else:
        picture(stage, source, still=not order.duration)
    return stage


def _with_thumbnail(shots: Iterator[Shot], number: int, thumbnail: Path) -> Iterator[Shot]:
    for place, shot in enumerate(shots):
        yield partial(_shoot_and_keep, shot, thumbnail) if place == number else shot


def _shoot_and_keep(shot: Shot, thumbnail: Path) -> Planes:
    frame = shot()
    save_thumbnail(frame, thumbnail)
    return frame
