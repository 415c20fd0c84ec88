"""Turns a parsed message into a plan that the models on offer can carry out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from services.chat.parser import Change, Intent, Reading, Unclear
from services.chat.parser.intents import Settings
from services.chat.parser.scenes import SCENES, set_in
from services.chat.plan import Note, Plan, Work
from services.core.model import Draft, Generation, GenerationSettings, Kind, Model, Phase, Request
from services.generations.service import MOST_AT_ONCE

T = TypeVar("T", str, int, float)
SHORTEST_S, LONGEST_S = 1.0, 60.0
"""Where a model names no lengths."""


class Models(Protocol):
    def models(self, kind: Kind, *, needs_source: bool | None = None) -> list[Model]: ...


def plan(reading: Reading, models: Models, *, last: Generation | None, chat_id: str) -> Plan:
    """`last` is the artifact that a change is a change of; a deleted one only says so."""
    match reading:
        case Intent():
            return _new(reading, models, chat_id)
        case Change():
            return _changed(reading, models, last, chat_id)
        case Unclear():
            return Plan(code=reading.code, values=dict(reading.values))


def _new(wish: Intent, models: Models, chat_id: str) -> Plan:
    notes: list[Note] = []
    model = choose(models.models(wish.kind, needs_source=False), wish.settings.model, notes)
    draft = Draft(kind=wish.kind, prompt=wish.prompt, chat_id=chat_id)
    draft = fit(_with(draft, wish.settings), model, notes)
    return Plan(code="making", works=(Work(draft=draft, count=_count(wish, notes)),), notes=tuple(notes))


def _changed(change: Change, models: Models, last: Generation | None, chat_id: str) -> Plan:
    if last is None:
        return Plan(code="nothing_yet")
    if last.trashed_at is not None:
        return Plan(code="deleted")
    if "to_video" in change.steps or "onwards" in change.steps:
        return _animated(change, models, last, chat_id)
    kind = Kind.IMAGE if "to_image" in change.steps else last.request.kind
    notes: list[Note] = []
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
    draft = fit(_with(_reworded(draft, change), change.settings), model, notes)
    return Plan(
        code="making",
        works=(Work(draft=draft, count=_count(change, notes) if kind is Kind.IMAGE else 1),),
        changes=(*changes, *_set_by(change)),
        notes=tuple(notes),
    )


def _animated(change: Change, models: Models, last: Generation, chat_id: str) -> Plan:
    """The last picture begins to move, or the last film goes on from where it ends."""
    if last.request.kind is Kind.VIDEO and "onwards" not in change.steps:
        others = _without(change, "to_video")
        if others.steps or others.settings.named() or others.more or others.less:
            return _changed(others, models, last, chat_id)
        return Plan(code="already_moving")
    if last.phase is not Phase.COMPLETED:
        return Plan(code="no_picture" if last.final else "not_ready", values={"kind": str(last.request.kind)})
    from_pictures = models.models(Kind.VIDEO, needs_source=True)
    if not from_pictures:
        return Plan(code="no_animator")
    notes: list[Note] = []
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
    model = choose(from_pictures, change.settings.model, notes)
    draft = fit(_with(_reworded(draft, change), change.settings), model, notes)
    return Plan(
        code="making",
        works=(Work(draft=draft, source_of=last.id),),
        changes=(*change.steps, *_set_by(change)),
        notes=tuple(notes),
    )


def _without(change: Change, without: str) -> Change:
    steps = tuple(step for step in change.steps if step != without)
    return replace(change, steps=steps)


def fit(draft: Draft, model: Model | None, notes: list[Note]) -> Draft:
    """What is named and not offered becomes the nearest that is, with a note about it."""
    if model is None:
        return draft
    return replace(
        draft,
        backend=model.backend,
        model=model.name,
        settings=replace(
            draft.settings,
            duration_s=_length(draft, model, notes),
            aspect_ratio=_frame(draft, model, notes),
            resolution=_resolution(draft, model, notes),
            fps=_rate(draft, model, notes),
        ),
    )


def _length(draft: Draft, model: Model, notes: list[Note]) -> float | None:
    asked = draft.settings.duration_s
    if draft.kind is not Kind.VIDEO or asked is None:
        return None
    given = min(max(asked, SHORTEST_S), LONGEST_S)
    if model.durations_s and model.any_duration:
        given = min(max(asked, min(model.durations_s)), max(model.durations_s))
    elif model.durations_s:
        given = min(model.durations_s, key=lambda one: (abs(one - asked), one))
    return _noted("length", asked, given, notes)


def _frame(draft: Draft, model: Model, notes: list[Note]) -> str | None:
    asked = draft.settings.aspect_ratio
    if asked is None or not model.aspect_ratios:
        return None
    if asked in model.aspect_ratios:
        return asked
    given = min(model.aspect_ratios, key=lambda one: abs(_shape(one) - _shape(asked)))
    return _noted("frame", asked, given, notes)


def _resolution(draft: Draft, model: Model, notes: list[Note]) -> str | None:
    asked = draft.settings.resolution
    if asked is None or not model.resolutions:
        return None
    if asked in model.resolutions:
        return asked
    given = min(model.resolutions, key=lambda one: abs(_lines(one) - _lines(asked)))
    return _noted("resolution", asked, given, notes)


def _rate(draft: Draft, model: Model, notes: list[Note]) -> int | None:
    asked = draft.settings.fps
    if draft.kind is not Kind.VIDEO or asked is None:
        return None
    if not model.fps:
        return asked
    given = min(model.fps, key=lambda one: abs(one - asked))
    if model.any_fps:
        given = min(max(asked, min(model.fps)), max(model.fps))
    return _noted("rate", asked, given, notes)


def _count(reading: Intent | Change, notes: list[Note]) -> int:
    asked = reading.settings.count or 1
    most = 1 if isinstance(reading, Intent) and reading.kind is Kind.VIDEO else MOST_AT_ONCE
    return _noted("count", asked, min(max(asked, 1), most), notes)


def _noted(code: str, asked: T, given: T, notes: list[Note]) -> T:
    if asked != given:
        notes.append(Note(code=code, values={"asked": asked, "given": given}))
    return given


def choose(models: Sequence[Model], named: str | None, notes: list[Note]) -> Model | None:
    """The one that is named (by a part of its name or label), else the first."""
    first = next(iter(models), None)
    if named is None or first is None:
        return first
    wanted = named.casefold()
    for model in models:
        if wanted in model.name.casefold() or wanted in model.label.casefold():
            return model
    notes.append(Note(code="model", values={"asked": named, "given": first.label}))
    return first


def _with(draft: Draft, settings: Settings) -> Draft:
    names = ("duration_s", "aspect_ratio", "resolution", "fps")
    named = {name: value for name in names if (value := getattr(settings, name)) is not None}
    seed = draft.seed if settings.seed is None else settings.seed
    return replace(draft, seed=seed, settings=replace(draft.settings, **named))


def _again(request: Request, kind: Kind, models: Models, chat_id: str) -> Draft:
    """The same once more; of another kind only what both kinds have."""
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
    """The draft's own where it names one that is still offered, else the first of its kind."""
    offered = models.models(draft.kind, needs_source=draft.source is not None)
    if draft.model is None:
        return next(iter(offered), None)
    return next((one for one in offered if (one.backend, one.name) == (draft.backend, draft.model)), None)


def _another_length(request: Request, model: Model | None, *, longer: bool) -> float | None:
    """About twice, or half, as long; None where there is none."""
    now = request.settings.duration_s
    if now is None:
        return None
    wanted = now * 2 if longer else now / 2
    if model is None or not model.durations_s:
        return min(max(wanted, SHORTEST_S), LONGEST_S)
    if model.any_duration:
        given = min(max(wanted, min(model.durations_s)), max(model.durations_s))
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
