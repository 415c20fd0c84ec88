"""Request models; strict: no numbers as text, no unknown fields."""

import hashlib
import json
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from services.api.errors import BadRequest
from services.api.validation_errors import sentence_of
from services.core.model import Draft, GenerationSettings, Kind

LONGEST_TEXT = 10_000


def plain_text(text: str) -> str:
    """JSON can spell half a surrogate pair, which no database and no answer can carry."""
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise PydanticCustomError("not_plain_text", "no text")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "blank")
    return text


Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(plain_text)]
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
    """Raises BadRequest with one sentence."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        sentence, field = sentence_of(error.errors(include_url=False))
        raise BadRequest(sentence, status=422, field=field) from error


def from_form(model: type[Body], fields: dict[str, str]) -> dict[str, Any]:
    """A form knows text only: what the body wants as a number is read as one, and nothing else is bent.

    An empty field is one that was not filled in.
    """
    numbers = {"duration": float, "fps": int, "seed": int, "count": int}
    values: dict[str, Any] = {}
    for name, text in fields.items():
        wanted = numbers.get(name) if name in model.model_fields else None
        if not text and name in model.model_fields and name != "prompt":
            continue
        values[name] = _number(text, wanted) if wanted else text
    return values


def _number(text: str, wanted: type[int] | type[float]) -> int | float | str:
    """The text itself where it is no plain number, so that the strict body refuses it by its name."""
    if len(text) > 40 or not text.isascii() or not set(text) <= set("0123456789.-+eE"):
        return text
    try:
        return wanted(text)
    except ValueError:
        return text


def fingerprint(kind: Kind, body: VideoBody, file_sha256: str | None) -> str:
    """The same wish, however it was spelled, has the same one."""
    wish = {"kind": kind, "body": body.model_dump(exclude_none=True), "file": file_sha256}
    return hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()
