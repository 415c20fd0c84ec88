"""The values everything speaks in. Times `_at` are Unix seconds (UTC); fractions are 0.0-1.0."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace

__all__ = [
    "FINAL",
    "NEXT",
    "Channel",
    "Draft",
    "Failure",
    "Generation",
    "GenerationQuery",
    "GenerationSettings",
    "JobUpdate",
    "Kept",
    "Kind",
    "Model",
    "Outcome",
    "Phase",
    "Receipt",
    "Request",
    "Result",
    "TraceEntry",
    "replace",
]

LOCAL_OWNER = "local"


class Kind(enum.StrEnum):
    VIDEO = "video"
    IMAGE = "image"


class Channel(enum.StrEnum):
    PUSH = "push"
    POLL = "poll"


class Phase(enum.StrEnum):
    PENDING = "pending"  # committed; nothing has been sent
    SUBMITTING = "submitting"  # the paid request may be on its way
    UNCONFIRMED = "unconfirmed"  # sent, and nobody knows whether it was taken
    PROCESSING = "processing"  # the backend has it; both channels listen
    COLLECTING = "collecting"  # a result is known, its bytes are being fetched
    COMPLETED = "completed"  # bytes verified and kept
    ERROR = "error"  # the backend, or we, said it failed
    DROPPED = "dropped"  # stopped by a person


FINAL = frozenset({Phase.COMPLETED, Phase.ERROR, Phase.DROPPED})
STATUS = {
    Phase.PENDING: "pending",
    Phase.SUBMITTING: "pending",
    Phase.UNCONFIRMED: "pending",
    Phase.PROCESSING: "processing",
    Phase.COLLECTING: "processing",
    Phase.COMPLETED: "completed",
    Phase.ERROR: "error",
    Phase.DROPPED: "error",
}
STATES = {
    "working": frozenset(Phase) - FINAL,
    "ready": frozenset({Phase.COMPLETED}),
    "failed": frozenset({Phase.ERROR}),
    "stopped": frozenset({Phase.DROPPED}),
    "unwanted": frozenset({Phase.COMPLETED}),
}
"""What lists are filtered by."""
UNWANTED_IN = {"ready": False, "unwanted": True}
"""Of results: whether a list holds those that arrived after a stop. All others hold both."""

NEXT: dict[Phase, frozenset[Phase]] = {
    Phase.PENDING: frozenset({Phase.SUBMITTING, Phase.ERROR, Phase.DROPPED}),
    Phase.SUBMITTING: frozenset(
        {Phase.PENDING, Phase.PROCESSING, Phase.UNCONFIRMED, Phase.ERROR, Phase.DROPPED}
    ),
    Phase.UNCONFIRMED: frozenset({Phase.SUBMITTING, Phase.PROCESSING, Phase.ERROR, Phase.DROPPED}),
    Phase.PROCESSING: frozenset({Phase.COLLECTING, Phase.COMPLETED, Phase.ERROR, Phase.DROPPED}),
    Phase.COLLECTING: frozenset({Phase.PROCESSING, Phase.COMPLETED, Phase.ERROR, Phase.DROPPED}),
    Phase.COMPLETED: frozenset(),
    Phase.ERROR: frozenset({Phase.COMPLETED}),  # a late result, once (R2)
    Phase.DROPPED: frozenset({Phase.COMPLETED}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationSettings:
    """Form and style of a result. In a Draft, None is filled in by the catalogue; in a Request only
    `duration_s` and `fps` of an image stay None.
    """

    duration_s: float | None = None
    aspect_ratio: str | None = None
    """Width to height, as "16:9"."""
    resolution: str | None = None
    """The short side, as "720p"."""
    fps: int | None = None
    negative_prompt: str = ""
    style: str = ""
    shot_size: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A person's request as it came: only the prompt is needed, the catalogue fills in the rest."""

    kind: Kind
    prompt: str
    backend: str | None = None
    model: str | None = None
    seed: int | None = None
    settings: GenerationSettings = GenerationSettings()
    chat_id: str | None = None
    source: str | None = None
    """Name of a source picture in the media folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A person's request, complete: defaults filled in, the seed chosen, the model resolved."""

    kind: Kind
    prompt: str
    backend: str
    model: str
    seed: int
    settings: GenerationSettings
    chat_id: str | None = None
    source: str | None = None
    """Name of a source picture in the media folder."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, both even."""
        assert self.settings.aspect_ratio is not None and self.settings.resolution is not None
        short = int(self.settings.resolution.rstrip("p"))
        wide, high = (int(part) for part in self.settings.aspect_ratio.split(":"))
        if wide >= high:
            return _even(short * wide / high), _even(short)
        return _even(short), _even(short * high / wide)


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A result's bytes on our disk, as received. Names are relative to the media folder."""

    name: str
    size_bytes: int
    sha256: str
    content_type: str
    width: int
    height: int
    duration_s: float | None
    fps: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Which channel won, when, and what the other one was doing (R12)."""

    won_by: Channel
    backend_said_at: float
    """When the winning channel brought the news."""
    backend_finished_at: float | None
    """When the backend itself says that it finished; None where it does not say."""
    kept_at: float
    shown_at: float | None = None
    """When a page first showed it; None until then."""
    attempts: int = 0
    """Poll attempts made; checks are not counted."""
    other_said: str = ""
    other_said_at: float | None = None
    other_due_at: float | None = None
    """When the losing channel would have asked next (poll), or None (push)."""
    late_s: float | None = None
    """How long after the "taking longer" message it came; None when it was in time."""

    @property
    def delivery_s(self) -> float:
        """From the backend's end (or, where it does not say, from its news) to the bytes on our disk.

        A backend's clock may run ahead of ours: never less than nothing.
        """
        since = self.backend_said_at if self.backend_finished_at is None else self.backend_finished_at
        return max(0.0, self.kept_at - since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A finished job's address, as a channel heard it. The address never leaves the services."""

    url: str
    finished_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The backend says that the job failed: an outcome, not an exception."""

    text: str
    code: str = "failed"


Outcome = Result | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class JobUpdate:
    """One report of one channel about one job, provider-neutral."""

    code: str = "running"
    """For the trace: running, progress, result, failed, ask, foreign."""
    progress: float | None = None
    outcome: Outcome | None = None
    poll_now: bool = False
    """Reported as done without an address."""
    foreign: bool = False
    """About another job: traced, otherwise ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceEntry:
    """One line of a generation's timeline.

    `lane` is push, poll or engine. `event` is a code; push: opening, open, event, lost, retry ·
    poll: attempt, check, answer, lost, due · engine: phase, keeping, keep_failed, won, ignored, late, stop.
    `data` holds small JSON values only (numbers, short strings), never a link.
    """

    generation_id: str
    owner: str
    seq: int
    at: float
    lane: str
    event: str
    data: dict[str, str | float | int | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One request and its life."""

    id: str
    request_id: str
    owner: str
    request: Request
    phase: Phase
    created_at: float
    updated_at: float
    revision: int = 0
    """Grows by one with each committed change; a page drops what is older than what it holds."""
    epoch: int = 0
    job_id: str | None = None
    progress: float | None = None
    stage: str = ""
    """A short code of what is going on, for the message: queued, rendering, confirming_failure, ..."""
    error_code: str = ""
    error_text: str = ""
    submitted_at: float | None = None
    possibly_accepted_since: float | None = None
    """Since when a request of it may have been taken without our knowing the job; None where none was sent,
    where each one surely was not taken, and where the job is known.
    """
    finished_at: float | None = None
    late_since: float | None = None
    stop_requested_at: float | None = None
    trashed_at: float | None = None
    """When it was put into the trash."""
    watch_until: float | None = None
    late_after_s: float = 180.0
    """Seconds from `created_at` until the person is told that it takes longer (C4)."""
    kept: Kept | None = None
    poster: str | None = None
    preview: str | None = None
    receipt: Receipt | None = None
    starred_at: float | None = None
    tags: tuple[str, ...] = ()
    """In the order of the alphabet."""

    @property
    def final(self) -> bool:
        return self.phase in FINAL

    @property
    def status(self) -> str:
        """The API's word for the phase."""
        return STATUS[self.phase]

    @property
    def unwanted(self) -> bool:
        """Arrived although it had been stopped: paid, not wanted."""
        return self.phase is Phase.COMPLETED and self.stop_requested_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of one backend, as data: the form and the checks are drawn from it."""

    backend: str
    name: str
    label: str
    kind: Kind
    needs_source: bool = False
    durations_s: tuple[float, ...] = ()
    """Offered lengths; with `any_duration` every value between the first and the last is taken."""
    any_duration: bool = False
    aspect_ratios: tuple[str, ...] = ("16:9", "9:16", "1:1", "4:3")
    resolutions: tuple[str, ...] = ("720p",)
    fps: tuple[int, ...] = (24,)
    any_fps: bool = False
    default_duration_s: float | None = None
    default_resolution: str | None = None
    default_fps: int | None = None
    price_per_second: float | None = None
    """US dollars; 0.0 is free, None is unknown."""
    poll_every_s: float | None = None
    poll_attempts: int | None = None
    watch_for_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationQuery:
    """Which generations a list is to hold; what is not named does not matter."""

    kind: Kind | None = None
    words: str = ""
    """All of them in the prompt, in any order; the last may be the beginning of one."""
    ranked: bool = False
    """Of the words' finds the best first, without further pages; else the newest first."""
    backend: str | None = None
    model: str | None = None
    phases: frozenset[Phase] | None = None
    unwanted: bool | None = None
    """Only what arrived although it had been stopped, or none of that."""
    since: float | None = None
    """Asked for at this moment or later."""
    until: float | None = None
    """Asked for before this moment."""
    starred: bool = False
    tag: str | None = None
    trashed: bool = False
    """What is in the trash, and nothing else."""
