"""A request on its way out, and the way back: is that file its job?"""

from __future__ import annotations

import json
from typing import Any

from services.backends.reading import a_moment, a_number, a_text, an_object
from services.model import Request


def body_of(request: Request, reference: str | None) -> bytes:
    """The same request and reference give the same bytes: they are what an Idempotency-Key holds for."""
    width, height = request.size
    config: dict[str, Any] = {
        "generation_config_name": request.model,
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "seed": request.seed,
        "duration": request.duration_s,
        "width": width,
        "height": height,
        "aspect_ratio": request.aspect_ratio,
        "frame_rate": request.fps,
        "style_name": request.style,
        "shot_size": request.shot_size,
    }
    # Only what is set: some of the hosted models refuse fields that they do not know.
    config = {name: value for name, value in config.items() if value is not None and value != ""}
    if reference is not None:
        config["references"] = [{"type": "source", "reference_id": reference}]
    return json.dumps({"config": config}, separators=(",", ":"), allow_nan=False).encode()


def looks_like(file: dict[str, Any], request: Request, since: float | None) -> bool:
    """Exactly this prompt and seed, and not older than `since` where the file tells its time."""
    order = an_object(file.get(f"{request.kind}_generation"))
    if order.get("prompt") != request.prompt or a_number(order.get("seed")) != request.seed:
        return False
    model = a_text(order.get("generation_config_name"))
    if model and model != request.model:
        return False
    created_at = a_moment(file.get("created_at"))
    return since is None or created_at is None or created_at >= since


def picture_name(source: bytes) -> tuple[str, str]:
    """File name and content type of a kept source picture: png, jpeg or webp."""
    if source.startswith(b"\x89PNG"):
        return "source.png", "image/png"
    if source[8:12] == b"WEBP":
        return "source.webp", "image/webp"
    return "source.jpg", "image/jpeg"
