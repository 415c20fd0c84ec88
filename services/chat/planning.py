"""Turns a parsed message into a plan that the models on offer can carry out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from services.chat.parser import Change, Intent, NoIntent, ParseResult
from services.chat.parser.intents import RequestedSettings
from services.chat.parser.scenes import SCENES, set_scene
from services.chat.plan import Adjustment, Plan, PlannedGeneration
from services.core.model import Draft, Generation, GenerationSettings, Kind, Model, Phase, Request
from services.generations.service import MAX_AT_ONCE

T = TypeVar("T", str, int, float)
DEFAULT_RANGE_S = (1.0, 60.0)
"""Lengths of a model that lists none."""


class Models(Protocol):
    def models(self, kind: Kind, *, needs_source: bool | None = None) -> list[Model]: ...


def make_plan(parsed: ParseResult, models: Models, *, last: Generation | None, chat_id: str) -> Plan:
    """`last` is the artifact that a change applies to; of a deleted one the plan says that it is deleted."""
    match parsed:
        case Intent():
            return _new(parsed, models, chat_id)
        case Change():
            return _changed(parsed, models, last, chat_id)
        case NoIntent():
            present = last is not None and last.trashed_at is None and last.phase is Phase.COMPLETED
            return Plan(code=parsed.code, values=parsed.values | {"changeable": present})


def _new(intent: Intent, models: Models, chat_id: str) -> Plan:
    adjustments: list[Adjustment] = []
    model = choose(models.models(intent.kind, needs_source=False), intent.settings.model, adjustments)
    draft = Draft(kind=intent.kind, prompt=intent.prompt, chat_id=chat_id)
    return _making(draft, model, intent.settings, adjustments)


def _changed(change: Change, models: Models, last: Generation | None, chat_id: str) -> Plan:
    if last is None:
        return Plan(code="nothing_yet")
    if last.trashed_at is not None:
        return Plan(code="deleted")
    if "to_video" in change.steps or "onwards" in change.steps:
        return _animated(change, models, last, chat_id)
    kind = Kind.IMAGE if "to_image" in change.steps else last.request.kind
    draft, model = _again(last.request, kind, models, chat_id)
    steps = change.steps
    if "again" in steps or "another_seed" in steps:
        draft = replace(draft, seed=None)
        steps = ("another_seed", *(step for step in steps if step not in ("again", "another_seed")))
    for step in steps:
        if step in ("longer", "shorter"):
            length_s = _another_length(last.request, model, longer=step == "longer")
            if length_s is None and len(steps) == 1 and not change.settings.named():
                return Plan(code=f"no_{step}", values={"length": last.request.settings.duration_s})
            settings = replace(draft.settings, duration_s=length_s or draft.settings.duration_s)
            draft = replace(draft, settings=settings)
    changes = (*steps, *_set_by(change))
    return _making(_reworded(draft, change), model, change.settings, [], changes=changes)


def _animated(change: Change, models: Models, last: Generation, chat_id: str) -> Plan:
    """Plans a video that starts from the last picture, or from the last frame of the last video."""
    request = last.request
    if request.kind is Kind.VIDEO and "onwards" not in change.steps:
        others = replace(change, steps=tuple(step for step in change.steps if step != "to_video"))
        if others.steps or others.settings.named() or others.more or others.less:
            return _changed(others, models, last, chat_id)
        return Plan(code="already_moving")
    if last.phase is not Phase.COMPLETED:
        return Plan(code="no_picture" if last.final else "not_ready", values={"kind": str(request.kind)})
    if last.kept is not None and last.kept.problem is not None:
        return Plan(code="no_picture", values={"kind": str(request.kind)})
    from_pictures = models.models(Kind.VIDEO, needs_source=True)
    if not from_pictures:
        return Plan(code="no_animator")
    settings = GenerationSettings(
        aspect_ratio=request.settings.aspect_ratio, duration_s=request.settings.duration_s
    )
    draft = Draft(kind=Kind.VIDEO, prompt=request.prompt, settings=settings, chat_id=chat_id)
    adjustments: list[Adjustment] = []
    model = choose(from_pictures, change.settings.model, adjustments)
    changes = (*change.steps, *_set_by(change))
    draft = _reworded(draft, change)
    return _making(draft, model, change.settings, adjustments, changes=changes, source_of=last.id)


def _making(
    draft: Draft,
    model: Model | None,
    settings: RequestedSettings,
    adjustments: list[Adjustment],
    *,
    changes: tuple[str, ...] = (),
    source_of: str | None = None,
) -> Plan:
    draft = fit(_with(draft, settings), model, adjustments)
    asked, most = settings.count or 1, 1 if draft.kind is Kind.VIDEO else MAX_AT_ONCE
    count = _adjusted("count", asked, _clamp(asked, (1, most)), adjustments)
    planned = PlannedGeneration(draft=draft, count=count, source_of=source_of)
    return Plan(code="making", works=(planned,), changes=changes, notes=tuple(adjustments))


def fit(draft: Draft, model: Model | None, adjustments: list[Adjustment]) -> Draft:
    """Replaces each value that the model does not offer by the nearest, and adds an adjustment."""
    if model is None:
        return draft
    asked, video = draft.settings, draft.kind is Kind.VIDEO
    fps = asked.fps if video else None
    settings = replace(
        asked,
        duration_s=_nearest(
            "length",
            asked.duration_s if video else None,
            sorted(model.durations_s or DEFAULT_RANGE_S),
            adjustments,
            between=model.any_duration or not model.durations_s,
        ),
        aspect_ratio=_nearest("frame", asked.aspect_ratio, model.aspect_ratios, adjustments, by=_shape),
        resolution=_nearest("resolution", asked.resolution, model.resolutions, adjustments, by=_lines),
        fps=_nearest("rate", fps, model.fps, adjustments, between=model.any_fps) if model.fps else fps,
    )
    return replace(draft, backend=model.backend, model=model.name, settings=settings)


def _nearest(
    code: str,
    asked: T | None,
    offered: Sequence[T],
    adjustments: list[Adjustment],
    *,
    between: bool = False,
    by: Callable[[T], float] = float,
) -> T | None:
    """`between` also offers the values between them. Of two that are equally near, the first is given."""
    if asked is None or not offered:
        return None
    nearest = min(offered, key=lambda one: (abs(by(one) - by(asked)), one != asked))
    return _adjusted(code, asked, _clamp(asked, offered) if between else nearest, adjustments)


def _adjusted(code: str, asked: T, given: T, adjustments: list[Adjustment]) -> T:
    if asked != given:
        adjustments.append(Adjustment(code=code, values={"asked": asked, "given": given}))
    return given


def _clamp(value: T, allowed: Sequence[T]) -> T:
    return min(max(value, min(allowed)), max(allowed))


def choose(models: Sequence[Model], named: str | None, adjustments: list[Adjustment]) -> Model | None:
    """The model whose name or label contains `named`, else the first."""
    first = next(iter(models), None)
    if named is None or first is None:
        return first
    for model in models:
        if named.casefold() in f"{model.name}\n{model.label}".casefold():
            return model
    adjustments.append(Adjustment(code="model", values={"asked": named, "given": first.label}))
    return first


def _with(draft: Draft, settings: RequestedSettings) -> Draft:
    names = ("duration_s", "aspect_ratio", "resolution", "fps")
    named = {name: value for name in names if (value := getattr(settings, name)) is not None}
    seed = draft.seed if settings.seed is None else settings.seed
    return replace(draft, seed=seed, settings=replace(draft.settings, **named))


def _again(request: Request, kind: Kind, models: Models, chat_id: str) -> tuple[Draft, Model | None]:
    """Repeats the request; its source for the same kind only, and its model while that is offered."""
    same = kind is request.kind
    draft = Draft(
        kind=kind,
        prompt=request.prompt,
        seed=request.seed,
        settings=request.settings,
        source=request.source if same else None,
        chat_id=chat_id,
    )
    offered = models.models(kind, needs_source=draft.source is not None)
    used = [one for one in offered if same and (one.backend, one.name) == (request.backend, request.model)]
    return draft, next(iter(used or offered), None)


def _another_length(request: Request, model: Model | None, *, longer: bool) -> float | None:
    """The nearest to twice or half the length, in seconds; None where no other is offered."""
    now = request.settings.duration_s
    if now is None:
        return None
    wanted = now * 2 if longer else now / 2
    if model is None or not model.durations_s:
        return _clamp(wanted, DEFAULT_RANGE_S)
    if model.any_duration:
        given = _clamp(wanted, model.durations_s)
        return given if given != now else None
    others = [one for one in model.durations_s if (one > now if longer else one < now)]
    return min(others, key=lambda one: abs(one - wanted), default=None)


def _reworded(draft: Draft, change: Change) -> Draft:
    prompt = draft.prompt
    for scene in (step for step in change.steps if step in SCENES):
        prompt = set_scene(prompt, scene)
    if change.more:
        prompt = f"{prompt.rstrip(' .')}, {change.more}"
    negative = ", ".join(words for words in (draft.settings.negative_prompt, change.less) if words)
    return replace(draft, prompt=prompt, settings=replace(draft.settings, negative_prompt=negative))


def _set_by(change: Change) -> tuple[str, ...]:
    codes = {"duration_s": "length", "aspect_ratio": "frame", "resolution": "resolution", "seed": "seed"}
    named = [code for name, code in codes.items() if getattr(change.settings, name) is not None]
    return (*named, *(["words"] if change.more or change.less else []))


def _shape(ratio: str) -> float:
    wide, _, high = ratio.partition(":")
    return float(wide) / float(high)


def _lines(resolution: str) -> int:
    return int(resolution.rstrip("p"))
