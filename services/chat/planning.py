"""Turns a parsed message into a plan that the models on offer can carry out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from services.chat.parser import Change, Intent, NoIntent, ParseResult
from services.chat.parser.intents import RequestedSettings
from services.chat.parser.scenes import SCENES, set_in
from services.chat.plan import Adjustment, Plan, PlannedGeneration
from services.core.model import Draft, Generation, GenerationSettings, Kind, Model, Phase, Request
from services.generations.service import MOST_AT_ONCE

T = TypeVar("T", str, int, float)
SHORTEST_S, LONGEST_S = 1.0, 60.0
"""The limits for a model that lists no lengths."""


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
            return Plan(code=parsed.code, values=dict(parsed.values))


def _new(intent: Intent, models: Models, chat_id: str) -> Plan:
    adjustments: list[Adjustment] = []
    model = choose(models.models(intent.kind, needs_source=False), intent.settings.model, adjustments)
    draft = Draft(kind=intent.kind, prompt=intent.prompt, chat_id=chat_id)
    draft = fit(_with(draft, intent.settings), model, adjustments)
    return Plan(
        code="making",
        works=(PlannedGeneration(draft=draft, count=_count(intent, adjustments)),),
        notes=tuple(adjustments),
    )


def _changed(change: Change, models: Models, last: Generation | None, chat_id: str) -> Plan:
    if last is None:
        return Plan(code="nothing_yet")
    if last.trashed_at is not None:
        return Plan(code="deleted")
    if "to_video" in change.steps or "onwards" in change.steps:
        return _animated(change, models, last, chat_id)
    kind = Kind.IMAGE if "to_image" in change.steps else last.request.kind
    adjustments: list[Adjustment] = []
    draft = _again(last.request, kind, models, chat_id)
    model = _model_of(draft, models)
    changes = [step for step in change.steps if step != "again"]
    if "again" in change.steps or "another_seed" in change.steps:
        draft = replace(draft, seed=None)
        changes = ["another_seed", *(step for step in changes if step != "another_seed")]
    for step in change.steps:
        if step in ("longer", "shorter"):
            length_s = _another_length(last.request, model, longer=step == "longer")
            if length_s is None and len(change.steps) == 1 and not change.settings.named():
                return Plan(code=f"no_{step}", values={"length": last.request.settings.duration_s})
            settings = replace(draft.settings, duration_s=length_s or draft.settings.duration_s)
            draft = replace(draft, settings=settings)
        elif step in SCENES:
            draft = replace(draft, prompt=set_in(draft.prompt, step))
    draft = fit(_with(_reworded(draft, change), change.settings), model, adjustments)
    return Plan(
        code="making",
        works=(
            PlannedGeneration(draft=draft, count=_count(change, adjustments) if kind is Kind.IMAGE else 1),
        ),
        changes=(*changes, *_set_by(change)),
        notes=tuple(adjustments),
    )


def _animated(change: Change, models: Models, last: Generation, chat_id: str) -> Plan:
    """Plans a video that starts from the last picture, or from the last frame of the last video."""
    if last.request.kind is Kind.VIDEO and "onwards" not in change.steps:
        others = replace(change, steps=tuple(step for step in change.steps if step != "to_video"))
        if others.steps or others.settings.named() or others.more or others.less:
            return _changed(others, models, last, chat_id)
        return Plan(code="already_moving")
    if last.phase is not Phase.COMPLETED:
        return Plan(code="no_picture" if last.final else "not_ready", values={"kind": str(last.request.kind)})
    from_pictures = models.models(Kind.VIDEO, needs_source=True)
    if not from_pictures:
        return Plan(code="no_animator")
    adjustments: list[Adjustment] = []
    draft = Draft(
        kind=Kind.VIDEO,
        prompt=last.request.prompt,
        settings=GenerationSettings(
            aspect_ratio=last.request.settings.aspect_ratio, duration_s=last.request.settings.duration_s
        ),
        chat_id=chat_id,
    )
    for step in change.steps:
        if step in SCENES:
            draft = replace(draft, prompt=set_in(draft.prompt, step))
    model = choose(from_pictures, change.settings.model, adjustments)
    draft = fit(_with(_reworded(draft, change), change.settings), model, adjustments)
    return Plan(
        code="making",
        works=(PlannedGeneration(draft=draft, source_of=last.id),),
        changes=(*change.steps, *_set_by(change)),
        notes=tuple(adjustments),
    )


def fit(draft: Draft, model: Model | None, adjustments: list[Adjustment]) -> Draft:
    """Replaces each value that the model does not offer by the nearest, and adds an adjustment."""
    if model is None:
        return draft
    return replace(
        draft,
        backend=model.backend,
        model=model.name,
        settings=replace(
            draft.settings,
            duration_s=_length(draft, model, adjustments),
            aspect_ratio=_frame(draft, model, adjustments),
            resolution=_resolution(draft, model, adjustments),
            fps=_rate(draft, model, adjustments),
        ),
    )


def _length(draft: Draft, model: Model, adjustments: list[Adjustment]) -> float | None:
    asked = draft.settings.duration_s
    if draft.kind is not Kind.VIDEO or asked is None:
        return None
    if model.durations_s and not model.any_duration:
        given = min(model.durations_s, key=lambda one: (abs(one - asked), one))
    else:
        given = _clamp(asked, model.durations_s or (SHORTEST_S, LONGEST_S))
    return _adjusted("length", asked, given, adjustments)


def _frame(draft: Draft, model: Model, adjustments: list[Adjustment]) -> str | None:
    asked = draft.settings.aspect_ratio
    if asked is None or not model.aspect_ratios:
        return None
    if asked in model.aspect_ratios:
        return asked
    given = min(model.aspect_ratios, key=lambda one: abs(_shape(one) - _shape(asked)))
    return _adjusted("frame", asked, given, adjustments)


def _resolution(draft: Draft, model: Model, adjustments: list[Adjustment]) -> str | None:
    asked = draft.settings.resolution
    if asked is None or not model.resolutions:
        return None
    if asked in model.resolutions:
        return asked
    given = min(model.resolutions, key=lambda one: abs(_lines(one) - _lines(asked)))
    return _adjusted("resolution", asked, given, adjustments)


def _rate(draft: Draft, model: Model, adjustments: list[Adjustment]) -> int | None:
    asked = draft.settings.fps
    if draft.kind is not Kind.VIDEO or asked is None:
        return None
    if not model.fps:
        return asked
    given = _clamp(asked, model.fps) if model.any_fps else min(model.fps, key=lambda one: abs(one - asked))
    return _adjusted("rate", asked, given, adjustments)


def _count(parsed: Intent | Change, adjustments: list[Adjustment]) -> int:
    asked = parsed.settings.count or 1
    most = 1 if isinstance(parsed, Intent) and parsed.kind is Kind.VIDEO else MOST_AT_ONCE
    return _adjusted("count", asked, min(max(asked, 1), most), adjustments)


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
    wanted = named.casefold()
    for model in models:
        if wanted in model.name.casefold() or wanted in model.label.casefold():
            return model
    adjustments.append(Adjustment(code="model", values={"asked": named, "given": first.label}))
    return first


def _with(draft: Draft, settings: RequestedSettings) -> Draft:
    names = ("duration_s", "aspect_ratio", "resolution", "fps")
    named = {name: value for name in names if (value := getattr(settings, name)) is not None}
    seed = draft.seed if settings.seed is None else settings.seed
    return replace(draft, seed=seed, settings=replace(draft.settings, **named))


def _again(request: Request, kind: Kind, models: Models, chat_id: str) -> Draft:
    """Repeats the request; for another kind without its model and its source."""
    same = kind is request.kind
    draft = Draft(
        kind=kind,
        prompt=request.prompt,
        seed=request.seed,
        settings=request.settings,
        source=request.source if same else None,
        chat_id=chat_id,
    )
    if same and _model_of(replace(draft, backend=request.backend, model=request.model), models):
        return replace(draft, backend=request.backend, model=request.model)
    return draft


def _model_of(draft: Draft, models: Models) -> Model | None:
    """The model that the draft names, while it is offered; the first of its kind where it names none."""
    offered = models.models(draft.kind, needs_source=draft.source is not None)
    if draft.model is None:
        return next(iter(offered), None)
    return next((one for one in offered if (one.backend, one.name) == (draft.backend, draft.model)), None)


def _another_length(request: Request, model: Model | None, *, longer: bool) -> float | None:
    """The nearest to twice or half the length, in seconds; None where no other is offered."""
    now = request.settings.duration_s
    if now is None:
        return None
    wanted = now * 2 if longer else now / 2
    if model is None or not model.durations_s:
        return _clamp(wanted, (SHORTEST_S, LONGEST_S))
    if model.any_duration:
        given = _clamp(wanted, model.durations_s)
        return given if given != now else None
    others = [one for one in model.durations_s if (one > now if longer else one < now)]
    return min(others, key=lambda one: abs(one - wanted), default=None)


def _reworded(draft: Draft, change: Change) -> Draft:
    prompt = f"{draft.prompt.rstrip(' .')}, {change.more}" if change.more else draft.prompt
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
