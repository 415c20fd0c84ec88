"""The words: services give codes and values, `ui` gives sentences. Catalogues lie beside this file."""

import gettext
from pathlib import Path

__all__ = ["_", "deferred", "ngettext"]

CATALOGUE = gettext.translation("rushes", localedir=Path(__file__).parent, fallback=True)
_ = CATALOGUE.gettext
ngettext = CATALOGUE.ngettext


def deferred(sentence: str) -> str:
    """Mark a sentence of a table for the catalogues; it goes through `_` where it is shown."""
    return sentence
