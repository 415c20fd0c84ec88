"""Updates the translation catalogues from the code: `make words`."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = sorted((ROOT / "ui" / "text").glob("*.po"))
SENTENCE_TYPES = ("InvalidRequest", "NoModels", "NotFound", "StoreFailed", "Conflict", "Sentence")
"""Types whose first argument is a sentence that a page shows."""
KEYWORDS = {
    "_": None,
    "deferred": None,
    "Words": None,
    "ngettext": (1, 2),
    "forms": (1, 2),
    **dict.fromkeys(SENTENCE_TYPES, (1,)),
}
DISPLAY_FUNCTIONS = (
    "label",
    "Button",
    "LinkButton",
    "toast",
    "heading",
    "quiet",
    "section",
    "options",
    "menu_item",
    "named",
)
TEXT_PROPS = ("aria-label", "title", "placeholder", "alt")
NAMES = ("Rushes", "Ctrl ↵")
EXCLUDED = ("services/animatic", "services/api")
"""Their sentences are for programs, so they stay English."""
COLUMN_LABELS = ROOT / "services" / "store"
"""SQLAlchemy's `label` names columns there."""
STABLE_HEADERS = (
    "Language:",
    "Plural-Forms:",
    "MIME-Version:",
    "Content-Type:",
    "Content-Transfer-Encoding:",
)
"""The other header lines change with each run and would conflict in merges."""


def sources() -> Iterator[Path]:
    for folder in ("ui", "services"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not path.relative_to(ROOT).as_posix().startswith(EXCLUDED):
                yield path


def extracted() -> Catalog:
    """Every text that the code shows to a person."""
    found = Catalog(charset="utf-8")
    for path in sources():
        for _line, message, _comments, _context in extract_from_file(by_syntax, path, keywords=KEYWORDS):
            found.add(message)
    return found


Found = tuple[int, str, str | tuple[str, ...], list[str]]


def by_syntax(
    file: BinaryIO, keywords: Collection[str], comment_tags: object, options: object
) -> Iterator[Found]:
    """An extraction method for Babel, whose own one misses a call nested in another call."""
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in keywords:
            texts = tuple(
                one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)
            )
            if texts:
                yield node.lineno, node.func.id, texts if len(texts) > 1 else texts[0], []


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def written(catalogue: Catalog) -> str:
    """Sorted, one line per text, nothing volatile, so that parallel changes merge."""
    text = BytesIO()
    write_po(text, catalogue, width=0, no_location=True, sort_output=True, ignore_obsolete=True)
    lines = text.getvalue().decode().splitlines(keepends=True)
    return "".join(
        line
        for line in lines
        if not _is_header(line) or line.startswith(tuple(f'"{one}' for one in STABLE_HEADERS))
    )


def _is_header(line: str) -> bool:
    name, colon, _rest = line.partition(": ")
    return (
        bool(colon)
        and line.startswith('"')
        and name[1:].replace("-", "").isalpha()
        and line.endswith('\\n"\n')
    )


def unmarked(path: Path) -> Iterator[str]:
    """Sentences that cannot be translated: formatted before the call, or not marked."""
    if path.is_relative_to(COLUMN_LABELS):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.JoinedStr() | ast.BinOp() as text, *_]):
                if name in KEYWORDS:
                    yield f"{path.name}:{node.lineno}: {ast.unparse(text)}"
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(text)), *_]
            ) if name in DISPLAY_FUNCTIONS:
                if _is_sentence(text):
                    yield f"{path.name}:{node.lineno}: {text}"
            case ast.Assign(
                targets=[ast.Subscript(slice=ast.Constant(value=name))], value=ast.Constant(value=str(text))
            ) if name in TEXT_PROPS:
                if _is_sentence(text):
                    yield f"{path.name}:{node.lineno}: {text}"
            case ast.Assign(targets=[ast.Attribute(attr="text")], value=ast.Constant(value=str(text))):
                if _is_sentence(text):
                    yield f"{path.name}:{node.lineno}: {text}"


def _is_sentence(text: str) -> bool:
    return any(letter.isalpha() for letter in text) and text not in NAMES


def main() -> None:
    found = extracted()
    for path in CATALOGUES:
        catalogue = read(path)
        catalogue.update(found, no_fuzzy_matching=True)
        path.write_text(written(catalogue))
        waiting = [message for message in catalogue if message.id and not _is_translated(message.string)]
        print(f"{path.relative_to(ROOT)}: {len(catalogue)} texts, {len(waiting)} to translate")
        for message in waiting:
            print(f"  {message.id}")


def _is_translated(text: str | tuple[str, ...] | list[str]) -> bool:
    return bool(text) if isinstance(text, str) else bool(text) and all(text)


if __name__ == "__main__":
    main()
