"""Finds the product's regular expressions in its source, and writes the inputs that slow each of them most."""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _parser as sre  # type: ignore[attr-defined]
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCES = ("services", "ui", "main.py")
CALLS = frozenset({"compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"})
SIZE = 10_000
ANY_CHARACTERS = "a1 -_./:,;'\"\n\\<[]{}(=%!?й風A@&#\t"
REPRESENTATIVES = 3
"""Characters tried of each class."""
MAX_PUMPS = 500
ROUNDS = ((22, 400), (150, 60), (1_000, 15), (SIZE, 1))
"""Sizes, and how many of the slowest inputs go on to the next."""
TAILS = ("\x00", "й!\n", "1")


@dataclass(frozen=True, slots=True)
class Expression:
    where: str
    pattern: re.Pattern[Any]


def sources(root: Path = ROOT) -> list[Path]:
    places = [root / name for name in SOURCES]
    return [file for place in places for file in (sorted(place.rglob("*.py")) if place.is_dir() else [place])]


def expressions_of(file: Path, root: Path = ROOT) -> list[Expression]:
    """Every one of a file: compiled at import, inline in a function, or the `pattern=` of a field.

    Raises NameError for one that is composed inside a function: it cannot be read from the source.
    """
    tree = ast.parse(file.read_text())
    found = {}
    name = ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    if any(_uses_re(node) for node in ast.walk(tree)):
        inside = {
            id(node) for each in ast.walk(tree) if isinstance(each, FUNCTIONS) for node in ast.walk(each)
        }
        calls = [node for node in ast.walk(tree) if _is_call(node)]
        for call in calls:
            if id(call) in inside:
                pattern = _evaluated(call, name)
                found[pattern] = f"{file.relative_to(root)}:{call.lineno}"
        if any(id(call) not in inside for call in calls):
            for variable, value in vars(importlib.import_module(name)).items():
                for pattern in _patterns_in(value):
                    found.setdefault(pattern, f"{file.relative_to(root)}:{variable}")
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "pattern" and isinstance(node.value, ast.Constant):
            found[re.compile(str(node.value.value))] = f"{file.relative_to(root)}:{node.value.lineno}"
    return [Expression(where, pattern) for pattern, where in found.items()]


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _uses_re(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom) and node.module == "re":
        raise NameError("Import `re` itself, so that its calls can be found.")
    return isinstance(node, ast.Import) and any(each.name == "re" for each in node.names)


def _is_call(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in CALLS
    )


def _evaluated(call: ast.Call, module: str) -> re.Pattern[Any]:
    flags = [each.value for each in call.keywords if each.arg == "flags"]
    names = {"re": re}
    if not isinstance(call.args[0], ast.Constant):
        names |= vars(importlib.import_module(module))
    pattern, flag = (
        eval(compile(ast.Expression(each), "<pattern>", "eval"), names) if each is not None else 0
        for each in (call.args[0], (flags or _positional_flags(call) or [None])[0])
    )
    return re.compile(pattern, flag)


def _positional_flags(call: ast.Call) -> list[ast.expr]:
    return [
        each
        for each in call.args[1:]
        if any(
            isinstance(one, ast.Attribute) and ast.unparse(one).startswith("re.") for one in ast.walk(each)
        )
    ]


def _patterns_in(value: object, depth: int = 3) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, dict):
        for each in value.values():
            yield from _patterns_in(each, depth - 1)
    elif depth and isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _patterns_in(each, depth - 1)


def slowest_s(pattern: re.Pattern[Any], limit_s: float = 0.05) -> tuple[float, str]:
    """The most time that any input takes, and that input; stops at the first above the limit.

    All inputs are tried short; those that were slowest then are tried longer, up to SIZE.
    """
    inputs = worst_inputs(pattern)
    for size, kept in ROUNDS:
        timed = []
        for each in inputs:
            timed.append((_took_s(pattern, text := each.text(size), limit_s), text, each))
            if timed[-1][0] > limit_s:
                break
        timed.sort(key=lambda row: -row[0])
        inputs = [each for _, _, each in timed[:kept]]
        if timed[0][0] > limit_s:
            break
    took_s, text, _ = timed[0]
    return took_s, f"{text[:60]!r} … {text[-8:]!r}"


