"""A page's language: the person's choice, else the browser's, else English."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import get_args

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from nicegui import Client, app
from nicegui.language import Language as QuasarLanguage
from nicegui.slot import Slot, get_task_id

FOLDER = Path(__file__).parent
ENGLISH = "en"
_spoken: ContextVar[str] = ContextVar("spoken", default="")
CHOICE_KEY = "language"
"""Storage key of the person's choice; empty or absent follows the browser."""


@cache
def translations() -> dict[str, NullTranslations]:
    """Returns translations by language code: English (the source) and each catalogue in this folder."""
    return {ENGLISH: NullTranslations()} | {path.stem: _read(path) for path in sorted(FOLDER.glob("*.po"))}


def _read(path: Path) -> GNUTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def native_name(code: str) -> str:
    """Returns the language's name in that language: English, Русский."""
    name = Locale.parse(code).get_display_name(code) or code
    return name[:1].upper() + name[1:]


def quasar_language(code: str) -> QuasarLanguage:
    """Returns Quasar's language code, also used as the page's `lang`; English if Quasar lacks it."""
    known: tuple[QuasarLanguage, ...] = get_args(QuasarLanguage)
    return next((name for name in known if name == code), "en-US")


def language() -> str:
    """Returns the language of a reply while one is drawn, else the current page's; English outside a page."""
    if code := _spoken.get():
        return code
    stack = Slot.stacks.get(get_task_id())
    if not stack:
        return ENGLISH
    try:
        client = stack[-1].parent.client
        return str(client.storage.get(CHOICE_KEY) or _resolve(client))
    except RuntimeError:  # the client is deleted
        return ENGLISH


@contextmanager
def speaking(code: str | None) -> Iterator[None]:
    """Draws in this language, where there is a catalogue for it; else nothing changes."""
    before = _spoken.set(code if code in translations() else _spoken.get())
    try:
        yield
    finally:
        _spoken.reset(before)


def _resolve(client: Client) -> str:
    """Fixes the language of a page until it is reloaded."""
    code = choice() or from_accept_language(client.request.headers.get("accept-language", ""))
    client.storage[CHOICE_KEY] = code
    return code


def choice() -> str:
    """Returns the person's choice; empty follows the browser."""
    code = str(app.storage.user.get(CHOICE_KEY, ""))
    return code if code in translations() else ""


def choose(code: str) -> None:
    """Stores the choice; open pages keep their language until they are reloaded."""
    app.storage.user[CHOICE_KEY] = code


def from_accept_language(header: str) -> str:
    """Returns the best match for an Accept-Language header (RFC 9110, 12.5.4), parsed leniently."""
    wanted = []
    for place, part in enumerate(header[:1000].split(",")):
        tag, _semicolon, weight = part.strip().lower().partition(";")
        code = tag.split("-")[0].strip()
        if code in translations() and (q := _weight(weight)) > 0:
            wanted.append((-q, place, code))
    return min(wanted)[2] if wanted else ENGLISH


def _weight(parameter: str) -> float:
    name, _equals, value = parameter.partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
