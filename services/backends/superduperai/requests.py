"""Builds request bodies, and reads listed files back as jobs."""

import json
from typing import Any

from services.backends.job_listing import ListedJob
from services.backends.lenient_json import a_number, a_text, a_timestamp, an_id, an_object
from services.core.model import Kind, Request


def request_body(request: Request, reference: str | None) -> bytes:
    """Deterministic: an Idempotency-Key holds for the same bytes only."""
    width, height = request.size
    config: dict[str, Any] = {
        "generation_config_name": request.model,
        "prompt": request.prompt,
        "negative_prompt": request.settings.negative_prompt,
        "seed": request.seed,
        "duration": request.settings.duration_s,
        "width": width,
        "height": height,
        "aspect_ratio": request.settings.aspect_ratio,
        "frame_rate": request.settings.fps,
        "style_name": request.settings.style,
        "shot_size": request.settings.shot_size,
    }
    # Only set fields: some hosted models refuse unknown ones.
    config = {name: value for name, value in config.items() if value is not None and value != ""}
    if reference is not None:
        config["references"] = [{"type": "source", "reference_id": reference}]
    return json.dumps({"config": config}, separators=(",", ":"), allow_nan=False).encode()


def listed_job(file: dict[str, Any], kind: Kind) -> ListedJob | None:
    """None for anything but a job of that kind: an uploaded picture, a file of another kind."""
    job_id, settings = an_id(file.get("id")), an_object(file.get(f"{kind}_generation"))
    if not job_id or not settings:
        return None
    prompt = settings.get("prompt")
    return ListedJob(
        job_id=job_id,
        prompt=prompt if isinstance(prompt, str) else None,
        seed=a_number(settings.get("seed")),
        model=a_text(settings.get("generation_config_name")) or None,
        negative_prompt=a_text(settings.get("negative_prompt")) or None,
        aspect_ratio=a_text(settings.get("aspect_ratio")) or None,
        duration_s=a_number(settings.get("duration")) if kind is Kind.VIDEO else None,
        width=a_number(settings.get("width")),
        height=a_number(settings.get("height")),
        created_at=a_timestamp(file.get("created_at")),
        request_id=an_id(file.get(f"{kind}_generation_id")) or an_id(settings.get("id")) or None,
    )


def upload_name(source: bytes) -> tuple[str, str]:
    """File name and content type of a kept source picture: png, jpeg or webp."""
    if source.startswith(b"\x89PNG"):
        return "source.png", "image/png"
    if source[8:12] == b"WEBP":
        return "source.webp", "image/webp"
    return "source.jpg", "image/jpeg"
