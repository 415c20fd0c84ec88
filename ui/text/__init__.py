"""The words: services give codes and values, `ui` gives sentences. Catalogues lie beside this file.

Each function speaks the language of the page it runs for, so none may run when a module is imported.
"""

from functools import cache

from babel import Locale

from ui.text.languages import language, translations

__all__ = ["_", "deferred", "forms", "ngettext"]


def _(sentence: str) -> str:
    # gettext answers an empty text with the catalogue's head
    return translations()[language()].gettext(sentence) if sentence else ""


def ngettext(one: str, many: str, count: int) -> str:
    """The form that `count` takes; the caller fills it in."""
    return translations()[language()].ngettext(one, many, count)


def forms(one: str, many: str) -> dict[str, str]:
    """All plural forms for a browser that counts by itself, by Intl.PluralRules' names of them."""
    code = language()
    return {name: translations()[code].ngettext(one, many, count) for name, count in _examples(code).items()}


@cache
def _examples(code: str) -> dict[str, int]:
    """A count for each plural category of the language."""
    name_of = Locale.parse(code).plural_form
    return {name_of(count): count for count in range(101)}


def deferred(sentence: str) -> str:
    """Mark a sentence of a table for the catalogues; it goes through `_` where it is shown."""
    return sentence
