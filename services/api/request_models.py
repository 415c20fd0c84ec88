"""Request models; strict: no numbers as text, no unknown fields."""

import hashlib
import json
from typing import Annotated, Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from services.core.model import Draft, GenerationSettings, Kind

MAX_TEXT_LENGTH = 10_000


def plain_text(text: str) -> str:
    """JSON can spell half a surrogate pair, which no database and no answer can carry."""
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise PydanticCustomError("not_plain_text", "no text")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "blank")
    return text


Text = Annotated[str, Field(max_length=MAX_TEXT_LENGTH), AfterValidator(plain_text)]
Word = Annotated[str, Field(max_length=200), AfterValidator(plain_text)]
Prompt = Annotated[Text, AfterValidator(_not_blank)]


class VideoBody(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", protected_namespaces=())

    prompt: Annotated[Prompt, Field(description="What is to be seen.", examples=["a red kite over the sea"])]
    model: Annotated[Word | None, Field(description="Without one: the first of its kind.")] = None
    duration: Annotated[float | None, Field(gt=0, le=86_400, description="Seconds.")] = None
    aspect_ratio: Annotated[Word | None, Field(examples=["16:9"])] = None
    resolution: Annotated[Word | None, Field(description="The short side.", examples=["720p"])] = None
    fps: Annotated[int | None, Field(ge=1, le=1000)] = None
    seed: Annotated[int | None, Field(ge=0, le=2**32 - 1)] = None
    negative_prompt: Annotated[Text | None, Field(description="What is not to be seen.")] = None
    style: Word | None = None
    shot_size: Word | None = None
    chat_id: Annotated[Word | None, Field(description="The chat it belongs to.")] = None
    source: Annotated[Word | None, Field(description="A picture to start from: POST /api/source.")] = None

    def draft(self, kind: Kind, source: str | None) -> Draft:
        return Draft(
            kind=kind,
            prompt=self.prompt,
            model=self.model,
            seed=self.seed,
            chat_id=self.chat_id,
            source=source or self.source,
            settings=GenerationSettings(
                duration_s=self.duration,
                aspect_ratio=self.aspect_ratio,
                resolution=self.resolution,
                fps=self.fps,
                negative_prompt=self.negative_prompt or "",
                style=self.style or "",
                shot_size=self.shot_size or "",
            ),
        )


class ImageBody(VideoBody):
    count: Annotated[int | None, Field(ge=1, le=4, description="How many pictures.")] = None


Body = TypeVar("Body", bound=BaseModel)


def read(model: type[Body], values: dict[str, Any]) -> Body:
    """Raises RequestValidationError."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def from_form(model: type[Body], fields: dict[str, str]) -> dict[str, Any]:
    """Parses the numbers among a form's texts; drops empty fields, which were not filled in."""
    numbers = {"duration": float, "fps": int, "seed": int, "count": int}
    values: dict[str, Any] = {}
    for name, text in fields.items():
        known = name in model.model_fields
        if text or not known or name == "prompt":
            values[name] = _number(text, numbers[name]) if known and name in numbers else text
    return values


def _number(text: str, wanted: type[int] | type[float]) -> int | float | str:
    """Returns the text itself where it is no plain number: the strict model refuses it by name."""
    if len(text) > 40 or not text.isascii() or not set(text) <= set("0123456789.-+eE"):
        return text
    try:
        return wanted(text)
    except ValueError:
        return text


def fingerprint(kind: Kind, body: VideoBody, file_sha256: str | None) -> str:
    """Does not depend on the spelling of the JSON or the form."""
    values = {"kind": kind, "body": body.model_dump(exclude_none=True), "file": file_sha256}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
