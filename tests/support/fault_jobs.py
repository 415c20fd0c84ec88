"""The jobs of the backend with faults: their scripts, their lives and what is published of them."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.support.fault_job import Job, Json, Script, content_of, task_of
from tests.support.threaded_server import ThreadedServer


class FaultJobs(ThreadedServer):
    """Its state, which may be changed at any time, from any thread."""

    def __init__(self, *, port: int = 0, token: str = "wire-token", idempotent: bool = True) -> None:
        super().__init__(port=port)
        self.token = token
        self.idempotent = idempotent
        self.models_status = 200
        self.list_status = 200
        self.clock_ahead_s = 0.0
        """Of every time it reports; the `Date` header of lists shows it."""
        self.may_end: Callable[[Job], bool] = lambda _: True
        """Called when a job's time is over, again and again until it returns true."""
        self.default = Script()
        self.scripts: dict[str, Script] = {}
        """By prompt."""
        self.jobs: dict[str, Job] = {}
        self.totals: Counter[str] = Counter()
        self.submits_by_key: Counter[str] = Counter()
        self.submits_by_prompt: Counter[str] = Counter()
        self._by_key: dict[str, tuple[str, str]] = {}

    # -- for tests ---------------------------------------------------------------------------

    def script(self, *, prompt: str | None = None, job: str | None = None, **changes: Any) -> Script:
        """Changes the default, the script of one prompt's jobs, or that of one running job."""
        if job is not None:
            base = self.jobs[job].script
        else:
            base = self.default if prompt is None else self.scripts.get(prompt, self.default)
        new = dataclasses.replace(base, **changes)
        if job is not None:
            self.jobs[job].script = new
        elif prompt is not None:
            self.scripts[prompt] = new
            for each in self.jobs.values():
                if each.config.get("prompt") == prompt:
                    each.script = new
        else:
            for each in self.jobs.values():
                if each.script is self.default:
                    each.script = new
            self.default = new
        return new

    def finish(self, job: str) -> None:
        """Ends it now, whatever its length."""
        self._on_loop(lambda: self._finish(self.jobs[job]))

    def drop_streams(self, job: str | None = None) -> None:
        self._on_loop(lambda: self._drop_streams(job))

    def publish(self, job: str, event: Json) -> None:
        self._on_loop(lambda: self._publish(self.jobs[job], event))

    def content(self, job: str) -> bytes:
        """The bytes of that job's result, unique to the job."""
        return content_of(self.jobs[job])

    def jobs_of(self, prompt: str) -> list[Job]:
        return [job for job in list(self.jobs.values()) if job.config.get("prompt") == prompt]

    def stats(self) -> Json:
        jobs = {
            job.id: {
                "prompt": job.config.get("prompt"),
                "key": job.key,
                "status": job.status,
                "created_at": job.created_at,
                "finished_at": job.finished_at,
                "polls": job.polls,
                "streams": job.streams,
                "open_streams": len(job.listeners),
                "downloads": job.downloads,
                "cancels": job.cancels,
                "sha256": hashlib.sha256(content_of(job)).hexdigest() if job.status == "completed" else None,
            }
            for job in list(self.jobs.values())
            if not job.uploaded
        }
        return {
            "jobs": jobs,
            "submits_by_key": dict(self.submits_by_key),
            "submits_by_prompt": dict(self.submits_by_prompt),
            "totals": dict(self.totals),
        }

    # -- the jobs ----------------------------------------------------------------------------

    def _run(self, job: Job) -> None:
        loop = asyncio.get_running_loop()
        if job.script.progress_every_s > 0:
            loop.call_later(job.script.progress_every_s, self._progress, job)
        loop.call_later(job.script.length_s, self._finish, job)

    def _progress(self, job: Job) -> None:
        if job.finished_at is None:
            share = (time.time() - job.created_at) / max(job.script.length_s, 0.001)
            job.progress = max(job.progress, min(99, round(100 * share)))
            self._publish(
                job,
                {"type": "render_progress", "object": {"file_id": job.id, "progress": job.progress}},
            )
            asyncio.get_running_loop().call_later(job.script.progress_every_s, self._progress, job)

    def _finish(self, job: Job) -> None:
        if (job.script.waits_for_stream and not job.listeners) or not self.may_end(job):
            asyncio.get_running_loop().call_later(0.05, self._finish, job)
        elif job.finished_at is None:
            job.status = "error" if job.script.fails else "completed"
            job.finished_at = time.time()
            self._publish(job, self._final(job))

    def _final(self, job: Job) -> Json:
        if job.status == "error":
            return {"type": "error", "error": job.script.fails, "object": {"file_id": job.id}}
        return {"type": "file", "object": self._file(job)}

    def _publish(self, job: Job, event: Json) -> None:
        for listener in list(job.listeners):
            listener.publish(event)

    def _file(self, job: Job) -> Json:
        done = job.status == "completed"
        file: Json = {
            "id": job.id,
            "type": job.kind,
            "url": job.address(self.url) if done else None,
            "thumbnail_url": None,
            "created_at": datetime.fromtimestamp(job.created_at + self.clock_ahead_s, UTC).isoformat(),
            f"{job.kind}_generation": {"id": f"task-{job.id}", **job.config},
            "tasks": [] if job.uploaded else [task_of(job, job.status)],
        }
        if done and job.script.reports_finish and job.finished_at:
            finished_at = job.finished_at + self.clock_ahead_s
            file["completed_at"] = datetime.fromtimestamp(finished_at, UTC).isoformat()
        return file

    def _drop_streams(self, job: str | None) -> None:
        for one in self.jobs.values():
            for listener in list(one.listeners) if job in (None, one.id) else ():
                listener.drop()

    def _on_loop(self, act: Callable[[], object]) -> None:
        """Waits until it is done."""

        async def run() -> None:
            act()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)
