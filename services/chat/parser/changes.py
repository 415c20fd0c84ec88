"""Changes to the last artifact: "longer", "make it night", "ещё раз с другим сидом"."""

import re

from services.chat.parser.intents import Change
from services.chat.parser.scenes import SCENES
from services.chat.parser.settings import take_from_start

STEPS = {
    "another_seed": (
        r"(?:with |but )?(?:an?other|a different|different|a new|new|other|a random|random) seed"
        r"|(?:с |со )?(?:друг(?:им|ой|ое)|нов(?:ым|ый|ое)|случайн(?:ым|ый|ое)) (?:сид(?:ом)?"
        r"|зерно(?:м)?)|смени сид"
        r"|(?:an?other|one more|a different|a new) (?:one|version|take|variant|variation|try)|variations?"
        r"|(?:ещё|еще|друг(?:ой|ую|ое)) (?:один |одну |одно )?(?:вариант|верси[юя]|дубль)|по-другому|иначе"
    ),
    "longer": (
        r"(?:a (?:bit|little) |much |even |twice as )?(?:longer|long)|lengthen|extend|slow(?:er)? ending"
        r"|(?:чуть |немного |ещё |еще |вдвое |в два раза )?(?:по)?(?:длин+ее|дольше|длинней)"
        r"|удлини(?:ть)?|продли(?:ть)?"
    ),
    "shorter": (
        r"(?:a (?:bit|little) |much |even |half as )?(?:shorter|short)|shorten|trim"
        r"|(?:чуть |немного |ещё |еще |вдвое |в два раза )?(?:по)?короче|укороти(?:ть)?|сократи(?:ть)?"
    ),
    "again": (
        r"(?:once )?again|(?:once|one) more(?: time)?|repeat(?: (?:it|that))?|redo(?: (?:it|that))?"
        r"|retry|try again|(?:ещё|еще) (?:раз|разок|один|одну|одно)|ещё|еще|снова|заново|повтори(?:ть)?"
    ),
    "to_video": (
        r"(?:animate|оживи(?:ть)?|анимируй|анимировать|заанимируй)"
        r"(?: (?:it|this|that|them|the (?:picture|image|photo|still|last one)|её|ее|его|это|картинку"
        r"|изображение|фото))?"
        r"|bring (?:it|this|that|them) to life|move|come alive|alive|(?:in|)to an? (?:video|film|clip"
        r"|movie|animation)"
        r"|as an? (?:video|film|clip|movie)|an? (?:video|film|clip|movie) (?:of|from|out of) (?:it|this|that)"
        r"|(?:в|как) (?:видео|ролик|фильм|клип)|(?:видео|ролик|фильм) из (?:неё|нее|него|этого|этой картинки)"
        r"|из (?:неё|нее|него|этого|этой картинки|картинки) (?:видео|ролик|фильм)|(?:пусть"
        r"|чтобы) (?:она|оно|он)? ?движется"
    ),
    "onwards": (
        r"continue(?: it| this| the (?:story|video|film|clip))?|go on|carry on|what happens next"
        r"|продолжи(?:ть)?|продолжай|продолжение|(?:а )?что (?:было )?дальше"
    ),
    "to_image": (
        r"(?:in)?to an? (?:image|picture|still|photo)|as an? (?:image|picture|still|photo)"
        r"|an? (?:image|picture|still|photo) (?:of|from) (?:it|this|that)|(?:в|как) (?:картинку"
        r"|изображение|фото)|картинкой"
    ),
    **{code: asked for code, (asked, *_) in SCENES.items()},
}
_STEPS = [(code, re.compile(rf"(?<!\w)(?:{pattern})(?![\w'’-])", re.I)) for code, pattern in STEPS.items()]

