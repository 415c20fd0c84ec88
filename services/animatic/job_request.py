"""Validates the flat `config` of a submit."""

import math
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from services.animatic.models import ASPECT_RATIOS, MODELS, RESOLUTIONS, STILL_RESOLUTIONS, Model

Kind = Literal["video", "image"]

MAX_FILM_PIXELS = 1280 * 720
MAX_STILL_PIXELS = 1920 * 1080
MIN_SIDE, MAX_SIDE = 64, 1920
MAX_TEXT = 10_000
MAX_SEED = 2**63 - 1


class BadOrder(ValueError):
    """Invalid; the message is a sentence for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    generation_config_name: str
    prompt: str
    negative_prompt: str
    seed: int
    duration: float
    width: int
    height: int
    aspect_ratio: str
    frame_rate: float
    style_name: str
    shot_size: str
    source_id: str | None

    @property
    def frame_count(self) -> int:
        return max(1, round(self.duration * self.frame_rate))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**data)


def read_order(config: object, kind: Kind) -> Order:
    """Raises BadOrder."""
    if not isinstance(config, dict):
        raise BadOrder("The body needs an object named config.")
    model = _model(config, kind)
    width, height, aspect_ratio = _size(config, kind)
    if config.get("batch_size") not in (None, 1):
        raise BadOrder("batch_size must be 1: send one request for each picture.")
    source_id = _source(config)
    if model.needs_source and source_id is None:
        raise BadOrder(f"{model.name} needs a reference of type source.")
    prompt = _text(config, "prompt", MAX_TEXT).strip()
    if not prompt and source_id is None:
        raise BadOrder("The prompt is empty: write what is to be seen.")
    return Order(
        generation_config_name=model.name,
        prompt=prompt,
        negative_prompt=_text(config, "negative_prompt", MAX_TEXT),
        seed=_seed(config),
        duration=_number(config, "duration", 5.0, 1.0, 20.0) if kind == "video" else 0.0,
        width=width,
        height=height,
        aspect_ratio=aspect_ratio,
        frame_rate=_number(config, "frame_rate", 24.0, 12.0, 30.0),
        style_name=_text(config, "style_name", 100),
        shot_size=_text(config, "shot_size", 100),
        source_id=source_id,
    )


def _model(config: Mapping[str, Any], kind: Kind) -> Model:
    name = config.get("generation_config_name")
    for model in MODELS:
        if model.name == name and model.kind == kind:
            return model
    known = ", ".join(model.name for model in MODELS if model.kind == kind)
    raise BadOrder(f"generation_config_name must be one of {known}.")


def _text(config: Mapping[str, Any], key: str, limit: int) -> str:
    value = config.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit:
        raise BadOrder(f"{key} must be a text of at most {limit} characters.")
    return value


def _number(config: Mapping[str, Any], key: str, default: float, low: float, high: float) -> float:
    value = config.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BadOrder(f"{key} must be a number from {low:g} to {high:g}.")
    if not low <= value <= high:
        raise BadOrder(f"{key} must be from {low:g} to {high:g}, not {value:g}.")
    return float(value)


def _seed(config: Mapping[str, Any]) -> int:
    value = config.get("seed")
    if value is None:
        return secrets.randbelow(2**31)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEED:
        raise BadOrder("seed must be a whole number from 0 up.")
    return value


def _size(config: Mapping[str, Any], kind: Kind) -> tuple[int, int, str]:
    max_pixels = MAX_FILM_PIXELS if kind == "video" else MAX_STILL_PIXELS
    ratio = config.get("aspect_ratio") or "16:9"
    if ratio not in ASPECT_RATIOS:
        raise BadOrder(f"aspect_ratio must be one of {', '.join(ASPECT_RATIOS)}.")
    width, height = config.get("width"), config.get("height")
    if width is None and height is None:
        known = RESOLUTIONS if kind == "video" else STILL_RESOLUTIONS
        return (*_size_of(ratio, config.get("resolution") or "720p", known), ratio)
    for side in (width, height):
        if isinstance(side, bool) or not isinstance(side, int) or not MIN_SIDE <= side <= MAX_SIDE:
            raise BadOrder("width and height must both be whole numbers from 64 to 1920.")
    assert isinstance(width, int) and isinstance(height, int)
    if width * height > max_pixels:
        raise BadOrder(f"{width} x {height} is too large: at most {max_pixels:,} pixels in all.")
    return width // 2 * 2, height // 2 * 2, ratio


def _size_of(ratio: str, resolution: object, known: tuple[str, ...]) -> tuple[int, int]:
    if resolution not in known:
        raise BadOrder(f"resolution must be one of {', '.join(known)}.")
    short = int(str(resolution).removesuffix("p"))
    across, down = (int(part) for part in ratio.split(":"))
    unit = short / min(across, down)
    return round(across * unit / 2) * 2, round(down * unit / 2) * 2


def _source(config: Mapping[str, Any]) -> str | None:
    references = config.get("references") or []
    if not isinstance(references, list) or not all(isinstance(item, dict) for item in references):
        raise BadOrder('references must be a list of {"type", "reference_id"}.')
    for reference in references:
        if reference.get("type") == "source":
            if not isinstance(reference.get("reference_id"), str):
                raise BadOrder("A reference needs a reference_id.")
            return str(reference["reference_id"])
    return None
