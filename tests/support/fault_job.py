"""How a job of the wire server goes, and how it stands."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.sample_media import marked, picture, small_film, tiny_film

if TYPE_CHECKING:
    from tests.support.fault_stream import Listener

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Script:
    """How one job, or every job, goes. `…_times`: the fault shows so often per job, then all is well."""

    length_s: float = 1.0
    progress_every_s: float = 0.25
    """0: no progress."""
    waits: bool = False
    """It ends only while somebody listens."""
    fails: str = ""
    """The job ends in this error."""
    tells_finish: bool = False
    """The file object has `completed_at`."""
    result: str = "tiny"
    """tiny (some KB), small (about 250 KB), or the path of a file."""
    retry_after: str = ""
    addresses: tuple[str, ...] = ()
    """Where the result is said to lie (an origin), one after the other each time it is told; the last repeats.
    None: at this server.
    """

    submit: str = "ok"
    """ok · a status, as "422" · a status_taken, as "500_taken" · lost (taken, closed without an answer) · lost_untaken ·
    hang (taken, never answered) · unreadable (taken) · no_id (taken) · huge (taken)"""
    submit_times: int | None = None
    upload: str = "ok"
    """ok · a status"""

    push: str = "ok"
    """ok · a status · silent · comments (a comment every `comment_every_s`, no event) · drop and end (after
    `push_after` events; the connection breaks, or the stream ends) · garbage · wrong_ids · duplicates ·
    late (subscribed after `push_late_s`; nothing is replayed) · hang · oversize · html · backwards (progress
    falls) · flood (`flood_per_s` events a second for `flood_s`) · large (one whole event of `large_bytes`) · deep"""
    final: str = "ok"
    """The last event: ok · never · garbled · huge · first (progress comes after it); broken on the first
    `final_times` streams.
    """
    final_times: int | None = None
    push_times: int | None = None
    push_after: int = 1
    push_late_s: float = 1.0
    flood_per_s: int = 5000
    flood_s: float = 10.0
    large_bytes: int = 50_000_000
    replay: bool = False
    """What is final is told at once to who comes late, as the animatic does."""
    comment_every_s: float = 15.0

    poll: str = "ok"
    """ok · a status · hang · bad_json · html · never (running for ever) · deep · huge · older (every
    second answer is from the beginning) · another (the file object of another job)"""
    poll_times: int | None = None

    download: str = "ok"
    """ok · a status · truncated · garbage · slow (over `slow_s`) · reset · html · partial (206, the end only) ·
    endless · empty · picture (instead of a film) · announced (`announced_bytes` are said to come) · leads_on
    (to `leads_to`)"""
    download_times: int | None = None
    slow_s: float = 2.0
    announced_bytes: int = 10_000_000_000
    leads_to: str = ""


@dataclass(slots=True, kw_only=True)
class Job:
    id: str
    kind: str
    config: Json
    key: str
    script: Script
    created_at: float = field(default_factory=time.time)
    finished_at: float | None = None
    status: str = "in_progress"
    progress: int = 0
    polls: int = 0
    streams: int = 0
    downloads: int = 0
    cancels: int = 0
    uploaded: bool = False
    listeners: set[Listener] = field(default_factory=set, repr=False)
    faults: Counter[str] = field(default_factory=Counter, repr=False)
    told: int = 0
    """How often its result's address was told."""

    def fault(self, channel: str) -> str:
        """The channel's mode now, counted."""
        mode, times = getattr(self.script, channel), getattr(self.script, f"{channel}_times")
        if mode == "ok" or (times is not None and self.faults[channel] >= times):
            return "ok"
        self.faults[channel] += 1
        return str(mode)

    def address(self, here: str) -> str:
        """Of its result, this time."""
        addresses = self.script.addresses or (here,)
        self.told += 1
        extension = "mp4" if self.kind == "video" else "png"
        return f"{addresses[min(self.told, len(addresses)) - 1]}/files/{self.id}.{extension}"


def content_of(job: Job) -> bytes:
    if job.kind == "image":
        return marked(picture(), job.id)
    match job.script.result:
        case "tiny":
            return marked(tiny_film(), job.id)
        case "small":
            return marked(small_film(), job.id)
        case path:
            return Path(path).read_bytes()


def task_of(job: Job, status: str) -> Json:
    task = {
        "id": f"task-{job.id}",
        "type": f"{job.kind}-generation-flow",
        "status": status,
        "file_id": job.id,
    }
    return task | ({"error": job.script.fails} if status == "error" else {})
