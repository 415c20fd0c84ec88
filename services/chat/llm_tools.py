"""The two tools that the language model may call: their descriptions and checks."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.chat.plan import Adjustment, PlannedGeneration
from services.chat.planning import Models, choose, fit
from services.core.model import Draft, Generation, GenerationSettings, Kind, Phase

Prompt = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8_000)]
Ratio = Annotated[str, StringConstraints(pattern=r"^[1-9]\d?:[1-9]\d?$")]
Lines = Annotated[str, StringConstraints(pattern=r"^\d{3,4}p$")]


class InvalidToolCall(Exception):
    """The call cannot be carried out; the text explains it to the model."""


class ImageArguments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[Prompt, Field(description="What is to be seen.")]
    aspect_ratio: Annotated[Ratio | None, Field(description="16:9, 9:16, 1:1 or 4:3.")] = None
    resolution: Annotated[Lines | None, Field(description="The short side, as 720p.")] = None
    seed: Annotated[int | None, Field(ge=0, lt=2**32, description="Keeps the scene of an earlier one.")] = (
        None
    )
    count: Annotated[int, Field(ge=1, le=4, description="How many.")] = 1


class VideoArguments(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[Prompt, Field(description="What is to be seen, and how it moves.")]
    duration_s: Annotated[float | None, Field(gt=0, le=600, description="Length in seconds.")] = None
    aspect_ratio: Annotated[Ratio | None, Field(description="16:9, 9:16 (vertical), 1:1 or 4:3.")] = None
    resolution: Annotated[Lines | None, Field(description="The short side, as 720p.")] = None
    seed: Annotated[int | None, Field(ge=0, lt=2**32, description="Keeps the scene of an earlier one.")] = (
        None
    )
    from_last_image: Annotated[bool, Field(description="Begin from the last image: animate it.")] = False


ARGUMENTS: dict[str, type[ImageArguments] | type[VideoArguments]] = {
    "make_video": VideoArguments,
    "make_image": ImageArguments,
}
_ABOUT = {"make_video": "Make a video from words.", "make_image": "Make one to four images from words."}

TOOLS: tuple[dict[str, Any], ...] = tuple(
    {
        "type": "function",
        "function": {
            "name": name,
            "description": _ABOUT[name],
            "parameters": arguments.model_json_schema(),
        },
    }
    for name, arguments in ARGUMENTS.items()
)


def plan_call(
    name: str,
    raw: object,
    models: Models,
    adjustments: list[Adjustment],
    *,
    last: Generation | None,
    chat_id: str,
) -> PlannedGeneration:
    """Plans a call with the models on offer. Raises InvalidToolCall and pydantic's ValidationError."""
    if name not in ARGUMENTS:
        raise InvalidToolCall(f"There is no tool of that name. There are: {', '.join(ARGUMENTS)}.")
    arguments = ARGUMENTS[name].model_validate(raw)
    video = arguments if isinstance(arguments, VideoArguments) else None
    animates = video is not None and video.from_last_image
    if animates and not _is_picture(last):
        raise InvalidToolCall("from_last_image: there is no finished image to begin from.")
    draft = Draft(
        kind=Kind.VIDEO if video is not None else Kind.IMAGE,
        prompt=arguments.prompt,
        seed=arguments.seed,
        chat_id=chat_id,
        settings=GenerationSettings(
            duration_s=video.duration_s if video is not None else None,
            aspect_ratio=arguments.aspect_ratio,
            resolution=arguments.resolution,
        ),
    )
    model = choose(models.models(draft.kind, needs_source=animates), None, adjustments)
    if animates and model is None:
        raise InvalidToolCall("from_last_image: no model here makes a video from an image.")
    return PlannedGeneration(
        draft=fit(draft, model, adjustments),
        count=arguments.count if isinstance(arguments, ImageArguments) else 1,
        source_of=last.id if animates and last is not None else None,
    )


def _is_picture(last: Generation | None) -> bool:
    return (
        last is not None
        and last.request.kind is Kind.IMAGE
        and last.phase is Phase.COMPLETED
        and last.trashed_at is None
    )
