"""What ONE tab shows. `take` is its only writer: the newest revision wins, older ones are dropped."""

from __future__ import annotations

from dataclasses import dataclass, field

from nicegui import binding

from services.core.model import Generation, Kind, Phase, TraceEntry, replace
from ui.text import labels

REMEMBERED = 400
"""Generations a tab keeps in mind; the oldest are forgotten."""


@binding.bindable_dataclass
class Status:
    """Of the generation on the stage."""

    status: str = "idle"
    """idle, pending, processing, completed or error."""
    progress: int | None = None
    """0-100; None is unknown."""
    message: str = ""
    estimated_s: float | None = None
    """How long such a one typically takes here, from its start; None without history."""
    project_id: str = ""
    """The chat it belongs to, if any."""
    request_id: str = ""
    file_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One accepted snapshot; `before` is what this tab knew, None for a newcomer."""

    before: Generation | None
    after: Generation


@binding.bindable_dataclass
class TabState:
    kind: Kind | None = None
    """Which kind the tab's lists hold; None is any."""
    generation_status: Status = field(default_factory=Status)
    current_generation: Generation | None = None
    generated_videos: list[Generation] = field(default_factory=list)
    """The finished ones, newest first; for the image tool they are images."""
    is_generating: bool = False
    """This tab's newest generation is under way and younger than the message of C4."""
    is_connected: bool = False
    connection_status: str = "disconnected"
    """disconnected, connecting or connected: the stream of the generation on the stage."""
    known: dict[str, Generation] = field(default_factory=dict)
    newest_id: str = ""

    def take(
        self,
        news: Generation | TraceEntry | None,
        *,
        stage: bool = False,
        newest: bool = False,
        estimated_s: float | None = None,
    ) -> Change | None:
        """Take a snapshot or a trace entry in; `stage` also puts it on the stage, where None clears it.

        `estimated_s` belongs to what is put on the stage; `newest` marks it as this tab's newest.
        The change, or None for what was not newer than known.
        """
        if isinstance(news, TraceEntry):
            self._hear(news)
            return None
        if news is None:
            self._put_on_stage(None)
            return None
        change = self._remember(news)
        held = self.known.get(news.id, news)
        if newest:
            self.newest_id = held.id
        if stage or (self.current_generation is not None and self.current_generation.id == held.id):
            self._put_on_stage(held)
        if stage:
            self.generation_status.estimated_s = estimated_s
        if held.id == self.newest_id:
            self.is_generating = not held.final and held.trashed_at is None and held.late_since is None
        return change

    def of_kind(self, kind: Kind) -> list[Generation]:
        """All that is known and not deleted, newest first."""
        known = [one for one in self.known.values() if one.request.kind is kind and one.trashed_at is None]
        return sorted(known, key=lambda one: one.created_at, reverse=True)

    def _remember(self, news: Generation) -> Change | None:
        before = self.known.get(news.id)
        if before is not None and news.revision <= before.revision:
            return None
        after = _never_backwards(before, news)
        self.known[news.id] = after
        while len(self.known) > REMEMBERED:
            del self.known[next(iter(self.known))]
        if before is None or (before.phase, before.trashed_at, before.poster) != (
            after.phase,
            after.trashed_at,
            after.poster,
        ):
            self._list(after)
        return Change(before=before, after=after)

    def _list(self, generation: Generation) -> None:
        if self.kind is not None and generation.request.kind is not self.kind:
            return
        others = [one for one in self.generated_videos if one.id != generation.id]
        if generation.phase is Phase.COMPLETED and generation.trashed_at is None:
            others = sorted([generation, *others], key=lambda one: one.created_at, reverse=True)
        if others != self.generated_videos:
            self.generated_videos = others

    def _put_on_stage(self, generation: Generation | None) -> None:
        if generation is not None and generation.trashed_at is not None:
            generation = None
        before, self.current_generation = self.current_generation, generation
        status = self.generation_status
        if generation is None or before is None or before.id != generation.id:
            self._connect("disconnected")
            status.project_id = "" if generation is None else generation.request.chat_id or ""
            status.request_id = "" if generation is None else generation.request_id
            status.file_id = "" if generation is None else generation.id
            status.estimated_s = None
        elif generation.final and self.connection_status != "disconnected":
            self._connect("disconnected")
        status.status = "idle" if generation is None else generation.status
        status.progress = None if generation is None else shown_progress(generation)
        if generation is None or before is None or _tells(before) != _tells(generation):
            status.message = "" if generation is None else labels.message(generation)

    def _hear(self, entry: TraceEntry) -> None:
        current = self.current_generation
        if current is None or entry.generation_id != current.id or current.final or entry.lane != "push":
            return
        if entry.event in CONNECTIONS:
            self._connect(CONNECTIONS[entry.event])

    def _connect(self, status: str) -> None:
        self.connection_status = status
        self.is_connected = status == "connected"


CONNECTIONS = {
    "opening": "connecting",
    "open": "connected",
    "event": "connected",
    "lost": "disconnected",
}


def shown_progress(generation: Generation) -> int | None:
    """0-100 as on the screen."""
    if generation.phase is Phase.COMPLETED:
        return 100
    return labels.percent(generation.progress)


def _tells(generation: Generation) -> tuple[object, ...]:
    """What the message hangs on; progress does not change it."""
    return (generation.id, generation.phase, generation.stage, generation.stop_requested_at)


def _never_backwards(before: Generation | None, after: Generation) -> Generation:
    """Progress only grows while the same job runs."""
    if before is None or before.progress is None or after.job_id != before.job_id:
        return after
    if after.progress is not None and after.progress >= before.progress:
        return after
    return replace(after, progress=before.progress)
