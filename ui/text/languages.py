"""Which language a page speaks: the person's choice, else the browser's, else English."""

from __future__ import annotations

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
CHOICE = "language"
"""Where the choice is remembered; empty or absent: as the browser says."""


@cache
def translations() -> dict[str, NullTranslations]:
    """By language code: English, which is what the code itself says, and each catalogue beside this file."""
    return {ENGLISH: NullTranslations()} | {path.stem: _read(path) for path in sorted(FOLDER.glob("*.po"))}


def _read(path: Path) -> GNUTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def own_name(code: str) -> str:
    """As those who speak it write it: English, Русский."""
    name = Locale.parse(code).get_display_name(code) or code
    return name[:1].upper() + name[1:]


def quasar_language(code: str) -> QuasarLanguage:
    """NiceGUI's name for it, which is also the page's `lang`; English where Quasar does not speak it."""
    known: tuple[QuasarLanguage, ...] = get_args(QuasarLanguage)
    return next((name for name in known if name == code), "en-US")


def language() -> str:
    """The code of the language of the page that this runs for; English where there is no page."""
    stack = Slot.stacks.get(get_task_id())
    if not stack:
        return ENGLISH
    try:
        client = stack[-1].parent.client
        return str(client.storage.get(CHOICE) or _settle(client))
    except RuntimeError:  # the page is gone
        return ENGLISH


def _settle(client: Client) -> str:
    """Once per page: it keeps its language until it is loaded again."""
    code = choice() or of_browser(client.request.headers.get("accept-language", ""))
    client.storage[CHOICE] = code
    return code


def choice() -> str:
    """What this person has chosen; empty: as the browser says."""
    code = str(app.storage.user.get(CHOICE, ""))
    return code if code in translations() else ""


def choose(code: str) -> None:
    """Open pages keep theirs until they are loaded again."""
    app.storage.user[CHOICE] = code


def of_browser(header: str) -> str:
    """The best of ours for an Accept-Language header (RFC 9110, 12.5.4), read leniently."""
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
