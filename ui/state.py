"""State of one browser tab. `apply` is its only writer: the newest revision wins, older ones are dropped."""

from dataclasses import dataclass, field, replace

from nicegui import binding

from services.core.model import Generation, Kind, Phase, TraceEntry
from ui.text import labels

MAX_KNOWN = 400
"""Generations a tab holds; the oldest are evicted."""


@binding.bindable_dataclass
class Status:
    """Status of the generation on the stage."""

    status: str = "idle"
    """idle, pending, processing, completed or error."""
    progress: int | None = None
    """0-100; None is unknown."""
    message: str = ""
    estimated_s: float | None = None
    """Typical work on a similar generation on this install, without the backend's queue; None without
    history.
    """
    project_id: str = ""
    """The chat it belongs to, if any."""
    request_id: str = ""
    file_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One accepted snapshot; `before` is the one this tab held, None for an unknown generation."""

    before: Generation | None
    after: Generation


@binding.bindable_dataclass
class TabState:
    kind: Kind | None = None
    """The kind that the tab's lists hold; None is any."""
    generation_status: Status = field(default_factory=Status)
    current_generation: Generation | None = None
    generated_videos: list[Generation] = field(default_factory=list)
    """Finished generations, newest first; images on the image page."""
    is_generating: bool = False
    """Whether this tab's newest generation is running and not yet overdue."""
    is_connected: bool = False
    connection_status: str = "disconnected"
    """disconnected, connecting or connected: the event stream of the generation on the stage."""
    known: dict[str, Generation] = field(default_factory=dict)
    newest_id: str = ""

    def apply(
        self,
        update: Generation | TraceEntry | None,
        *,
        stage: bool = False,
        newest: bool = False,
        estimated_s: float | None = None,
    ) -> Change | None:
        """Applies a snapshot or a trace entry; None clears the stage.

        `stage` puts the snapshot on the stage, with `estimated_s`; `newest` marks it as this tab's newest.
        Returns the change, or None if the snapshot is not newer than the known one.
        """
        if isinstance(update, TraceEntry):
            self._apply_trace(update)
            return None
        if update is None:
            self._set_stage(None)
            return None
        change = self._store(update)
        latest = self.known.get(update.id, update)
        if newest:
            self.newest_id = latest.id
        if stage or (self.current_generation is not None and self.current_generation.id == latest.id):
            self._set_stage(latest)
        if stage:
            self.generation_status.estimated_s = estimated_s
        if latest.id == self.newest_id:
            self.is_generating = not latest.final and latest.trashed_at is None and latest.late_since is None
        return change

    def stage_id(self) -> str:
        """Returns the id of the generation on the stage; empty without one."""
        return self.current_generation.id if self.current_generation is not None else ""

    def of_kind(self, kind: Kind) -> list[Generation]:
        """Returns the known generations that are not in the trash, newest first."""
        known = [one for one in self.known.values() if one.request.kind is kind and one.trashed_at is None]
        return sorted(known, key=lambda one: one.created_at, reverse=True)

    def _store(self, update: Generation) -> Change | None:
        before = self.known.get(update.id)
        if before is not None and update.revision <= before.revision:
            return None
        after = _with_monotonic_progress(before, update)
        self.known[update.id] = after
        while len(self.known) > MAX_KNOWN:
            del self.known[next(iter(self.known))]
        if before is None or (before.phase, before.trashed_at, before.poster) != (
            after.phase,
            after.trashed_at,
            after.poster,
        ):
            self._update_list(after)
        return Change(before=before, after=after)

    def _update_list(self, generation: Generation) -> None:
        if self.kind is not None and generation.request.kind is not self.kind:
            return
        listed = [one for one in self.generated_videos if one.id != generation.id]
        if generation.phase is Phase.COMPLETED and generation.trashed_at is None:
            listed = sorted([generation, *listed], key=lambda one: one.created_at, reverse=True)
        if listed != self.generated_videos:
            self.generated_videos = listed

    def _set_stage(self, generation: Generation | None) -> None:
        if generation is not None and generation.trashed_at is not None:
            generation = None
        before, self.current_generation = self.current_generation, generation
        status = self.generation_status
        if generation is None or before is None or before.id != generation.id:
            self._set_connection("disconnected")
            status.project_id = "" if generation is None else generation.request.chat_id or ""
            status.request_id = "" if generation is None else generation.request_id
            status.file_id = "" if generation is None else generation.id
            status.estimated_s = None
        elif generation.final and self.connection_status != "disconnected":
            self._set_connection("disconnected")
        status.status = "idle" if generation is None else generation.status
        status.progress = None if generation is None else generation.percent
        if generation is None or before is None or _message_key(before) != _message_key(generation):
            status.message = "" if generation is None else labels.message(generation)

    def _apply_trace(self, entry: TraceEntry) -> None:
        current = self.current_generation
        if current is None or entry.generation_id != current.id or current.final or entry.lane != "push":
            return
        if entry.event in CONNECTION_STATUS:
            self._set_connection(CONNECTION_STATUS[entry.event])

    def _set_connection(self, status: str) -> None:
        self.connection_status = status
        self.is_connected = status == "connected"


CONNECTION_STATUS = {
    "opening": "connecting",
    "open": "connected",
    "event": "connected",
    "lost": "disconnected",
}


def _message_key(generation: Generation) -> tuple[object, ...]:
    """Returns all that the status message depends on; progress is not part of it."""
    return (generation.id, generation.phase, generation.stage, generation.stop_requested_at)


def _with_monotonic_progress(before: Generation | None, after: Generation) -> Generation:
    """Keeps progress from going backwards while the same job runs."""
    if before is None or before.progress is None or after.job_id != before.job_id:
        return after
    if after.progress is not None and after.progress >= before.progress:
        return after
    return replace(after, progress=before.progress)
