"""New requests: a command, or a plain sentence that names a video or an image."""

import re

from services.chat.parser.intents import Intent, NoIntent, RequestedSettings
from services.chat.parser.settings import (
    NUMBERS,
    after_separators,
    number,
    take_all_from_start,
    take_from_end,
    take_from_start,
)
from services.core.model import Kind

COMMANDS = {
    "video": Kind.VIDEO, "film": Kind.VIDEO, "clip": Kind.VIDEO, "видео": Kind.VIDEO, "ролик": Kind.VIDEO,
    "image": Kind.IMAGE, "picture": Kind.IMAGE, "photo": Kind.IMAGE, "картинка": Kind.IMAGE,
    "изображение": Kind.IMAGE, "фото": Kind.IMAGE,
}  # fmt: skip
HELP = frozenset({"help", "start", "помощь", "справка"})

VIDEO = (
    r"videos?|video\s?clips?|clips?|films?|movies?|animations?|footage|видео(?:рол[а-яё]+|клип[а-яё]*)?"
    r"|ролик[а-яё]*|клип[а-яё]*|фильм[а-яё]*|мультик[а-яё]*|анимаци[а-яё]+"
)
IMAGE = (
    r"images?|pictures?|pics?|photo(?:graph)?s?|stills?|drawings?|illustrations?|paintings?|картин[а-яё]+"
    r"|изображени[а-яё]+|рисун[а-яё]+|фото(?:графи[а-яё]+)?|иллюстраци[а-яё]+|снимок|снимк[а-яё]+"
)
NOUN = re.compile(rf"(?<![\w-])(?:(?P<video>{VIDEO})|(?P<image>{IMAGE}))(?![\w-])", re.I)
COURTESY = re.compile(
    r"(?<!\w)(?:please|hey|hi|hello|now|then|ok(?:ay)?|so|can|could|would|will|you|i|we|want|need|like"
    r"|i'd|i’d|to|let'?s"
    r"|пожалуйста|привет|теперь|а|ну|можешь|можно|мне|нам|нужн[а-яё]+|хочу|хотим|хотелось|бы|давай"
    r"|тогда|ли)(?![\w'’])",
    re.I,
)
QUOTED = re.compile(r'["“”«»]([^"“”«»]*)["“”«»]')
WANTS = re.compile(r"want|need|like|хочу|хотим|хотелось|нужн|можно", re.I)
VERB = re.compile(
    r"(?<!\w)(?:make|create|generate|render|shoot|produce|do|give|show|get|build|prepare|film|have"
    r"|с?делай(?:те)?|с?делать|созда(?:й|йте|ть)|с?генерир(?:уй|уйте|овать)|сними(?:те)?|снять"
    r"|покажи(?:те)?|дай(?:те)?|подготовь|придумай|смонтируй|сочини)(?![\w'’])",
    re.I,
)
DRAWS = re.compile(
    r"(?<!\w)(?:(?P<image>draw|paint|sketch|photograph|illustrate|нарису(?:й|йте)|изобрази(?:те)?|сфотографируй)"
    r"|(?P<video>animate|film|shoot|анимируй(?:те)?|сними(?:те)?|снять))"
    r"(?:\s++(?:me|us|мне|нам))?\s++(?=\S)",
    re.I,
)
SMALL = re.compile(
    r"(?<!\w)(?:an?|the|me|us|one|some|new|another|short|small|little|quick|мне|нам|нов[а-яё]+|коротк[а-яё]+"
    r"|небольш[а-яё]+|один|одну|одно|какое-нибудь|какой-нибудь|ещё|еще)(?![\w'’])",
    re.I,
)
COUNT = re.compile(rf"(?<!\w)(?P<number>[1-9]|{'|'.join(NUMBERS)})(?=\s)", re.I)
ABOUT = re.compile(
    r"(?:(?<!\w)(?:of|about|with|showing|shows?|that shows?|where|featuring|depicting|in which|from|on which"
    r"|про|обо?|о|со?|где|на котор[а-яё]+|в котор[а-яё]+|на тему|как|из|по)(?=[\s:])\s*+:?|[:–—-])\s*+",
    re.I,
)
PLEASE = re.compile(r"(?<![\s,])[\s,]*+\b(?:please|пожалуйста|thanks|спасибо)[\s.!]*+$", re.I)
MODEL = re.compile(
    r"(?<![\s,])[\s,]++(?:using|with (?:the )?model|by model|с помощью|через модель|моделью|на модели)\s++"
    r"(?P<model>[\w./-][\w./ -]{1,59})$",
    re.I,
)
IGNORED = re.compile(
    r"(?<!\w)(?:longer|shorter|nice|good|beautiful|cool|подлиннее|покороче|красив[а-яё]+|хорош[а-яё]+)$", re.I
)
MAX_WORDS_BEFORE_NOUN = 8
MAX_CHARACTERS_BEFORE_NOUN = 200
MAX_WORDS_KEPT = 3


