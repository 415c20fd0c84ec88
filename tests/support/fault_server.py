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
import hashlib
import json
import time
import uuid
from email.utils import formatdate

from tests.support.fault_answers import refuse, send_result
from tests.support.fault_http import Call, Closed, read_call
from tests.support.fault_job import Job, Json, Script, task_of
from tests.support.fault_jobs import FaultJobs
from tests.support.fault_stream import Stream

MODEL_TYPES = {
    "wire/film": "text_to_video",
    "wire/film-from-picture": "image_to_video",
    "wire/still": "text_to_image",
    "wire/still-from-picture": "image_to_image",
}


class WireServer(FaultJobs):
    """Scripts may be changed at any time, from any thread."""

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
            return refuse(
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
                refuse(call, mode.removesuffix("_taken"), script)
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
            return refuse(call, mode, job.script)
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
            return refuse(call, mode, job.script)
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
        return await send_result(call, job)

    def _control(self, command: Json) -> Json:
        prompt, job = command.get("prompt"), command.get("job")
        if "script" in command:
            self.script(prompt=prompt, job=job, **command["script"])
        if command.get("act") == "finish":
            self._finish(self.jobs[str(job)])
        if command.get("act") == "drop_streams":
            self._drop_streams(job)
        return {"ok": True}


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
