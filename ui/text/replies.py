"""Texts of the studio's chat replies, from their codes and values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.chat import suggestions
from services.chat.planning import Models
from services.core.errors import AppError
from services.core.model import Generation, Kind, Phase
from ui.text import _, deferred, failures, labels, measure, ngettext
from ui.text.errors import error_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A suggested answer: `name` is the button's label, `text` is sent."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyText:
    """`quotes` are the person's own text; `notes` are secondary."""

    sentences: Sequence[str] = ()
    quotes: Sequence[str] = ()
    notes: Sequence[str] = ()
    offers: Sequence[Offer] = ()


EXAMPLES = (
    deferred("Make a 5 second video of a lighthouse above a stormy sea at night"),
    deferred("Make a square image of fog in a pine forest at dawn"),
    deferred("Make a vertical video of rain over a neon city, 10 seconds"),
)
ABILITIES = (
    deferred("Say what you want to see, as a video or as an image, with a length and a frame if you like."),
    deferred("About the last one: “longer”, “vertical”, “another seed”, “make it night”."),
    deferred("Or by command: /video and /image, with what you want to see behind it."),
)
ANIMATING = deferred("About an image: “animate it” makes a video from it.")
CHANGEABLE = deferred("The last one can be changed too: “another seed”, say, or “make it night”.")
SENTENCES = {
    "hello": deferred("Good to see you. Say what you want to see."),
    "thanks": deferred("You are welcome."),
    "unclear": deferred("I did not understand that. This is what I can do:"),
    "help": deferred("I make videos and images from words."),
    "nothing_yet": deferred("There is nothing to change in this conversation yet. Ask for something first."),
    "deleted": deferred("The last one was deleted, so there is nothing to change. Ask for a new one."),
    "already_moving": deferred("The last one is a video: it moves already."),
    "not_ready": deferred("The last one is not ready yet. Ask again when it is here."),
    "no_picture": deferred("The last one did not come out, so there is nothing to begin from."),
    "no_animator": deferred("No model here makes a video from an image."),
    "bug": deferred("That did not work, and it is our fault. Your message is kept; the log has the details."),
}
DESCRIBING = frozenset({"hello", "help", "unclear"})
CHANGES = {
    "longer": deferred("longer"),
    "shorter": deferred("shorter"),
    "another_seed": deferred("another seed"),
    "to_video": deferred("as a video"),
    "to_image": deferred("as an image"),
    "onwards": deferred("on from its last frame"),
    "night": deferred("at night"),
    "dawn": deferred("at dawn"),
    "day": deferred("by day"),
    "dusk": deferred("at sunset"),
    "rain": deferred("in the rain"),
    "snow": deferred("in the snow"),
    "fog": deferred("in the fog"),
    "storm": deferred("in a storm"),
    "clear": deferred("on a clear day"),
    "length": deferred("another length"),
    "frame": deferred("another frame"),
    "resolution": deferred("another resolution"),
    "seed": deferred("a seed of your choice"),
    "words": deferred("other words"),
}
LLM_FAILURES = {
    "down": deferred("The language model could not be reached, so the built-in reader answered."),
    "refused": deferred("The language model refused the request, so the built-in reader answered."),
    "slow": deferred("The language model took too long, so the built-in reader answered."),
    "nonsense": deferred("The language model's answer made no sense, so the built-in reader answered."),
}
AFTER_VIDEO = (
    deferred("Longer"),
    deferred("Shorter"),
    deferred("Vertical"),
    deferred("Another seed"),
    deferred("Make it night"),
)
AFTER_IMAGE = (
    deferred("Animate it"),
    deferred("Square"),
    deferred("Another seed"),
    deferred("Make it night"),
)


