"""The four models of the animatic, as `GET /api/v1/generation-config` lists them."""

from dataclasses import dataclass
from typing import Any, Literal

ASPECT_RATIOS = ("16:9", "9:16", "1:1", "4:3")
RESOLUTIONS = ("360p", "480p", "540p", "720p")
STILL_RESOLUTIONS = (*RESOLUTIONS, "1080p")
DURATIONS_S = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20)
FRAME_RATES = (12, 15, 24, 25, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    name: str
    label: str
    type: Literal["text_to_video", "image_to_video", "text_to_image", "image_to_image"]

    @property
    def kind(self) -> Literal["video", "image"]:
        return "video" if self.type.endswith("video") else "image"

    @property
    def needs_source(self) -> bool:
        return self.type.startswith("image_to")

    def to_json(self) -> dict[str, Any]:
        params = _FILM_PARAMS if self.kind == "video" else _STILL_PARAMS
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "source": "local",
            "params": dict(params),
        }


MODELS = (
    Model(name="animatic/film", label="Animatic film", type="text_to_video"),
    Model(name="animatic/film-from-picture", label="Animatic from an image", type="image_to_video"),
    Model(name="animatic/still", label="Animatic still", type="text_to_image"),
    Model(name="animatic/still-from-picture", label="Animatic from an image", type="image_to_image"),
)

_COMMON: dict[str, Any] = {
    "aspect_ratios": list(ASPECT_RATIOS),
    "default_aspect_ratio": "16:9",
    "default_resolution": "720p",
}
_FILM_PARAMS: dict[str, Any] = _COMMON | {
    "price_per_second": 0,
    "available_durations": list(DURATIONS_S),
    "min_duration": 1,
    "max_duration": 20,
    "default_duration": 5,
    "resolutions": list(RESOLUTIONS),
    "frame_rates": list(FRAME_RATES),
    "default_frame_rate": 24,
}
_STILL_PARAMS: dict[str, Any] = _COMMON | {"price_per_image": 0, "resolutions": list(STILL_RESOLUTIONS)}
