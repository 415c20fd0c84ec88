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
    deferred("Describe a video or an image. You can add a length and an aspect ratio."),
    deferred("Change the last result: “longer”, “vertical”, “another seed”, “make it night”."),
    deferred("Or use a command: /video or /image, followed by your description."),
)
ANIMATING = deferred("Turn an image into a video: “animate it”.")
CHANGEABLE = deferred("You can also change the last result: try “another seed” or “make it night”.")
SENTENCES = {
    "hello": deferred("Hello. Describe what you want to see."),
    "thanks": deferred("You're welcome."),
    "unclear": deferred("I didn't understand that. Here is what I can do:"),
    "help": deferred("I make videos and images from your descriptions."),
    "nothing_yet": deferred("There is nothing to change yet. Ask for a video or an image first."),
    "deleted": deferred("The last result was deleted. Ask for a new one."),
    "already_moving": deferred("The last result is already a video."),
    "not_ready": deferred("The last result is not ready yet. Ask again when it is."),
    "no_picture": deferred("The last result cannot be used as a starting image."),
    "no_animator": deferred("No available model makes videos from images."),
    "bug": deferred("Something went wrong in Rushes. Your message is saved; see the log for details."),
}
DESCRIBING = frozenset({"hello", "help", "unclear"})
CHANGES = {
    "longer": deferred("longer"),
    "shorter": deferred("shorter"),
    "another_seed": deferred("new seed"),
    "to_video": deferred("as a video"),
    "to_image": deferred("as an image"),
    "onwards": deferred("continued from the last frame"),
    "night": deferred("at night"),
    "dawn": deferred("at dawn"),
    "day": deferred("by day"),
    "dusk": deferred("at sunset"),
    "rain": deferred("in the rain"),
    "snow": deferred("in the snow"),
    "fog": deferred("in the fog"),
    "storm": deferred("in a storm"),
    "clear": deferred("on a clear day"),
    "length": deferred("new length"),
    "frame": deferred("new aspect ratio"),
    "resolution": deferred("new resolution"),
    "seed": deferred("your seed"),
    "words": deferred("edited"),
}
LLM_FAILURES = {
    "down": deferred("The language model is unavailable. This reply follows built-in rules."),
    "refused": deferred("The language model refused the request. This reply follows built-in rules."),
    "slow": deferred("The language model timed out. This reply follows built-in rules."),
    "nonsense": deferred("The language model's answer was not usable. This reply follows built-in rules."),
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
    codes = [one for one in understood.get("changes", ()) if one in CHANGES]
    if codes[:1] in (["longer"], ["shorter"]):
        codes = [one for one in codes if one != "length"]
    if changes := [_(CHANGES[one]) for one in codes]:
        sentences.append(_("Same prompt, {changes}.").format(changes=", ".join(changes)))
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
    return _("Negative prompt: {words}.").format(words=work["without"]) if work.get("without") else ""


def _empty_command(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    sentence = _("Add a description after /{command}, for example:").format(
        command=understood.get("command", "video")
    )
    return ReplyText(sentences=[sentence], notes=notes, offers=_examples_of(understood))


def _unknown_command(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    sentence = _("Unknown command /{command}. Use /video, /image or /help.")
    return ReplyText(
        sentences=[sentence.format(command=understood.get("command", ""))], notes=notes, offers=examples()
    )


def _no_prompt(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    noun = (
        _("What should the video show?")
        if understood.get("kind") == Kind.VIDEO
        else _("What should the image show?")
    )
    return ReplyText(sentences=[noun], notes=notes, offers=_examples_of(understood))


def _which(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    prompt = str(understood.get("prompt", ""))
    return ReplyText(
        sentences=[_("A video or an image?")],
        notes=notes,
        offers=[
            Offer(name=_("Video"), text=f"/video {prompt}"),
            Offer(name=_("Image"), text=f"/image {prompt}"),
        ],
    )


def _no_other_length(code: str, understood: Mapping[str, Any], notes: list[str]) -> ReplyText:
    length = measure.length(float(understood.get("length") or 0))
    sentence = (
        _("This model makes at most {length}.")
        if code == "no_longer"
        else _("This model makes at least {length}.")
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
            return _("{asked} is not available. Using {given}.").format(asked=asked, given=given)
        case "frame" | "resolution":
            return _("{asked} is not available. Using {given}.").format(asked=asked, given=given)
        case "rate":
            rates = {"asked": _("{rate} fps").format(rate=asked), "given": _("{rate} fps").format(rate=given)}
            return _("{asked} is not available. Using {given}.").format(**rates)
        case "count":
            return _("{asked} at once is too many. Making {given}.").format(asked=asked, given=given)
        case "model":
            return _("The model “{asked}” is not available. Using {given}.").format(asked=asked, given=given)
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
        return ReplyText(sentences=[_("Deleted.")])
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
    noun = _("Your video is here") if generation.request.kind is Kind.VIDEO else _("Your image is here")
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
