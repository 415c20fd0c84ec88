"""Reads listed generation configs as models."""

import re
from typing import Any

from services.backends.lenient_json import a_number, a_text, an_object, numbers
from services.core.model import Kind, Model

KINDS = {
    "text_to_video": Kind.VIDEO,
    "image_to_video": Kind.VIDEO,
    "text_to_image": Kind.IMAGE,
    "image_to_image": Kind.IMAGE,
}
RATIO = re.compile(r"[1-9]\d{0,2}:[1-9]\d{0,2}", re.ASCII)
RESOLUTION = re.compile(r"[1-9]\d{2,3}p", re.ASCII)
RATIOS = ("16:9", "9:16", "1:1", "4:3")
RESOLUTIONS = ("720p",)
FPS = (24,)


def model_of(offer: dict[str, Any], backend: str) -> Model | None:
    """None for anything but video and image. Gaps take the defaults of this protocol."""
    name, task = a_text(offer.get("name")), a_text(offer.get("type")).lower()
    if not name or task not in KINDS:
        return None
    kind, params = KINDS[task], an_object(offer.get("params"))
    video = kind is Kind.VIDEO
    durations, any_duration = _span(params, "duration", numbers(params.get("available_durations")))
    rates, any_fps = _span(params, "frame_rate", numbers(params.get("frame_rates")))
    return Model(
        backend=backend,
        name=name,
        label=a_text(offer.get("label")) or name,
        kind=kind,
        needs_source=task.startswith("image_to"),
        durations_s=durations if video else (),
        any_duration=any_duration and video,
        aspect_ratios=_ratios(params),
        resolutions=_texts(params, "resolution", RESOLUTION) or RESOLUTIONS,
        fps=(tuple(map(round, rates)) or FPS) if video else (),
        any_fps=any_fps and video,
        default_duration_s=a_number(params.get("default_duration")) if video else None,
        default_resolution=a_text(params.get("default_resolution")) or None,
        default_fps=_default_fps(params) if video else None,
        price_per_second=_price(params),
    )


def _span(params: dict[str, Any], name: str, listed: tuple[float, ...]) -> tuple[tuple[float, ...], bool]:
    """The listed values, widened by a minimum and a maximum; then, or when flagged, all between are taken."""
    low, high = a_number(params.get(f"min_{name}")), a_number(params.get(f"max_{name}"))
    if low is not None and high is not None and 0 < low < high:
        return tuple(sorted({low, high, *(value for value in listed if low < value < high)})), True
    return listed, params.get(f"any_{name}") is True and len(listed) > 1


def _texts(params: dict[str, Any], name: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
    listed = params.get(f"{name}s")
    texts = [a_text(each) for each in listed] if isinstance(listed, list) else []
    return tuple(dict.fromkeys(text for text in texts if pattern.fullmatch(text)))


def _ratios(params: dict[str, Any]) -> tuple[str, ...]:
    """The default first: it is what a draft that names none takes."""
    default = a_text(params.get("default_aspect_ratio"))
    return tuple(sorted(_texts(params, "aspect_ratio", RATIO) or RATIOS, key=lambda ratio: ratio != default))


def _default_fps(params: dict[str, Any]) -> int | None:
    rate = a_number(params.get("default_frame_rate"))
    return None if rate is None or rate < 1 else round(rate)


def _price(params: dict[str, Any]) -> float | None:
    """A picture that costs nothing is free too; other prices by the picture have no place in a Model."""
    price = a_number(params.get("price_per_second"))
    if price is None and a_number(params.get("price_per_image")) == 0:
        return 0.0
    return price if price is not None and price >= 0 else None