def reply_text(understood: Mapping[str, Any], models: Models | None = None) -> ReplyText:
    """Returns a reply; unknown codes are left out. It suggests only what one of the `models` can make."""
    code = str(understood.get("code", ""))
    notes = [_note(note) for note in understood.get("notes", ())]
    if (reason := understood.get("speechless")) in LLM_FAILURES:
        notes.append(_(LLM_FAILURES[str(reason)]))
    reply = _BUILDERS.get(code, _plain)(code, understood, [note for note in notes if note])
    if code in DESCRIBING and (models is None or models.models(Kind.VIDEO, needs_source=True)):
        reply = replace(reply, sentences=[*reply.sentences, _(ANIMATING)])
    return replace(reply, offers=_new_ones(reply.offers, models))


def _new_ones(offers: Sequence[Offer], models: Models | None) -> Sequence[Offer]:
    if models is None:
        return offers
    fitting = suggestions.new_ones([offer.text for offer in offers], models)
    return [offer for offer in offers if offer.text in fitting]


def _plain(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    sentences = [_(SENTENCES[code])] if code in SENTENCES else []
    if code == "thanks" and understood.get("changeable"):
        sentences.append(_(CHANGEABLE))
    if code in DESCRIBING:
        sentences += [_(each) for each in ABILITIES]
    if code in ("hello", "help", "unclear", "nothing_yet", "deleted"):
        return ReplyText(sentences=sentences, notes=notes, offers=examples())
    return ReplyText(sentences=sentences, notes=notes)


def _making(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    works: Sequence[Mapping[str, Any]] = understood.get("works", ())
    sentences = []
    if changes := [_(CHANGES[one]) for one in understood.get("changes", ()) if one in CHANGES]:
        sentences.append(_("The last one once more: {changes}.").format(changes=", ".join(changes)))
    sentences += [_work(work) for work in works]
    notes = [*(without for work in works if (without := _without(work))), *notes]
    if understood.get("refusal"):
        notes.append(_refusal(understood))
    return ReplyText(sentences=sentences, quotes=[str(work["prompt"]) for work in works], notes=notes)


def _work(work: Mapping[str, Any]) -> str:
    """A video, 10 s, 9:16, with Animatic film:"""
    count = int(work["count"])
    if work["kind"] == Kind.VIDEO:
        noun = _("A video")
    elif count == 1:
        noun = _("An image")
    else:
        noun = ngettext("{count} image", "{count} images", count).format(count=count)
    parts = [noun]
    if work["length"] is not None:
        parts.append(measure.length(float(work["length"])))
    parts.append(str(work["frame"]))
    if work["seed"] is not None:
        parts.append(_("seed {seed}").format(seed=work["seed"]))
    return _("{what}, with {model}:").format(what=", ".join(parts), model=work["model"])


def _without(work: Mapping[str, Any]) -> str:
    return _("Left out: {words}.").format(words=work["without"]) if work.get("without") else ""


def _empty_command(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    sentence = _("Behind /{command} comes what you want to see, as here:").format(
        command=understood.get("command", "video")
    )
    return ReplyText(sentences=[sentence], notes=notes, offers=_examples_of(understood))


def _unknown_command(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    sentence = _("I do not know /{command}. I know /video, /image and /help.")
    return ReplyText(
        sentences=[sentence.format(command=understood.get("command", ""))], notes=notes, offers=examples()
    )


def _no_prompt(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    noun = _("A video of what?") if understood.get("kind") == Kind.VIDEO else _("An image of what?")
    return ReplyText(sentences=[noun], notes=notes, offers=_examples_of(understood))


def _which(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    prompt = str(understood.get("prompt", ""))
    return ReplyText(
        sentences=[_("Is that to be a video or an image?")],
        notes=notes,
        offers=[
            Offer(name=_("Video"), text=f"/video {prompt}"),
            Offer(name=_("Image"), text=f"/image {prompt}"),
        ],
    )


def _no_other_length(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    length = measure.length(float(understood.get("length") or 0))
    sentence = (
        _("{length} is the longest that this model makes.")
        if code == "no_longer"
        else _("{length} is the shortest that this model makes.")
    )
    return ReplyText(sentences=[sentence.format(length=length)], notes=notes)


def _refused(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    return ReplyText(sentences=[_refusal(understood)], notes=notes)


def _refusal(understood: Mapping[str, Any]) -> str:
    refusal = understood.get("refusal", {})
    return error_text(AppError(str(refusal.get("sentence", "")), **refusal.get("values", {})))


def _note(note: Mapping[str, Any]) -> str:
    asked, given = note.get("asked"), note.get("given")
    match note.get("code"):
        case "length" if isinstance(asked, int | float) and isinstance(given, int | float):
            asked, given = measure.length(asked), measure.length(given)
            return _("{asked} is not offered, {given} is the nearest.").format(asked=asked, given=given)
        case "frame" | "resolution":
            return _("{asked} is not offered, {given} is the nearest.").format(asked=asked, given=given)
        case "rate":
            rates = {"asked": _("{rate} fps").format(rate=asked), "given": _("{rate} fps").format(rate=given)}
            return _("{asked} is not offered, {given} is the nearest.").format(**rates)
        case "count":
            return _("{asked} at once is more than there can be: {given}.").format(asked=asked, given=given)
        case "model":
            return _("There is no model “{asked}” here, so {given} makes it.").format(
                asked=asked, given=given
            )
    return ""


_BUILDERS: dict[str, Callable[[str, Mapping[str, Any], list[str]], ReplyText]] = {
    "making": _making,
    "empty_command": _empty_command,
    "unknown_command": _unknown_command,
    "no_prompt": _no_prompt,
    "which": _which,
    "no_longer": _no_other_length,
    "no_shorter": _no_other_length,
    "refused": _refused,
}


def examples(models: Models | None = None) -> Sequence[Offer]:
    return _new_ones([Offer(name=_(each), text=_(each)) for each in EXAMPLES], models)


def _examples_of(understood: Mapping[str, Any]) -> list[Offer]:
    offers = examples()
    return [offers[1]] if understood.get("kind") == Kind.IMAGE else [offers[0], offers[2]]


def result_text(generation: Generation, models: Models | None = None) -> ReplyText:
    """Returns the message that reports a result. It suggests only changes that the `models` can make."""
    reply = _result(generation)
    if models is None:
        return reply
    fitting = suggestions.changes([offer.text for offer in reply.offers], models, generation)
    return replace(reply, offers=[offer for offer in reply.offers if offer.text in fitting])


def _result(generation: Generation) -> ReplyText:
    if generation.trashed_at is not None:
        return ReplyText(sentences=[_("It was deleted.")])
    problem = labels.problem(generation)
    if generation.unwanted:
        late = labels.lateness(generation.receipt) if generation.receipt is not None else ""
        return ReplyText(sentences=[each for each in (labels.message(generation), late, problem) if each])
    if problem:
        seed = Offer(name=_("Another seed"), text=_("Another seed"))
        return ReplyText(sentences=[problem], offers=[seed])
    if generation.phase is Phase.COMPLETED:
        return ReplyText(sentences=[_arrived(generation)], offers=[*_next_steps(generation)])
    if generation.phase is Phase.DROPPED:
        return ReplyText(sentences=[_("Stopped.")])
    failure = failures.explain(generation)
    again = Offer(name=_("Once more"), text=_("Once more"))
    return ReplyText(
        sentences=[failure.happened],
        notes=[failure.backend_text] * bool(failure.backend_text),
        offers=[again],
    )


def _arrived(generation: Generation) -> str:
    noun = _("The video is here") if generation.request.kind is Kind.VIDEO else _("The image is here")
    parts = [noun]
    if generation.receipt is not None:
        parts.append(labels.winner_heading(generation.receipt))
        if late := labels.lateness(generation.receipt):
            parts.append(late)
    return " · ".join(parts)


def _next_steps(generation: Generation) -> list[Offer]:
    steps = AFTER_VIDEO if generation.request.kind is Kind.VIDEO else AFTER_IMAGE
    frame = {"9:16": "Vertical", "1:1": "Square"}.get(generation.request.settings.aspect_ratio or "")
    return [Offer(name=_(each), text=_(each)) for each in steps if each != frame]