LEAD = re.compile(
    r"(?<!\w)(?:(?:please|now|and|then|but|ok(?:ay)?|yes|а|и|но|ну|теперь|да|пожалуйста|тогда|только)\s++){0,3}"
    r"(?:(?P<it>(?:make|turn|render|do|have|let|put|set|try|change)\s+"
    r"(?:it|this|that|them|the (?:video|image|picture|clip|film|last one|same(?: one| thing)?))(?: be)?"
    r"|(?:the |that )?same(?: (?:one|thing|video|film|clip|image|picture|again))?|(?:it )?should be|instead"
    r"|с?делай(?:те)? (?:её|ее|его|это|этот|эту|эт[оу] (?:видео|картинку|изображение)|то же(?: самое)?"
    r"|так(?:ой|ую|ое) же)"
    r"|(?:то|тот|та|ту) же (?:сам(?:ое|ый|ую))|то же(?: самое)?|так(?:ой|ую|ое) же|пусть будет|пусть)"
    r"|(?P<bare>make|с?делай(?:те)?|можно|хочу|want)"
    r"|(?P<add>add|put in|include|добавь(?:те)?|добавить)"
    r"|(?P<less>without|no|remove|take out|leave out|без|убери(?:те)?|убрать)"
    r"|(?P<joined>but|now|and|instead|но|теперь|а теперь|только))(?=[\s,:]|$)[\s,:]*+",
    re.I,
)
FILLER = re.compile(
    r"(?<!\w)(?:please|now|a|an|the|it|this|that|them|with|and|but|in|be|bit|little|also|just|only|too|to|at"
    r"|is|as|of|time|make|more"
    r"|video|film|clip|movie|image|picture|photo|version|one|same|format|there|during|by|last"
    r"|пожалуйста|теперь|её|ее|его|это|эту|этот|эта|ту|то|же|самое|с|со|и|а|но|в|во|на|чтобы|было|была"
    r"|был|будет|там|тоже|бы"
    r"|можно|сделай|видео|ролик|картинку|картинка|изображение|вариант|версию|версия|формат|чуть|немного"
    r"|только|последн\w+)(?![\w'’-])",
    re.I,
)
WITHOUT = re.compile(r"(?<!\w)(?:without|no|без)\s++(?P<what>.+)", re.I)
SAME = re.compile(r"same|то|так", re.I)
A_VIDEO = re.compile(r"(?:an? )?(?:video|film|clip|movie|видео|ролик)$", re.I)
MAX_ADDED_WORDS = 14
MAX_WORDS, MAX_CHARACTERS = 60, 600
"""Longer texts are no changes."""


def parse_change(text: str, *, rest_allowed: bool) -> Change | None:
    """None where the text is no change.

    Without `rest_allowed` every word must be known. With it, the words that follow a reference to the last
    artifact ("make it …") become part of the prompt.
    """
    words = text.split(maxsplit=MAX_WORDS)
    if len(words) > MAX_WORDS or len(text) > MAX_CHARACTERS:
        return None
    text = " ".join(words).strip(" .!,;")
    found, body, lead = Change(), text, dict.fromkeys(LEAD.groupindex)
    if begin := LEAD.match(text):
        lead, body = begin.groupdict(), text[begin.end() :]
    if lead["less"]:
        return Change(less=body) if rest_allowed and _few(body) else None
    if lead["it"] and A_VIDEO.match(body):
        return Change(steps=("to_video",))
    rest = _consume(body, found)
    if not found.steps and not found.settings.named():
        rest = body
    if rest:
        points_back = lead["it"] or lead["add"] or lead["joined"]
        if not (rest_allowed and points_back and _few(rest)):
            return None
        if without := WITHOUT.match(rest):
            found.less = without["what"]
        else:
            found.more = rest
    if not (found.steps or found.settings.named() or found.more or found.less):
        return Change(steps=("again",)) if SAME.search(lead["it"] or "") else None
    return found


def _consume(text: str, found: Change) -> str:
    """Moves steps and settings from the text to `found`; returns the remaining words."""
    left: list[str] = []
    while text := text.lstrip(" ,;."):
        if step := next(((code, hit) for code, pattern in _STEPS if (hit := pattern.match(text))), None):
            found.steps += (step[0],)
            text = text[step[1].end() :]
        elif (shorter := take_from_start(text, found.settings)) != text:
            text = shorter
        elif filler := FILLER.match(text):
            text = text[filler.end() :]
            if left:
                left.append(filler[0])
        else:
            word, _, text = text.partition(" ")
            left.append(word)
    found.steps = tuple(dict.fromkeys(found.steps))
    return " ".join(left).strip(" ,;")


def _few(text: str) -> bool:
    return 0 < len(text.split()) <= MAX_ADDED_WORDS