def parse_command(text: str) -> Intent | NoIntent | None:
    found = re.match(r"/\s?(?P<name>\w*)(?:\s+|$)(?P<rest>.*)$", text, re.S)
    if found is None:
        return None
    name = found["name"].lower()
    if name in HELP:
        return NoIntent(code="help")
    if name not in COMMANDS:
        return NoIntent(code="unknown_command", values={"command": found["name"][:40]})
    kind, settings = COMMANDS[name], RequestedSettings()
    prompt = _take_prompt(take_all_from_start(found["rest"], settings), settings)
    if not prompt:
        return NoIntent(code="empty_command", values={"kind": str(kind), "command": name})
    return Intent(kind=kind, prompt=prompt, settings=settings)


def parse_request(text: str) -> Intent | NoIntent | None:
    """None where the text asks for neither a video nor an image."""
    rest, asked = _strip_request(text)
    noun = NOUN.search(rest)
    if noun is None:
        return _parse_drawing(text)
    settings, goes_on = RequestedSettings(), _next(ABOUT, rest, noun.end()) is not None
    kept = _take_before_noun(rest[: noun.start()], settings, asked=asked, goes_on=goes_on)
    if kept is None:
        return _parse_drawing(text)
    kind = Kind.VIDEO if noun["video"] else Kind.IMAGE
    prompt = _take_prompt(take_all_from_start(rest[noun.end() :], settings), settings)
    if not prompt and kept and asked:
        prompt, kept = kept, ""
    if not prompt:
        return NoIntent(code="no_prompt", values={"kind": str(kind)}) if asked or not kept else None
    return Intent(kind=kind, prompt=f"{prompt}, {kept}" if kept else prompt, settings=settings)


def _next(pattern: re.Pattern[str], text: str, at: int = 0) -> re.Match[str] | None:
    return pattern.match(text, after_separators(text, at))


def _strip_request(text: str) -> tuple[str, bool]:
    """Strips "could you please make me"; returns the rest, and whether it contained a request."""
    asked, at = False, 0
    while True:
        courtesy, verb = _next(COURTESY, text, at), _next(VERB, text, at)
        if verb:
            asked, at = True, verb.end()
        elif courtesy:
            asked, at = asked or bool(WANTS.search(courtesy[0])), courtesy.end()
        else:
            return text[at:], asked


def _parse_drawing(text: str) -> Intent | None:
    """Parses "draw a cat", where the verb alone names the kind."""
    at = 0
    while courtesy := _next(COURTESY, text, at):
        at = courtesy.end()
    draws = _next(DRAWS, text, at)
    if draws is None:
        return None
    settings = RequestedSettings()
    prompt = _take_prompt(text[draws.end() :], settings)
    kind = Kind.IMAGE if draws["image"] else Kind.VIDEO
    return Intent(kind=kind, prompt=prompt, settings=settings) if prompt else None


def _take_before_noun(before: str, settings: RequestedSettings, *, asked: bool, goes_on: bool) -> str | None:
    """Moves settings from the words before the noun; returns the rest, or None for an ordinary sentence."""
    if (
        len(before) > MAX_CHARACTERS_BEFORE_NOUN
        or len(before.split()) > MAX_WORDS_BEFORE_NOUN
        or re.search(r"[.!?\n]", before)
    ):
        return None
    words: list[str] = []
    while before.strip(" ,"):
        if (shorter := take_from_start(before, settings)) != before:
            before = shorter
        elif small := _next(SMALL, before):
            if words:
                return None
            before = before[small.end() :]
        elif count := _next(COUNT, before):
            settings.count, before = round(number(count["number"])), before[count.end() :]
        else:
            word, _, before = before.strip(" ,").partition(" ")
            if not IGNORED.match(word):
                words.append(word)
    if len(words) > MAX_WORDS_KEPT or (words and not asked and not goes_on):
        return None
    return " ".join(words)


def _take_prompt(text: str, settings: RequestedSettings) -> str:
    """The prompt, without the settings at its end."""
    if about := _next(ABOUT, text):
        text = text[about.end() :]
    text = take_from_end(_take_model(PLEASE.sub("", text), settings), settings)
    prompt = PLEASE.sub("", _take_model(text, settings)).strip(" \t\n,;:–—")
    quoted = QUOTED.fullmatch(prompt)
    return (quoted[1] if quoted else prompt).strip()


def _take_model(text: str, settings: RequestedSettings) -> str:
    found = MODEL.search(text)
    if found is None:
        return text
    settings.model = found["model"].strip()
    return text[: found.start()]
