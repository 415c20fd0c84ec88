"""The results' bytes, sent as a script says."""

from __future__ import annotations

import os

from tests.support.fault_http import Call, Closed, endlessly, slowly
from tests.support.fault_job import Job, Script, content_of, garbage_of
from tests.support.sample_media import picture


async def send_result(call: Call, job: Job) -> None:
    if job.script.transport is not None:
        return await job.script.transport(call, job, content_of(job))
    mode, content = job.fault("download"), content_of(job)
    head = {"Content-Type": "video/mp4" if job.kind == "video" else "image/png"}
    if mode.isdigit():
        return refuse(call, mode, job.script)
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


def refuse(call: Call, status: str, script: Script, detail: object = "scripted") -> None:
    extra = {"Retry-After": script.retry_after} if script.retry_after else {}
    call.reply(int(status), {"detail": detail}, extra)
