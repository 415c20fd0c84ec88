"""Ways in which a result's server sends it: whole in the end, or never."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Awaitable, Callable

from tests.support.fault_http import Call, Closed, read_call
from tests.support.fault_job import Job, content_of
from tests.support.threaded_server import ThreadedServer

Answer = Callable[[Call, Job, bytes], Awaitable[None]]
PAGE = b"<!doctype html><html><body>Sign in</body></html>"


def sent(head: str = "200 OK", *, pack: Callable[[bytes], bytes] = bytes, chunked: bool = False) -> Answer:
    """`head` is a status line and headers, one each line; `{last}` and `{size}` stand for the body's."""

    async def answer(call: Call, _: Job, content: bytes) -> None:
        body = pack(content)
        lines = head.format(last=len(body) - 1, size=len(body)).split("\n")
        lines.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}")
        body = in_chunks(body) if chunked else body
        call.writer.write("\r\n".join([f"HTTP/1.1 {lines[0]}", *lines[1:], "", ""]).encode() + body)

    return answer


def in_chunks(body: bytes, *, end: bytes = b"0\r\n\r\n") -> bytes:
    pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + end


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def raw(head: str, body: Callable[[bytes], bytes] = bytes) -> Answer:
    """Exactly these lines, then the connection closes."""

    async def answer(call: Call, _: Job, content: bytes) -> None:
        lines = head.format(size=len(content)).replace("\n", "\r\n")
        call.writer.write(f"{lines}\r\n\r\n".encode() + body(content))
        raise Closed

    return answer


def first(once: Answer, then: Answer | None = None) -> Answer:
    """`once` answers the first request only."""

    async def answer(call: Call, job: Job, content: bytes) -> None:
        await (once if job.downloads == 1 else then or sent())(call, job, content)

    return answer


def redirects(count: int, *, status: tuple[int, ...] = (302, 301, 303, 307, 308)) -> Answer:
    async def answer(call: Call, job: Job, content: bytes) -> None:
        hop = int(call.query.get("hop", ["0"])[0])
        if hop == count:
            return await sent()(call, job, content)
        location = f"{call.path}?hop={hop + 1}"
        return call.send(status[hop % len(status)], b"", {"Location": location})

    return answer


async def asks_for_a_cookie(call: Call, job: Job, content: bytes) -> None:
    if "pass=1" in call.headers.get("cookie", ""):
        return await sent()(call, job, content)
    if call.query:
        return call.send(403, b"", {})
    return call.send(302, b"", {"Location": f"{call.path}?in=1", "Set-Cookie": "pass=1; Path=/"})


async def only_the_second_link(call: Call, job: Job, content: bytes) -> None:
    if call.query["link"] == ["1"]:
        return call.send(403, b"<Error><Code>ExpiredToken</Code></Error>", {"Content-Type": "text/xml"})
    return await sent()(call, job, content)


def numbered_links(job: Job, here: str) -> str:
    return f"{here}/files/{job.id}.mp4?link={job.addresses_sent}"


def inside_its_address(job: Job, _: str) -> str:
    return "data:video/mp4;base64," + base64.b64encode(content_of(job)).decode()


class OtherHost(ThreadedServer):
    """Serves each job's result at its id."""

    def __init__(self, content: Callable[[str], bytes]) -> None:
        super().__init__()
        self._content = content
        self.asked: list[str] = []

    def link(self, job: Job, _: str) -> str:
        return f"{self.url}/{job.id}"

    async def _handle(self, reader: object, writer: object) -> None:
        call = await read_call(reader, writer)  # type: ignore[arg-type]
        if call is not None:
            self.asked.append(call.path)
            call.send(200, self._content(call.path[1:]), {"Content-Type": "video/mp4"})


HANDED_OVER: dict[str, Answer] = {
    "gzip": sent("200 OK\nContent-Encoding: gzip", pack=gzip.compress),
    "gzip in chunks": sent("200 OK\nContent-Encoding: gzip", pack=gzip.compress, chunked=True),
    "deflate": sent("200 OK\nContent-Encoding: deflate", pack=zlib.compress),
    "raw deflate": sent("200 OK\nContent-Encoding: deflate", pack=raw_deflate),
    **{f"the Content-Encoding {label!r}": sent(f"200 OK\nContent-Encoding: {label}") for label in ("", "utf-8", "binary", "aws-chunked")},
    "203": sent("203 Non-Authoritative Information"),
    "a whole 206": sent("206 Partial Content\nContent-Range: bytes 0-{last}/{size}"),
    "a whole 206 in chunks": sent("206 Partial Content\nContent-Range: bytes 0-{last}/{size}", chunked=True),
    "202 first": first(sent("202 Accepted", pack=lambda _: b'{"status": "preparing"}')),
    "404 first": first(sent("404 Not Found", pack=lambda _: b"")),
    "502 first": first(sent("502 Bad Gateway", pack=lambda _: PAGE)),
    "a page first": first(sent("200 OK\nContent-Type: text/html", pack=lambda _: PAGE)),
    "cut at first": first(raw("HTTP/1.1 200 OK\nContent-Length: {size}", lambda body: body[:-1])),
    "without the last chunk at first": first(raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", lambda body: in_chunks(body, end=b""))),
    "packed and cut at first": first(raw("HTTP/1.1 200 OK\nContent-Encoding: gzip", lambda body: gzip.compress(body)[:-9])),
    "five redirects": redirects(5),
    "a redirect with a cookie": asks_for_a_cookie,
    "a first link that is stale": only_the_second_link,
    "no length": raw("HTTP/1.1 200 OK\nConnection: close"),
    "chunks": sent(chunked=True),
    "HTTP/1.0": raw("HTTP/1.0 200 OK\nServer: SimpleHTTP"),
    "HTTP/1.0 with a length": raw("HTTP/1.0 200 OK\nContent-Length: {size}"),
    "a head without a reason": raw("HTTP/1.1 200\ncontent-length: {size}"),
    "early hints": raw("HTTP/1.1 103 Early Hints\nLink: </a.css>\n\nHTTP/1.1 200 OK\nContent-Length: {size}"),
    "the content type of a page": sent("200 OK\nContent-Type: text/html; charset=utf-8"),
    "the content type of a picture": sent("200 OK\nContent-Type: image/png"),
}  # fmt: skip
"""Each brings the whole film in the end."""

REFUSED: dict[str, tuple[Answer, str]] = {
    "an HTML page": (sent("200 OK\nContent-Type: video/mp4", pack=lambda _: PAGE), "text_document"),
    "JSON": (sent("200 OK", pack=lambda _: b'{"error": "expired"}'), "text_document"),
    "XML": (sent("200 OK", pack=lambda _: b"<?xml version='1.0'?><Error/>"), "text_document"),
    "a cut body": (raw("HTTP/1.1 200 OK\nContent-Length: {size}", lambda body: body[:-1]), "truncated"),
    "a missing last chunk": (raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", lambda body: in_chunks(body, end=b"")), "truncated"),
    "a part": (sent("206 Partial Content\nContent-Range: bytes 0-{last}/99999999"), "truncated"),
    "nothing": (sent(pack=lambda _: b""), "empty"),
    "202 for ever": (sent("202 Accepted", pack=lambda _: b"{}"), "not_ready"),
    "403 for ever": (sent("403 Forbidden", pack=lambda _: PAGE), "refused"),
    "503 for ever": (sent("503 Service Unavailable", pack=lambda _: PAGE), "network"),
    "six redirects": (redirects(6), "refused"),
}  # fmt: skip
"""None of these is a result; beside each the reason that is given."""
