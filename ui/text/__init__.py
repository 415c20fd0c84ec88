"""Sentences for the codes and values of services, in the page's language; it never decides what happens.

Translation happens when a function runs, for the current page, so none may be called at import time.
"""

from functools import cache

from babel import Locale

from ui.text.languages import language, translations

__all__ = ["_", "deferred", "forms", "ngettext"]


def _(sentence: str) -> str:
    # gettext translates an empty text to the catalogue's header
    return translations()[language()].gettext(sentence) if sentence else ""


def ngettext(one: str, many: str, count: int) -> str:
    """Returns the plural form for `count`; the caller formats it."""
    return translations()[language()].ngettext(one, many, count)


def forms(one: str, many: str) -> dict[str, str]:
    """Returns all plural forms by the category names of Intl.PluralRules, for counts made in the browser."""
    code = language()
    return {name: translations()[code].ngettext(one, many, count) for name, count in _examples(code).items()}


@cache
def _examples(code: str) -> dict[str, int]:
    """Returns one example count for each plural category."""
    name_of = Locale.parse(code).plural_form
    return {name_of(count): count for count in range(101)}


def deferred(sentence: str) -> str:
    """Marks a sentence for the catalogues; it is translated by `_` where it is shown."""
    return sentence
