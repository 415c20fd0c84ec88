"""Completes a draft to a request: fills in defaults and checks every field."""

from collections.abc import Callable, Sequence

from services.catalogue.field_checks import (
    MAX_STYLE_LENGTH,
    check_choice,
    check_duration,
    check_fps,
    check_seed,
    check_text,
    join_names,
)
from services.core.errors import InvalidRequest, NoModels, Words
from services.core.model import Draft, GenerationSettings, Kind, Model, Request


def complete(
    draft: Draft, models: Sequence[Model], unavailable: NoModels | None, *, seed_from: Callable[[], int]
) -> Request:
    """`models` are those of the draft's kind, the preferred first.

    Raises InvalidRequest, or `unavailable` where the wanted model may be on a list that could not be read.
    """
    prompt = check_text("prompt", draft.prompt)
    if not prompt:
        raise InvalidRequest("The prompt is empty. Describe what you want to see.", field="prompt")
    wanted = draft.settings
    negative_prompt = check_text("negative_prompt", wanted.negative_prompt)
    style = check_text("style", wanted.style, MAX_STYLE_LENGTH)
    shot_size = check_text("shot_size", wanted.shot_size, MAX_STYLE_LENGTH)
    seed = None if draft.seed is None else check_seed(draft.seed)
    model = _find(draft, models, unavailable)
    is_video = draft.kind is Kind.VIDEO
    return Request(
        kind=draft.kind,
        prompt=prompt,
        backend=model.backend,
        model=model.name,
        seed=seed_from() if seed is None else seed,
        settings=GenerationSettings(
            aspect_ratio=check_choice("aspect_ratio", wanted.aspect_ratio, model.aspect_ratios, model),
            resolution=check_choice(
                "resolution", wanted.resolution, model.resolutions, model, default=model.default_resolution
            ),
            duration_s=check_duration(wanted.duration_s, model) if is_video else None,
            fps=check_fps(wanted.fps, model) if is_video else None,
            negative_prompt=negative_prompt,
            style=style,
            shot_size=shot_size,
        ),
        chat_id=draft.chat_id,
        source=draft.source,
    )


def _find(draft: Draft, models: Sequence[Model], unavailable: NoModels | None) -> Model:
    has_source = draft.source is not None
    if draft.backend:
        models = [model for model in models if model.backend == draft.backend]
    for model in models:
        if model.name == draft.model if draft.model else model.needs_source is has_source:
            break
    else:
        raise unavailable or _not_found(draft, models)
    if model.needs_source is not has_source:
        unwanted = Words(
            "{model} does not accept a starting image. Remove the image or choose another model."
        )
        required = Words("{model} needs a starting image. Add one or choose another model.")
        raise InvalidRequest(required if model.needs_source else unwanted, field="model", model=model.label)
    return model


NO_SUCH_MODEL = {
    Kind.VIDEO: Words("No such video model. Available: {names}."),
    Kind.IMAGE: Words("No such image model. Available: {names}."),
}
NO_SUITABLE_MODEL = {
    (Kind.VIDEO, False): Words("No available model makes videos from a prompt."),
    (Kind.VIDEO, True): Words("No available model makes videos from an image."),
    (Kind.IMAGE, False): Words("No available model makes images from a prompt."),
    (Kind.IMAGE, True): Words("No available model makes images from an image."),
}
"""By kind, and whether the draft has a source picture."""


def _not_found(draft: Draft, models: Sequence[Model]) -> InvalidRequest:
    if draft.model:
        names = join_names(model.name for model in models)
        return InvalidRequest(NO_SUCH_MODEL[draft.kind], field="model", names=names)
    return InvalidRequest(NO_SUITABLE_MODEL[draft.kind, draft.source is not None], field="model")