def _took_s(pattern: re.Pattern[Any], text: str, limit_s: float) -> float:
    """Of slow ones the best of three."""
    subject: Any = (
        text.encode("utf-8", "replace")[: len(text)] if isinstance(pattern.pattern, bytes) else text
    )
    took_s: list[float] = []
    for _ in range(3):
        begun = time.thread_time()
        for _found in pattern.finditer(subject):
            pass
        pattern.fullmatch(subject)
        took_s.append(time.thread_time() - begun)
        if took_s[-1] < limit_s / 2:
            break
    return min(took_s)


@dataclass(frozen=True, slots=True)
class Repeated:
    """An input of any size: `pump` again and again."""

    before: str
    pump: str
    tail: str

    def text(self, size: int) -> str:
        room = max(0, size - len(self.before) - len(self.tail))
        return self.before + (self.pump * (room // len(self.pump) + 1))[:room] + self.tail


def worst_inputs(pattern: re.Pattern[Any]) -> list[Repeated]:
    """Each part of the expression repeated, alone and behind all that comes before it, and never ending well."""
    written = pattern.pattern
    text = written.decode("latin-1") if isinstance(written, bytes) else written
    flags = pattern.flags & ~re.UNICODE if isinstance(written, bytes) else pattern.flags
    pumps = list(dict.fromkeys(_pumps(list(sre.parse(text, flags)), "")))
    step = max(1, len(pumps) // MAX_PUMPS)
    return [Repeated(*each, tail) for each in pumps[::step] for tail in TAILS]


def _pumps(sequence: list[Any], before: str) -> Iterator[tuple[str, str]]:
    """What comes before, and what is repeated."""
    for place, item in enumerate(sequence):
        here = "".join(_samples([each])[0] for each in sequence[:place])
        lead, own = before + here, _samples([item])
        for sample in own:
            if sample:
                yield lead, sample
                yield "", sample
                yield "", f"{sample} "
                yield "", here + sample
        for after in _samples(sequence[place + 1 : place + 2]):
            for sample in own[:REPRESENTATIVES]:
                if sample + after:
                    yield lead, sample + after
                    yield "", sample + after
        for inner in _inner(item):
            yield from _pumps(inner, lead)
    if whole := "".join(_samples([each])[0] for each in sequence):
        yield "", whole
        yield "", f"{whole} "


def _inner(item: Any) -> list[list[Any]]:
    operation, value = str(item[0]), item[1]
    match operation:
        case "BRANCH":
            return [list(each) for each in value[1]]
        case "SUBPATTERN":
            return [list(value[3])]
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return [list(value[2])]
        case "ATOMIC_GROUP":
            return [list(value)]
        case "ASSERT" | "ASSERT_NOT":
            return [list(value[1])]
    return []


def _samples(sequence: list[Any]) -> list[str]:
    """Texts that the items match, the plainest first."""
    if not sequence:
        return [""]
    if len(sequence) > 1:
        parts = [_samples([each]) for each in sequence]
        most = min(REPRESENTATIVES, max(len(each) for each in parts))
        return list(dict.fromkeys("".join(each[n % len(each)] for each in parts) for n in range(most)))
    operation, value = str(sequence[0][0]), sequence[0][1]
    match operation:
        case "LITERAL":
            return [chr(value)]
        case "NOT_LITERAL" | "ANY" | "IN":
            wanted = [each for each in _members(operation, value) if each]
            return wanted[:REPRESENTATIVES] or ["a"]
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, _most, inner = value
            return [each * max(1, min(least, 30)) for each in _samples(list(inner))]
        case "BRANCH" | "SUBPATTERN" | "ATOMIC_GROUP":
            return list(dict.fromkeys(each for inner in _inner(sequence[0]) for each in _samples(inner)))
    return [""]


def _members(operation: str, value: Any) -> list[str]:
    if operation == "ANY":
        return ["a", " ", "-"]
    if operation == "NOT_LITERAL":
        return [each for each in ANY_CHARACTERS if ord(each) != value]
    first, last = [], []
    for kind, what in value:
        match str(kind):
            case "LITERAL":
                last.append(chr(what))
            case "RANGE":
                first.append(chr(what[0]))
            case "CATEGORY":
                first.append({"WORD": "a", "SPACE": " ", "DIGIT": "1"}.get(str(what).rpartition("_")[2], "a"))
            case "NEGATE":
                one = re.compile("[^" + "".join(map(re.escape, _members("IN", value[1:]))) + "]")
                return [each for each in ANY_CHARACTERS if one.match(each)]
    return [*first[:1], *last[:1], *first[1:], *last[-1:]]
