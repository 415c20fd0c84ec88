"""A mutant: one rule broken on purpose, as a small unified diff with a header.

    R9: what it breaks, in plain words.

    Killed-by: tests/services/store/test_store.py::test_a_claim_makes_every_older_watcher_powerless

A hunk is found by its text instead of its line numbers, so that it survives changes around it; the text must occur
exactly once in the file. To renew one, break the rule in the tree, put the output of `git diff -U1` under the header,
and undo the change.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
_SUBJECT = re.compile(r"(R\d+): (\S.*)")
_KILLER = re.compile(r"Killed-by: (\S.*)")
_SAME_FROM = re.compile(r"Same-from: Python (\d+)\.(\d+)")


class DoesNotApply(Exception):
    """The code has changed: the patch must be renewed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    path: str
    before: str
    after: str

    def apply(self, root: Path) -> None:
        path = root / self.path
        text = f"\n{path.read_text()}" if path.is_file() else ""
        found = text.count(f"\n{self.before}")
        if found != 1:
            raise DoesNotApply(f"{self.path} has this {found} times, not once:\n{self.before}")
        path.write_text(text.replace(f"\n{self.before}", f"\n{self.after}")[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    name: str
    rule: str
    breaks: str
    killers: tuple[str, ...]
    """Node ids, the most likely killer first."""
    same_from: tuple[int, int] | None
    """From this Python version on it changes nothing."""
    hunks: tuple[Hunk, ...]

    @contextlib.contextmanager
    def applied(self, root: Path) -> Iterator[None]:
        """Raises DoesNotApply; restores the files afterwards."""
        paths = {root / hunk.path for hunk in self.hunks}
        before = {path: path.read_bytes() for path in paths if path.is_file()}
        try:
            for hunk in self.hunks:
                hunk.apply(root)
            yield
        finally:
            for path, content in before.items():
                path.write_bytes(content)


def mutants() -> dict[str, Mutant]:
    """All mutants by name, in the order of the rules."""
    found = [read(path) for path in FOLDER.glob("*.patch")]
    return {one.name: one for one in sorted(found, key=lambda one: (int(one.rule[1:]), one.name))}


def read(path: Path) -> Mutant:
    """Raises ValueError for a malformed patch."""
    head, _, diff = path.read_text().partition("\n--- ")
    subject = _SUBJECT.match(head)
    killers = tuple(_KILLER.findall(head))
    hunks = tuple(_hunks(f"--- {diff}".splitlines()))
    if not (subject and killers and hunks):
        raise ValueError(f"{path.name} needs a rule with what it breaks, a Killed-by line, and a hunk.")
    same_from = _SAME_FROM.search(head)
    return Mutant(
        name=path.stem,
        rule=subject[1],
        breaks=subject[2],
        killers=killers,
        same_from=(int(same_from[1]), int(same_from[2])) if same_from else None,
        hunks=hunks,
    )


def _hunks(lines: list[str]) -> Iterator[Hunk]:
    path, before, after = "", "", ""
    for line in [*lines, "@@ the end"]:
        if line.startswith(("--- ", "+++ ", "@@ ")):
            if before:
                yield Hunk(path=path, before=before, after=after)
            before = after = ""
            path = line.removeprefix("+++ b/") if line.startswith("+++ ") else path
            continue
        if not line.startswith("+"):
            before += f"{line[1:]}\n"
        if not line.startswith("-"):
            after += f"{line[1:]}\n"
