"""The script of a wire server's job, and the job."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.sample_media import marked, picture, small_film, tiny_film

if TYPE_CHECKING:
    from tests.support.fault_http import Call
    from tests.support.fault_stream import Stream

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Script:
    """How one job, or every job, behaves. `…_times` limits how often a fault occurs for each job."""

    length_s: float = 1.0
    progress_every_s: float = 0.25
    """0: no progress."""
    waits_for_stream: bool = False
    """It ends only while a stream is open."""
    fails: str = ""
    """The job ends in this error."""
    reports_finish: bool = False
    """The file object has `completed_at`."""
    result: str = "tiny"
    """tiny (some KB), small (about 250 KB), unknown (in no known format), or the path of a file."""
    retry_after: str = ""
    addresses: tuple[str, ...] = ()
    """The origins of the result's address, in turn; the last one repeats. Empty: this server's."""
    link: Callable[[Job, str], str] | None = None
    """Gives the result's whole address instead, from the job and this server's origin."""
    transport: Callable[[Call, Job, bytes], Awaitable[None]] | None = None
    """Answers each download instead of `download`."""

    submit: str = "ok"
    """ok · a status, as "422" · an accepted job's, as "500_taken" · lost (accepted, then
    closed without an answer) · lost_untaken · hang (accepted, never answered) · unreadable, no_id, huge (accepted)"""
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
    """A stream that is opened late gets the final event at once, as with the animatic."""
    comment_every_s: float = 15.0

    poll: str = "ok"
    """ok · a status · hang · bad_json · html · never (running for ever) · deep · huge · older (every
    second answer is from the beginning) · another (the file object of another job)"""
    poll_times: int | None = None

    download: str = "ok"
    """ok · a status · truncated · garbage (the same each time) · noise (never the same) · slow (over `slow_s`) · reset · html · partial (206, the end only) ·
    endless · empty · picture (instead of a film) · announced (a Content-Length of `announced_bytes`) · redirect
    (to `redirect_to`)"""
    download_times: int | None = None
    slow_s: float = 2.0
    announced_bytes: int = 10_000_000_000
    redirect_to: str = ""


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
    listeners: set[Stream] = field(default_factory=set, repr=False)
    faults: Counter[str] = field(default_factory=Counter, repr=False)
    addresses_sent: int = 0

    def fault(self, channel: str) -> str:
        """The channel's current mode; counts the fault."""
        mode, times = getattr(self.script, channel), getattr(self.script, f"{channel}_times")
        if mode == "ok" or (times is not None and self.faults[channel] >= times):
            return "ok"
        self.faults[channel] += 1
        return str(mode)

    def address(self, here: str) -> str:
        """Its result's address; each call may give another origin."""
        addresses = self.script.addresses or (here,)
        self.addresses_sent += 1
        if self.script.link is not None:
            return self.script.link(self, here)
        extension = "mp4" if self.kind == "video" else "png"
        return f"{addresses[min(self.addresses_sent, len(addresses)) - 1]}/files/{self.id}.{extension}"


def content_of(job: Job) -> bytes:
    if "/" in job.script.result:
        return Path(job.script.result).read_bytes()
    if job.kind == "image":
        return marked(picture(), job.id)
    match job.script.result:
        case "tiny":
            return marked(tiny_film(), job.id)
        case "small":
            return marked(small_film(), job.id)
        case _:
            return garbage_of(job.id.encode())


def garbage_of(content: bytes) -> bytes:
    """No text: it begins with a zero."""
    return b"\0" + hashlib.sha256(content).digest() * (len(content) // 32 or 1)


def task_of(job: Job, status: str) -> Json:
    task = {
        "id": f"task-{job.id}",
        "type": f"{job.kind}-generation-flow",
        "status": status,
        "file_id": job.id,
    }
    return task | ({"error": job.script.fails} if status == "error" else {})
