"""The facts embedded in an exported copy, and their reader for any file."""

from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.core.errors import InvalidRequest, Words
from services.core.model import Draft, Generation, GenerationSettings, Kind
from services.media.xmp import facts_in

VERSION = 1

Text = Annotated[str, Field(max_length=10_000)]
Word = Annotated[str, Field(max_length=200)]


def facts_of(generation: Generation) -> dict[str, Any]:
    """Plain JSON in the API's words; times are ISO 8601."""
    request, settings = generation.request, generation.request.settings
    facts = {
        "version": VERSION,
        "id": generation.id,
        "type": str(request.kind),
        "created_at": _iso(generation.created_at),
        "prompt": request.prompt,
        "backend": request.backend,
        "model": request.model,
        "duration": settings.duration_s,
        "aspect_ratio": settings.aspect_ratio,
        "resolution": settings.resolution,
        "fps": settings.fps,
        "seed": request.seed,
        "negative_prompt": settings.negative_prompt,
        "style": settings.style,
        "shot_size": settings.shot_size,
    }
    if generation.receipt is not None:
        facts["receipt"] = {
            name: _iso(value) if name.endswith("_at") and value is not None else value
            for name, value in asdict(generation.receipt).items()
            if name != "shown_at"  # the same copy again must be the same bytes
        }
    return facts


def read_draft(data: bytes) -> Draft:
    """The settings embedded in a file; its first and last 256 KB are enough. Raises InvalidRequest."""
    facts = facts_in(data)
    if facts is None:
        sentence = Words("This file has no generation settings. Use a file downloaded from Rushes.")
        raise InvalidRequest(sentence, field="file")
    try:
        values = _Facts.model_validate(facts).model_dump()
    except ValidationError as error:
        raise InvalidRequest("The settings in this file cannot be read.", field="file") from error
    settings = {each.name: values.pop(each.name) for each in fields(GenerationSettings)}
    return Draft(**values, settings=GenerationSettings(**settings))


class _Facts(BaseModel):
    """Fields of Draft and of GenerationSettings, in the API's words."""

    model_config = ConfigDict(strict=True, extra="ignore", protected_namespaces=())

    kind: Annotated[Kind, Field(strict=False, alias="type")]
    prompt: Text
    backend: Word | None = None
    model: Word | None = None
    duration_s: Annotated[float | None, Field(gt=0, le=86_400, allow_inf_nan=False, alias="duration")] = None
    aspect_ratio: Word | None = None
    resolution: Word | None = None
    fps: Annotated[int, Field(ge=1, le=1000)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = None
    negative_prompt: Text = ""
    style: Word = ""
    shot_size: Word = ""


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
