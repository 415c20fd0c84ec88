"""Bring the catalogues up to date with the code: `make words`."""

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
SPOKEN = ("InvalidRequest", "NoModels", "NotFound", "StoreFailed", "Conflict", "Sentence")
"""The errors whose sentences come to a page, and Sentence; their first argument is such a sentence."""
KEYWORDS = {
    "_": None,
    "deferred": None,
    "Words": None,
    "ngettext": (1, 2),
    "forms": (1, 2),
    **dict.fromkeys(SPOKEN, (1,)),
}
SHOWING = (
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
SPOKEN_PROPS = ("aria-label", "title", "placeholder", "alt")
NAMES = ("Rushes", "Ctrl ↵")
ELSEWHERE = ("services/animatic", "services/api")
"""Their sentences are for programs: English."""
HEAD = ("Language:", "Plural-Forms:", "MIME-Version:", "Content-Type:", "Content-Transfer-Encoding:")
"""The head's other lines change with each run and would collide when two people add words."""


def sources() -> Iterator[Path]:
    for folder in ("ui", "services"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not path.relative_to(ROOT).as_posix().startswith(ELSEWHERE):
                yield path


def extracted() -> Catalog:
    """All that the code says to a person."""
    said = Catalog(charset="utf-8")
    for path in sources():
        for _line, message, _comments, _context in extract_from_file(by_syntax, path, keywords=KEYWORDS):
            said.add(message)
    return said


Found = tuple[int, str, str | tuple[str, ...], list[str]]


def by_syntax(
    file: BinaryIO, keywords: Collection[str], comment_tags: object, options: object
) -> Iterator[Found]:
    """A method for Babel, whose own goes by tokens and misses a call inside another call."""
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
    """Sorted, each text on one line, nothing that changes by itself: parallel work merges."""
    text = BytesIO()
    write_po(text, catalogue, width=0, no_location=True, sort_output=True, ignore_obsolete=True)
    lines = text.getvalue().decode().splitlines(keepends=True)
    return "".join(
        line for line in lines if not _is_head(line) or line.startswith(tuple(f'"{one}' for one in HEAD))
    )


def _is_head(line: str) -> bool:
    name, colon, _rest = line.partition(": ")
    return (
        bool(colon)
        and line.startswith('"')
        and name[1:].replace("-", "").isalpha()
        and line.endswith('\\n"\n')
    )


def unmarked(path: Path) -> Iterator[str]:
    """Sentences that no catalogue can hold: built on the spot, or shown as they stand."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.JoinedStr() | ast.BinOp() as text, *_]):
                if name in KEYWORDS:
                    yield f"{path.name}:{node.lineno}: {ast.unparse(text)}"
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(text)), *_]
            ) if name in SHOWING:
                if _reads(text):
                    yield f"{path.name}:{node.lineno}: {text}"
            case ast.Assign(
                targets=[ast.Subscript(slice=ast.Constant(value=name))], value=ast.Constant(value=str(text))
            ) if name in SPOKEN_PROPS:
                if _reads(text):
                    yield f"{path.name}:{node.lineno}: {text}"
            case ast.Assign(targets=[ast.Attribute(attr="text")], value=ast.Constant(value=str(text))):
                if _reads(text):
                    yield f"{path.name}:{node.lineno}: {text}"


def _reads(text: str) -> bool:
    return any(letter.isalpha() for letter in text) and text not in NAMES


def main() -> None:
    said = extracted()
    for path in CATALOGUES:
        catalogue = read(path)
        catalogue.update(said, no_fuzzy_matching=True)
        path.write_text(written(catalogue))
        waiting = [message for message in catalogue if message.id and not _is_translated(message.string)]
        print(f"{path.relative_to(ROOT)}: {len(catalogue)} texts, {len(waiting)} to translate")
        for message in waiting:
            print(f"  {message.id}")


def _is_translated(text: str | tuple[str, ...] | list[str]) -> bool:
    return bool(text) if isinstance(text, str) else bool(text) and all(text)


if __name__ == "__main__":
    main()
