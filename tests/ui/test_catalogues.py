"""Each text of the code is translated in each catalogue, and Accept-Language is parsed."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from tests.support import catalogues
from ui.text import languages

HELP = "Run `make words`, translate what it names in ui/text/{name}.po, and run it again."


@pytest.mark.parametrize("path", catalogues.CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_has_each_text_of_the_code_and_no_other(path: Path) -> None:
    extracted = {message.id for message in catalogues.extracted() if message.id}
    known = {message.id for message in catalogues.read(path) if message.id}
    help = HELP.format(name=path.stem)
    assert extracted - known == set(), f"Texts that {path.name} does not know. {help}"
    assert known - extracted == set(), f"Texts in {path.name} that the code does not say any more. {help}"


@pytest.mark.parametrize("path", catalogues.CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_leaves_nothing_untranslated(path: Path) -> None:
    catalogue = catalogues.read(path)
    for message in catalogue:
        if message.id:
            assert not message.fuzzy, f"{message.id!r} is marked fuzzy. {HELP.format(name=path.stem)}"
            forms = translations_of(message)
            wanted = catalogue.num_plurals if message.pluralizable else 1
            assert len(forms) == wanted and all(forms), f"{message.id!r}: {HELP.format(name=path.stem)}"


@pytest.mark.parametrize("path", catalogues.CATALOGUES, ids=lambda path: path.stem)
def test_a_translation_names_the_same_values(path: Path) -> None:
    for message in catalogues.read(path):
        if message.id:
            texts = message.id if message.pluralizable else (message.id,)
            for form in translations_of(message):
                assert placeholders_in(form) == placeholders_in(texts[-1]), (
                    f"{path.name}: {texts[-1]!r} as {form!r}"
                )


@pytest.mark.parametrize("path", catalogues.CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_is_formatted_as_make_words_writes_it(path: Path) -> None:
    assert path.read_text() == catalogues.written(catalogues.read(path)), "Run `make words`."


def test_no_text_bypasses_the_catalogues() -> None:
    found = [one for path in catalogues.sources() for one in catalogues.unmarked(path)]
    assert found == [], (
        "Mark it with _ (in services: Words), and name values in braces instead of an f-string."
    )


def test_texts_that_bypass_the_catalogues_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text(
        '_(f"{n} left")\nui.label("Done")\nraise NotFound(f"No {x}.")\nx.props["title"] = "Go"\nx.text = "Go"\nui.label("·")\n'
    )
    assert len(list(catalogues.unmarked(page))) == 5


def test_texts_inside_another_call_are_found_too() -> None:
    assert "event" in catalogues.extracted()


def translations_of(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def placeholders_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("en;q=0.5, RU-ru;q=0.8", "ru"),
        ("de-DE,de;q=0.9", "en"),
        ("de,ru;q=0.7,en;q=0.3", "ru"),
        ("ru;q=0,en", "en"),
        ("ru;q=nonsense", "en"),
        ("*;q=0.1,,;;q=, ,rutabaga", "en"),
    ],
)
def test_the_browsers_list_decides(header: str, code: str) -> None:
    assert languages.from_accept_language(header) == code
