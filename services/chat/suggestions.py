"""Which suggested messages fit what is there: the models on offer, and the last artifact."""

from collections.abc import Sequence

from services.chat.parser import Intent, parse
from services.chat.planning import Models, make_plan
from services.core.model import Generation, GenerationSettings, Kind


def new_ones(texts: Sequence[str], models: Models) -> list[str]:
    """The requests that a model on offer can carry out; all of them before any list of models is known."""
    return [text for text in texts if not _known(models) or _is_offered(text, models)]


def _known(models: Models) -> bool:
    return any(models.models(kind) for kind in Kind)


def _is_offered(text: str, models: Models) -> bool:
    intent = parse(text, follows=False)
    return isinstance(intent, Intent) and bool(models.models(intent.kind, needs_source=False))


def changes(texts: Sequence[str], models: Models, last: Generation) -> list[str]:
    """The changes that would make something new of `last`, exactly as they say."""
    return [text for text in texts if not _known(models) or _makes_something(text, models, last)]


def _makes_something(text: str, models: Models, last: Generation) -> bool:
    plan = make_plan(parse(text, follows=True), models, last=last, chat_id=last.request.chat_id or "")
    if plan.notes or not plan.works:
        return False
    request = last.request
    before = (request.kind, _words(request.prompt), _shown(request.settings), request.seed)
    return any(
        (work.draft.backend, work.draft.model) != (None, None)
        and before
        != (work.draft.kind, _words(work.draft.prompt), _shown(work.draft.settings), work.draft.seed)
        for work in plan.works
    )


def _words(prompt: str) -> list[str]:
    return sorted(prompt.replace(",", " ").split())


def _shown(settings: GenerationSettings) -> tuple[object, ...]:
    return settings.duration_s, settings.aspect_ratio, settings.resolution
