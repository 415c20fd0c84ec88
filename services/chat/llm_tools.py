"""The two tools that the language model may call: their descriptions and checks."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from services.chat.plan import Adjustment, PlannedGeneration
from services.chat.planning import Models, choose, fit
from services.core.model import Draft, Generation, GenerationSettings, Kind, Phase

Prompt = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8_000)]
Ratio = Annotated[str, StringConstraints(pattern=r"^[1-9]\d?:[1-9]\d?$")]
Lines = Annotated[str, StringConstraints(pattern=r"^\d{3,4}p$")]
Resolution = Annotated[Lines | None, Field(description="The short side, as 720p.")]
Seed = Annotated[int | None, Field(ge=0, lt=2**32, description="Keeps the scene of an earlier one.")]


class InvalidToolCall(Exception):
    """The call cannot be carried out; the text explains it to the model."""


class ImageArguments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[Prompt, Field(description="What is to be seen.")]
    aspect_ratio: Annotated[Ratio | None, Field(description="16:9, 9:16, 1:1 or 4:3.")] = None
    resolution: Resolution = None
    seed: Seed = None
    count: Annotated[int, Field(ge=1, le=4, description="How many.")] = 1


class VideoArguments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[Prompt, Field(description="What is to be seen, and how it moves.")]
    duration_s: Annotated[float | None, Field(gt=0, le=600, description="Length in seconds.")] = None
    aspect_ratio: Annotated[Ratio | None, Field(description="16:9, 9:16 (vertical), 1:1 or 4:3.")] = None
    resolution: Resolution = None
    seed: Seed = None
    from_last_image: Annotated[bool, Field(description="Begin from the last image: animate it.")] = False


ARGUMENTS: dict[str, type[ImageArguments] | type[VideoArguments]] = {
    "make_video": VideoArguments,
    "make_image": ImageArguments,
}
DESCRIPTIONS = {"make_video": "Make a video from words.", "make_image": "Make one to four images from words."}

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {"name": name, "description": text, "parameters": ARGUMENTS[name].model_json_schema()},
    }
    for name, text in DESCRIPTIONS.items()
]


def plan_call(
    name: str,
    raw: str,
    models: Models,
    adjustments: list[Adjustment],
    *,
    last: Generation | None,
    chat_id: str,
) -> PlannedGeneration:
    """Plans a call, whose arguments are JSON, with the models on offer. Raises InvalidToolCall."""
    if name not in ARGUMENTS:
        raise InvalidToolCall(f"There is no tool of that name. There are: {', '.join(ARGUMENTS)}.")
    try:
        arguments = ARGUMENTS[name].model_validate_json(raw or "{}")
    except ValidationError as error:
        raise InvalidToolCall(_first_problem(error)) from error
    settings = GenerationSettings(aspect_ratio=arguments.aspect_ratio, resolution=arguments.resolution)
    kind, count, source_of = Kind.IMAGE, 1, None
    if isinstance(arguments, ImageArguments):
        count = arguments.count
    else:
        kind, settings = Kind.VIDEO, replace(settings, duration_s=arguments.duration_s)
        source_of = _picture(last) if arguments.from_last_image else None
    model = choose(models.models(kind, needs_source=source_of is not None), None, adjustments)
    if source_of and model is None:
        raise InvalidToolCall("from_last_image: no model here makes a video from an image.")
    draft = Draft(kind=kind, prompt=arguments.prompt, seed=arguments.seed, chat_id=chat_id, settings=settings)
    return PlannedGeneration(draft=fit(draft, model, adjustments), count=count, source_of=source_of)


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return "The arguments are no JSON object."
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}."


def _picture(last: Generation | None) -> str:
    """Returns its id. Raises InvalidToolCall."""
    finished_image = (Kind.IMAGE, Phase.COMPLETED, None)
    if last is None or (last.request.kind, last.phase, last.trashed_at) != finished_image:
        raise InvalidToolCall("from_last_image: there is no finished image to begin from.")
    return last.id
