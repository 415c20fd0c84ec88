"""A backend with faults: a real HTTP server on the loopback that speaks SuperDuperAI's protocol.

In a test:        with WireServer() as wire: wire.script(prompt="a kite", push="silent", length_s=0.5)
As a process:     python -m tests.support.fault_server --port 0     prints {"url", "token"} as one line; then
                  POST /_control {"prompt"?, "job"?, "script"?: {…}, "act"?: "finish" | "drop_streams"}
                  GET  /_stats
Raw asyncio, as no ASGI server can accept a submit and close the connection without an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import hashlib
import json
import os
import time
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from tests.support.fault_http import Call, Closed, endlessly, read_call, slowly
from tests.support.fault_job import Job, Json, Script, content_of, garbage_of, task_of
from tests.support.fault_stream import Stream
from tests.support.sample_media import picture
from tests.support.threaded_server import ThreadedServer

MODEL_TYPES = {
    "wire/film": "text_to_video",
    "wire/film-from-picture": "image_to_video",
    "wire/still": "text_to_image",
    "wire/still-from-picture": "image_to_image",
}


class WireServer(ThreadedServer):
    """Scripts may be changed at any time, from any thread."""

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

    # -- serving -----------------------------------------------------------------------------

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.totals["connections"] += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, Closed):
            while (call := await read_call(reader, writer)) is not None:
                await self._answer(call)

    async def _answer(self, call: Call) -> None:
        parts = [part for part in call.path.split("/") if part]
        if parts[-2:-1] == ["files"]:
            return await self._download(call, parts[-1])
        if parts == ["_stats"]:
            return call.reply(200, self.stats())
        if parts == ["_control"]:
            return call.reply(200, self._control(json.loads(call.body)))
        if call.headers.get("authorization") != f"Bearer {self.token}":
            self.totals["unauthorized"] += 1
            return call.reply(401, {"detail": "The bearer token is missing or wrong."})
        match call.method, parts[2:] if parts[:2] == ["api", "v1"] else []:
            case "POST", ["file", "generate-video" | "generate-image" as act]:
                await self._submit(call, act.removeprefix("generate-"))
            case "POST", ["file", "upload"]:
                self._upload(call)
            case "GET", ["file"]:
                date = formatdate(time.time() + self.clock_ahead_s, usegmt=True)
                call.reply(self.list_status, self._list(call), {"Date": date})
            case "GET", ["file", job_id]:
                await self._poll(call, job_id)
            case "DELETE", ["file", job_id]:
                self._cancel(call, job_id)
            case "GET", ["events", channel] if channel.startswith("file."):
                await self._stream(call, channel.removeprefix("file."))
            case "GET", ["generation-config"]:
                call.reply(self.models_status, [_model(name, sort) for name, sort in MODEL_TYPES.items()])
            case _:
                call.reply(404, {"detail": "Not Found"})
        return None

    async def _submit(self, call: Call, kind: str) -> None:
        config = json.loads(call.body)["config"]
        prompt, key = str(config.get("prompt", "")), call.headers.get("idempotency-key", "")
        self.submits_by_prompt[prompt] += 1
        if key:
            self.submits_by_key[key] += 1
        script = self.scripts.get(prompt, self.default)
        spent = script.submit_times is not None and self.submits_by_prompt[prompt] > script.submit_times
        mode = "ok" if spent else script.submit
        if mode == "lost_untaken":
            raise Closed
        if mode.isdigit():
            return _refuse(
                call,
                mode,
                script,
                [{"loc": ["body", "config"], "msg": "scripted refusal", "type": "value_error"}],
            )
        job = self._accept_job(call, kind, config, key, script)
        if job is None:
            return call.reply(409, {"detail": "This Idempotency-Key was used for another request."})
        match mode:
            case "lost":
                raise Closed
            case "hang":
                await call.wait_for_disconnect()
            case _ if mode.endswith("_taken"):
                _refuse(call, mode.removesuffix("_taken"), script)
            case "huge":
                call.reply(200, self._file(job) | {"note": "x" * 2_000_000})
            case "unreadable":
                call.send(200, b'{"id": ', {"Content-Type": "application/json"})
            case "no_id":
                call.reply(200, {"type": kind, "tasks": []})
            case _:
                file = self._file(job)
                call.reply(200, [file] if kind == "image" else file)
        return None

    def _accept_job(self, call: Call, kind: str, config: Json, key: str, script: Script) -> Job | None:
        if self.idempotent and key in self._by_key:
            job_id, body_hash = self._by_key[key]
            return self.jobs[job_id] if body_hash == hashlib.sha256(call.body).hexdigest() else None
        job = Job(id=str(uuid.uuid4()), kind=kind, config=config, key=key, script=script)
        self.jobs[job.id] = job
        self.totals["jobs"] += 1
        if key:
            self._by_key[key] = (job.id, hashlib.sha256(call.body).hexdigest())
        self._run(job)
        return job

    def _upload(self, call: Call) -> None:
        self.totals["uploads"] += 1
        if self.default.upload != "ok":
            return call.reply(int(self.default.upload), {"detail": "scripted"})
        if b'name="payload"' not in call.body:
            return call.reply(422, {"detail": [{"loc": ["body", "payload"], "msg": "Field required"}]})
        job = Job(id=str(uuid.uuid4()), kind="image", config={}, key="", script=self.default, uploaded=True)
        job.status, job.finished_at = "completed", time.time()
        self.jobs[job.id] = job
        return call.reply(200, self._file(job))

    def _list(self, call: Call) -> list[Json]:
        types = ",".join(call.query.get("types", [])).split(",")
        limit, skip = (
            int(call.query.get(name, [default])[0]) for name, default in (("limit", "50"), ("offset", "0"))
        )
        newest = [job for job in reversed(self.jobs.values()) if types == [""] or job.kind in types]
        self.totals["lists"] += 1
        return [self._file(job) for job in newest[skip : skip + limit]]

    async def _poll(self, call: Call, job_id: str) -> None:
        job = self.jobs.get(job_id)
        self.totals["polls"] += 1
        if job is None:
            return call.reply(404, {"detail": "There is no such file."})
        job.polls += 1
        mode = job.fault("poll")
        if mode.isdigit():
            return _refuse(call, mode, job.script)
        match mode:
            case "hang":
                await call.wait_for_disconnect()
            case "bad_json":
                call.send(200, b'{"id": "', {"Content-Type": "application/json"})
            case "html":
                call.send(200, b"<html><h1>Sign in</h1></html>", {"Content-Type": "text/html"})
            case "deep":
                call.send(200, b"[" * 100_000, {"Content-Type": "application/json"})
            case "huge":
                call.send(200, b'"' + b"x" * 4_000_000 + b'"', {"Content-Type": "application/json"})
            case "never":
                call.reply(200, self._running(job))
            case "older":
                call.reply(200, self._file(job) if job.polls % 2 else self._running(job) | {"progress": 1})
            case "another":
                call.reply(200, self._of_another(job))
            case _:
                call.reply(200, self._file(job))
        return None

    def _running(self, job: Job) -> Json:
        return self._file(job) | {"url": None, "tasks": [task_of(job, "in_progress")]}

    def _of_another(self, job: Job) -> Json:
        """Completed and downloadable: whoever believes it keeps another job's film."""
        other = next(
            (one for one in self.jobs.values() if one.status == "completed" and one is not job), None
        )
        return self._running(job) if other is None else self._file(other)

    def _cancel(self, call: Call, job_id: str) -> None:
        job = self.jobs.get(job_id)
        if job is None:
            return call.reply(404, {"detail": "There is no such file."})
        job.cancels += 1
        return call.reply(200, {"id": job_id, "deleted": True})

    async def _stream(self, call: Call, job_id: str) -> None:
        job = self.jobs.get(job_id)
        self.totals["streams"] += 1
        if job is None:
            return call.reply(404, {"detail": "There is no such file."})
        job.streams += 1
        mode = job.fault("push")
        if mode.isdigit():
            return _refuse(call, mode, job.script)
        if mode == "hang":
            return await call.wait_for_disconnect()
        if mode == "html":
            return call.send(200, b"<html></html>", {"Content-Type": "text/html"})
        stream = Stream(call, job, mode)
        await stream.serve(final=self._final(job) if job.script.replay and job.finished_at else None)
        raise Closed

    async def _download(self, call: Call, name: str) -> None:
        job = self.jobs.get(name.partition(".")[0])
        self.totals["downloads"] += 1
        if job is None or job.status != "completed":
            return call.reply(404, {"detail": "There is no such file."})
        job.downloads += 1
        mode, content = job.fault("download"), content_of(job)
        head = {"Content-Type": "video/mp4" if job.kind == "video" else "image/png"}
        if mode.isdigit():
            return _refuse(call, mode, job.script)
        match mode:
            case "partial":
                call.send(206, content[-64:], head | {"Content-Range": f"bytes -64/{len(content)}"})
            case "endless":
                await endlessly(call, head)
            case "truncated":
                call.send(200, content[: len(content) // 2], head | {"Content-Length": str(len(content))})
                raise Closed
            case "reset":
                raise Closed
            case "garbage":
                call.send(200, garbage_of(content), head)
            case "noise":
                call.send(200, b"\0" + os.urandom(4000), head)
            case "html":
                call.send(200, b"<html>expired</html>", {"Content-Type": "text/html"})
            case "empty":
                call.send(200, b"", head)
            case "announced":
                call.send(200, content, head | {"Content-Length": str(job.script.announced_bytes)})
                if job.script.announced_bytes > len(content):
                    await call.wait_for_disconnect()
            case "redirect":
                call.send(302, b"", {"Location": job.script.redirect_to})
            case "picture":
                call.send(200, picture(), {"Content-Type": "video/mp4"})
            case "slow":
                call.send(200, b"", head | {"Content-Length": str(len(content))})
                async for piece in slowly(content, job.script.slow_s):
                    call.writer.write(piece)
            case _:
                call.send(200, content, head)
        return None

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

    def _control(self, command: Json) -> Json:
        prompt, job = command.get("prompt"), command.get("job")
        if "script" in command:
            self.script(prompt=prompt, job=job, **command["script"])
        if command.get("act") == "finish":
            self._finish(self.jobs[str(job)])
        if command.get("act") == "drop_streams":
            self._drop_streams(job)
        return {"ok": True}

    def _drop_streams(self, job: str | None) -> None:
        for one in self.jobs.values():
            for listener in list(one.listeners) if job in (None, one.id) else ():
                listener.drop()

    def _on_loop(self, act: Callable[[], object]) -> None:
        """Waits until it is done."""

        async def run() -> None:
            act()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)


def _refuse(call: Call, status: str, script: Script, detail: object = "scripted") -> None:
    extra = {"Retry-After": script.retry_after} if script.retry_after else {}
    call.reply(int(status), {"detail": detail}, extra)


def _model(name: str, sort: str) -> Json:
    params: Json = {
        "price_per_second": 0.1,
        "aspect_ratios": ["16:9", "9:16", "1:1"],
        "resolutions": ["360p", "720p"],
    }
    if sort.endswith("video"):
        params |= {"available_durations": [1, 2, 5, 10], "default_duration": 5, "frame_rates": [24, 30]}
    return {"name": name, "label": name.title(), "type": sort, "source": "local", "params": params}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default="wire-token")
    parser.add_argument("--unkeyed", action="store_true")
    parser.add_argument("--script", default="{}", help="the default script, as JSON")
    given = parser.parse_args()
    server = WireServer(port=given.port, token=given.token, idempotent=not given.unkeyed)
    server.script(**json.loads(given.script))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(
            server.serve(lambda wire: print(json.dumps({"url": wire.url, "token": wire.token}), flush=True))
        )


if __name__ == "__main__":
    main()
