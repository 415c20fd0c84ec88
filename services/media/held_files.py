"""Holds files that came whole but could not be verified, one for each generation, until it is complete."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from services.core.model import Problem
from services.core.phase_messages import PROBLEMS
from services.media.storage.folder import MediaFolder, disk_errors
from services.media.storage.part_file import Fingerprint, measure
from services.media.threads import in_thread

BEST_FIRST = ("undecodable", "decoder_failed", "cut_off", "film", "picture", "unknown")
"""Any other code is worse than all of these."""


@dataclass(slots=True, kw_only=True)
class Held:
    path: Path
    fingerprint: Fingerprint
    problem: Problem
    extension: str
    seen: set[str] = field(default_factory=set)
    """Hashes of all that came for the generation and could not be verified."""

    @property
    def rank(self) -> tuple[int, int]:
        code = self.problem.code
        worse = BEST_FIRST.index(code) if code in BEST_FIRST else len(BEST_FIRST)
        return -worse, self.fingerprint.size_bytes


class HeldFiles:
    """They lie beside the parts, as `<generation>.<code>.<extension>.held`, and outlive a restart."""

    def __init__(self, folder: MediaFolder) -> None:
        self._folder = folder
        self._held: dict[str, Held] = {}
        self._paths: dict[str, set[Path]] | None = None
        self._changing = asyncio.Lock()

    async def offer(self, generation_id: str, part: Path, offered: Held) -> bool:
        """Holds the part, or the better of two; returns whether the very same bytes came before."""
        async with self._changing:
            known, sha256 = await self._find(generation_id), offered.fingerprint.sha256
            if known is None:
                await self._replace(generation_id, part, offered)
                return False
            repeated = sha256 in known.seen
            known.seen.add(sha256)
            if sha256 == known.fingerprint.sha256 or (not repeated and known.rank >= offered.rank):
                await self._folder.discard(part)
            else:
                offered.seen = known.seen
                await self._replace(generation_id, part, offered)
            return repeated

    async def get(self, generation_id: str) -> Held | None:
        async with self._changing:
            return await self._find(generation_id)

    async def release(self, generation_id: str) -> None:
        async with self._changing:
            paths = await self._all_paths()
            self._held.pop(generation_id, None)
            for path in paths.pop(generation_id, ()):
                await self._folder.discard(path)

    async def ids(self) -> set[str]:
        """Of all generations that have one."""
        async with self._changing:
            return set(await self._all_paths())

    async def _replace(self, generation_id: str, part: Path, offered: Held) -> None:
        name = f"{generation_id}.{offered.problem.code}.{offered.extension}"
        offered.path = await self._folder.hold(part, name)
        offered.seen.add(offered.fingerprint.sha256)
        self._held[generation_id] = offered
        paths = await self._all_paths()
        former = paths.get(generation_id, set()) - {offered.path}
        paths[generation_id] = {offered.path}
        for path in former:
            await self._folder.discard(path)

    async def _find(self, generation_id: str) -> Held | None:
        """After a restart, and a crash between two of its steps, the best of those that are there."""
        if generation_id not in self._held:
            paths = (await self._all_paths()).get(generation_id, set())
            found = [await in_thread(_read, path) for path in paths]
            if not found:
                return None
            self._held[generation_id] = max(found, key=lambda each: each.rank)
        return self._held[generation_id]

    async def _all_paths(self) -> dict[str, set[Path]]:
        if self._paths is None:
            self._paths = {}
            for path in await self._folder.held_files():
                self._paths.setdefault(path.name.partition(".")[0], set()).add(path)
        return self._paths


def _read(path: Path) -> Held:
    _, code, extension, _ = path.name.split(".")
    code = code if code in PROBLEMS else "undecodable"
    with disk_errors():
        fingerprint = measure(path)
    problem = Problem(code=code, reason=PROBLEMS[code])
    return Held(
        path=path,
        fingerprint=fingerprint,
        problem=problem,
        extension=extension,
        seen={fingerprint.sha256},
    )
