"""The facts embedded in an exported copy, and their reader for any file."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.core.errors import InvalidRequest, Words
from services.core.model import Draft, Generation, GenerationSettings, Kind
from services.media.xmp import facts_in

VERSION = 1
NOTHING_IN_IT = Words("This file carries no settings of ours. Only what was downloaded from here does.")

Text = Annotated[str, Field(max_length=10_000)]
Word = Annotated[str, Field(max_length=200)]


def facts_of(generation: Generation) -> dict[str, Any]:
    """Plain JSON in the API's words; times are ISO 8601."""
    request = generation.request
    facts = {
        "version": VERSION,
        "id": generation.id,
        "type": str(request.kind),
        "created_at": _iso(generation.created_at),
        "prompt": request.prompt,
        "backend": request.backend,
        "model": request.model,
        "duration": request.settings.duration_s,
        "aspect_ratio": request.settings.aspect_ratio,
        "resolution": request.settings.resolution,
        "fps": request.settings.fps,
        "seed": request.seed,
        "negative_prompt": request.settings.negative_prompt,
        "style": request.settings.style,
        "shot_size": request.settings.shot_size,
    }
    if generation.receipt is not None:
        facts["receipt"] = {
            name: _iso(value) if name.endswith("_at") and value is not None else value
            for name, value in asdict(generation.receipt).items()
            if name != "shown_at"  # the same copy again must be the same bytes
        }
    return facts


def draft_in(data: bytes) -> Draft:
    """The settings that a file carries; `data` may be the whole file or its first and last bytes.

    Raises InvalidRequest: the file is a stranger's.
    """
    facts = facts_in(data)
    if facts is None:
        raise InvalidRequest(NOTHING_IN_IT, field="file")
    try:
        return _Facts.model_validate(facts).draft()
    except ValidationError as error:
        raise InvalidRequest("The settings in this file cannot be read.", field="file") from error


class _Facts(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", protected_namespaces=())

    type: Annotated[Kind, Field(strict=False)]
    prompt: Text
    backend: Word | None = None
    model: Word | None = None
    duration: Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)] | None = None
    aspect_ratio: Word | None = None
    resolution: Word | None = None
    fps: Annotated[int, Field(ge=1, le=1000)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = None
    negative_prompt: Text = ""
    style: Word = ""
    shot_size: Word = ""

    def draft(self) -> Draft:
        return Draft(
            kind=self.type,
            prompt=self.prompt,
            backend=self.backend,
            model=self.model,
            seed=self.seed,
            settings=GenerationSettings(
                duration_s=self.duration,
                aspect_ratio=self.aspect_ratio,
                resolution=self.resolution,
                fps=self.fps,
                negative_prompt=self.negative_prompt,
                style=self.style,
                shot_size=self.shot_size,
            ),
        )


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
