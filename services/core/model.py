"""Values that all packages share. Times `_at` are Unix seconds (UTC); fractions are 0.0-1.0."""

import enum
from dataclasses import dataclass, field

LOCAL_OWNER = "local"
ANIMATIC = "animatic"
"""The name of the embedded backend, which draws without an AI model."""


class Kind(enum.StrEnum):
    VIDEO = "video"
    IMAGE = "image"


class Channel(enum.StrEnum):
    PUSH = "push"
    POLL = "poll"


class Phase(enum.StrEnum):
    PENDING = "pending"  # committed; nothing has been sent
    SUBMITTING = "submitting"  # the paid request may be under way
    UNCONFIRMED = "unconfirmed"  # sent; the answer was lost
    PROCESSING = "processing"  # the backend has the job; all channels watch it
    COLLECTING = "collecting"  # a result is known, its bytes are being downloaded
    COMPLETED = "completed"  # bytes verified and stored
    ERROR = "error"  # the job failed, or the watch ended
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
"""Names of the list filters."""
UNWANTED_IN = {"ready": False, "unwanted": True}
"""Whether a filter holds results that arrived after a stop; the others hold both kinds."""

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
    """A person's request as it arrived; the catalogue fills in what it leaves open."""

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
    """A Draft with its defaults filled in, the seed chosen, the model resolved."""

    kind: Kind
    prompt: str
    backend: str
    model: str
    seed: int
    settings: GenerationSettings
    chat_id: str | None = None
    source: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, both even."""
        assert self.settings.aspect_ratio is not None and self.settings.resolution is not None
        short = int(self.settings.resolution.rstrip("p"))
        wide, high = (int(part) for part in self.settings.aspect_ratio.split(":"))
        return _even(short * wide / min(wide, high)), _even(short * high / min(wide, high))


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a file that came whole could not be verified."""

    code: str
    """A key of `phase_messages.PROBLEMS`."""
    reason: str
    """An English sentence, which the pages translate."""

    def __str__(self) -> str:
        """In English; the pages translate both parts."""
        return f"The file arrived, but this browser may not show it: {as_clause(self.reason)}"


def as_clause(sentence: str) -> str:
    """A sentence as it stands behind a colon."""
    return sentence[:1].lower() + sentence[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A result's stored bytes, as received. Names are relative to the media folder."""

    name: str
    size_bytes: int
    sha256: str
    content_type: str
    width: int | None
    """As displayed: upright, with square pixels. None where a problem hides it."""
    height: int | None
    duration_s: float | None
    """A film's, and that of a picture that moves."""
    fps: float | None
    codec: str | None = None
    """A film's, by FFmpeg's name."""
    problem: Problem | None = None
    """Such a file is served as a download only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Which channel won, when, and what the other channel had reported (R12)."""

    won_by: Channel
    backend_said_at: float
    """When the winning channel reported the result."""
    backend_finished_at: float | None
    """By the backend's own account."""
    kept_at: float
    shown_at: float | None = None
    """When a page first showed it."""
    attempts: int = 0
    """Poll attempts made; checks are not counted."""
    other_said: str = ""
    other_said_at: float | None = None
    other_due_at: float | None = None
    """When the losing channel would have polled next; None for push."""
    late_s: float | None = None
    """Seconds after the "taking longer" message."""

    @property
    def delivery_s(self) -> float:
        """From the end at the backend, whose clock may be ahead, or from its report to the stored bytes."""
        since = self.backend_said_at if self.backend_finished_at is None else self.backend_finished_at
        return max(0.0, self.kept_at - since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The address of a finished job's file. It never leaves the services."""

    url: str
    finished_at: float | None = None
    extra_results: tuple[tuple[str, str], ...] = ()
    """The job's other results: the id of each and its address, empty until it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The backend reports that the job failed: an outcome, not an exception."""

    text: str
    code: str = "failed"


Outcome = Result | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class JobUpdate:
    """One report of one channel about one job, provider-neutral."""

    code: str = "running"
    """For the trace: running, queued, progress, result, failed, ask, foreign."""
    progress: float | None = None
    queued: bool | None = None
    """Whether it waits in the backend's queue; False: it is being worked on; None: not reported."""
    queue_place: int | None = None
    """1 is next."""
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
    """One request, and the state of its job."""

    id: str
    request_id: str
    owner: str
    request: Request
    phase: Phase
    created_at: float
    updated_at: float
    revision: int = 0
    """Grows by one with each committed change; pages drop older snapshots."""
    epoch: int = 0
    job_id: str | None = None
    progress: float | None = None
    stage: str = ""
    """A short code for the message: queued, queued:3 (third in line), confirming_failure, ..."""
    error_code: str = ""
    error_text: str = ""
    submitted_at: float | None = None
    started_at: float | None = None
    """When the backend began to work on it, where it tells of its queue."""
    possibly_accepted_since: float | None = None
    """Since when a submit may have been accepted whose job is not known."""
    finished_at: float | None = None
    late_since: float | None = None
    stop_requested_at: float | None = None
    trashed_at: float | None = None
    watch_until: float | None = None
    late_after_s: float = 180.0
    """Seconds from `created_at` to the "taking longer" message."""
    kept: Kept | None = None
    poster: str | None = None
    preview: str | None = None
    receipt: Receipt | None = None
    starred_at: float | None = None
    tags: tuple[str, ...] = ()
    """Sorted."""

    @property
    def final(self) -> bool:
        return self.phase in FINAL

    @property
    def status(self) -> str:
        """The API's word for the phase."""
        return STATUS[self.phase]

    @property
    def queued(self) -> bool:
        """Waits in the backend's queue."""
        return self.phase is Phase.PROCESSING and self.stage.partition(":")[0] == QUEUED

    @property
    def queue_place(self) -> int | None:
        """1 is next; None where it does not wait, or the backend does not say."""
        place = self.stage.partition(":")[2]
        return int(place) if self.queued and place else None

    @property
    def percent(self) -> int | None:
        """Progress as displayed; None is unknown."""
        if self.phase is Phase.COMPLETED:
            return 100
        return None if self.progress is None else percent_of(self.progress)

    @property
    def unwanted(self) -> bool:
        """Arrived after a stop: paid, not wanted."""
        return self.phase is Phase.COMPLETED and self.stop_requested_at is not None


QUEUED = "queued"


def queued_stage(place: int | None) -> str:
    """The stage of a job that waits in its backend's queue."""
    return QUEUED if place is None else f"{QUEUED}:{place}"


def percent_of(progress: float) -> int:
    """Of what is not complete: 100 is reserved for kept files, whatever the backend reports."""
    return max(0, min(99, int(progress * 100 + 1e-9)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of one backend, as data for the form and the field checks."""

    backend: str
    name: str
    label: str
    kind: Kind
    needs_source: bool = False
    durations_s: tuple[float, ...] = ()
    """Offered lengths; with `any_duration` any value between the first and the last is accepted."""
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
    """Filters of a list; None, empty and False do not filter."""

    kind: Kind | None = None
    words: str = ""
    """Words of the prompt, in any order; the last one is a prefix."""
    ranked: bool = False
    """Best match first, in a single page; otherwise newest first."""
    backend: str | None = None
    model: str | None = None
    phases: frozenset[Phase] | None = None
    unwanted: bool | None = None
    """Only results that arrived after a stop, or none of them."""
    since: float | None = None
    """Created at this time or later."""
    until: float | None = None
    """Created before this time."""
    starred: bool = False
    tag: str | None = None
    trashed: bool = False
    """Only items in the trash."""
