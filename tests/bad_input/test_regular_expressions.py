"""No input makes a regular expression of the product slow: each is read from the source and tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import expressions

LIMIT_S = 0.05
FILES = [file for file in expressions.sources() if re.search(r"^import re$", file.read_text(), re.M)]
FIELDS = [file for file in expressions.sources() if "pattern=" in file.read_text() and file not in FILES]


@pytest.mark.parametrize("file", [*FILES, *FIELDS], ids=lambda file: str(file.relative_to(expressions.ROOT)))
def test_no_expression_takes_longer_than_50_ms_for_10000_characters(file: Path) -> None:
    for expression in expressions.expressions_of(file):
        took_s, text = expressions.slowest_s(expression.pattern, LIMIT_S)
        print(f"{took_s * 1000:7.2f} ms  {expression.where}")
        assert took_s < LIMIT_S, f"{expression.where}: {took_s * 1000:.0f} ms for {text}"


@pytest.mark.parametrize(
    "slow",
    [
        r"(a+)+$", r"\s+$", r"\b([\w-]*secret[\w-]*)=", r"[a-z]+:", r"\[[0-9:]*:[0-9:]+\]", r"draw\s+(?:me)?\s+x",
        r"(?:and\s+)*stop", r"eyJ[\w-]+\.", r"\d+\s*-?\s*s", r"ночн[а-я]+(?!\w)",
    ],
)  # fmt: skip
def test_a_new_slow_expression_is_found_in_the_source(tmp_path: Path, slow: str) -> None:
    source = tmp_path / "new.py"
    source.write_text(
        f"import re\n\n\ndef has(text: str) -> bool:\n    return bool(re.search(r'{slow}', text))\n"
    )
    (expression,) = expressions.expressions_of(source, tmp_path)
    took_s, _text = expressions.slowest_s(expression.pattern, LIMIT_S)
    assert took_s > LIMIT_S


def test_an_expression_composed_in_a_function_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "composed.py"
    source.write_text(
        "import re\n\n\ndef has(text: str, word: str) -> bool:\n    return bool(re.search(word, text))\n"
    )
    with pytest.raises((NameError, ModuleNotFoundError)):
        expressions.expressions_of(source, tmp_path)
