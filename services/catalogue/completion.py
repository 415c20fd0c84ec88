"""Completes a draft to a request: fills in defaults and checks every field."""

from collections.abc import Callable, Sequence

from services.catalogue.field_checks import (
    LONGEST_TEXT,
    LONGEST_WORD,
    a_duration,
    a_seed,
    a_text,
    an_fps,
    listed,
    one_of,
)
from services.core.errors import InvalidRequest, NoModels, Words
from services.core.model import Draft, GenerationSettings, Kind, Model, Request


def complete(
    draft: Draft, models: Sequence[Model], missing: NoModels | None, *, seed_from: Callable[[], int]
) -> Request:
    """`models` are those of the draft's kind, the preferred first.

    `missing` is raised where the model is not among them and might be on a list that could not be had.
    """
    prompt = a_text("prompt", draft.prompt, LONGEST_TEXT)
    if not prompt:
        raise InvalidRequest("The prompt is empty: write what is to be seen.", field="prompt")
    asked = draft.settings
    negative_prompt = a_text("negative_prompt", asked.negative_prompt, LONGEST_TEXT)
    style = a_text("style", asked.style, LONGEST_WORD)
    shot_size = a_text("shot_size", asked.shot_size, LONGEST_WORD)
    seed = None if draft.seed is None else a_seed(draft.seed)
    model = _model(draft, models, missing)
    film = draft.kind is Kind.VIDEO
    return Request(
        kind=draft.kind,
        prompt=prompt,
        backend=model.backend,
        model=model.name,
        seed=seed_from() if seed is None else seed,
        settings=GenerationSettings(
            aspect_ratio=one_of(
                "aspect_ratio", asked.aspect_ratio, model.aspect_ratios, default=None, model=model
            ),
            resolution=one_of(
                "resolution",
                asked.resolution,
                model.resolutions,
                default=model.default_resolution,
                model=model,
            ),
            duration_s=a_duration(asked.duration_s, model) if film else None,
            fps=an_fps(asked.fps, model) if film else None,
            negative_prompt=negative_prompt,
            style=style,
            shot_size=shot_size,
        ),
        chat_id=draft.chat_id,
        source=draft.source,
    )


def _model(draft: Draft, models: Sequence[Model], missing: NoModels | None) -> Model:
    if draft.backend:
        models = [model for model in models if model.backend == draft.backend]
    model = _named(draft.model, models) if draft.model else _first(draft, models)
    if model is None:
        raise missing or _nothing(draft, models)
    if draft.source is not None and not model.needs_source:
        sentence = Words("{model} takes no picture: choose a model that does, or leave the picture out.")
        raise InvalidRequest(sentence, field="model", model=model.label)
    if draft.source is None and model.needs_source:
        sentence = Words("{model} needs a picture: add one, or choose a model that works from words.")
        raise InvalidRequest(sentence, field="model", model=model.label)
    return model


def _named(name: str, models: Sequence[Model]) -> Model | None:
    return next((model for model in models if model.name == name), None)


def _first(draft: Draft, models: Sequence[Model]) -> Model | None:
    needs_source = draft.source is not None
    return next((model for model in models if model.needs_source is needs_source), None)


NO_SUCH = {
    Kind.VIDEO: Words("There is no such video model. There are: {names}."),
    Kind.IMAGE: Words("There is no such image model. There are: {names}."),
}
FROM_WORDS = {
    Kind.VIDEO: Words("No model here makes video from words."),
    Kind.IMAGE: Words("No model here makes image from words."),
}
FROM_A_PICTURE = {
    Kind.VIDEO: Words("No model here makes video from a picture."),
    Kind.IMAGE: Words("No model here makes image from a picture."),
}


def _nothing(draft: Draft, models: Sequence[Model]) -> InvalidRequest:
    if draft.model:
        names = listed(model.name for model in models)
        return InvalidRequest(NO_SUCH[draft.kind], field="model", names=names)
    sentences = FROM_WORDS if draft.source is None else FROM_A_PICTURE
    return InvalidRequest(sentences[draft.kind], field="model")
