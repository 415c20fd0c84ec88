"""Kept files over HTTP: Starlette handles the ranges of whole files; copies have their own."""

import re
from collections.abc import Mapping
from pathlib import Path

from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.core.model import Kept
from services.media.file_names import content_disposition
from services.media.formats import CONTENT_TYPES
from services.media.tagged_copy import Copy

BYTES = "application/octet-stream"
_ONE_RANGE = re.compile(rb"bytes=(?:(\d{1,18})-(\d{1,18})?|-\d{1,18})")
_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


def served_type(kept: Kept) -> str:
    """What carries a problem is never shown in a browser."""
    known = kept.problem is None and kept.content_type in CONTENT_TYPES
    return kept.content_type if known else BYTES


def file_response(
    path: Path,
    *,
    content_type: str,
    etag: str,
    download_name: str | None = None,
    method: str = "GET",
    headers: Mapping[str, str],
) -> Response:
    """Raises FileNotFoundError. `headers` are the request's; a browser saves the file as `download_name`."""
    stat = path.stat()
    own = {**_HEADERS, "ETag": f'"{etag}"'}
    if method in ("GET", "HEAD") and _is_known(headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=own)
    if content_type not in CONTENT_TYPES:
        content_type, download_name = BYTES, download_name or "file"
    if download_name is not None:
        own["Content-Disposition"] = content_disposition(download_name)
    return _KeptFileResponse(path, headers=own, media_type=content_type, stat_result=stat)


def copy_response(
    copy: Copy,
    *,
    content_type: str,
    download_name: str,
    method: str = "GET",
    headers: Mapping[str, str],
) -> Response:
    """Announces the length, so that a browser shows the download's progress. `headers` are the request's.

    The same copy always has the same ETag, so that a download that broke off continues.
    """
    size, etag = copy.size_bytes, copy.etag
    own = {
        **_HEADERS,
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
        "ETag": f'"{etag}"',
        "Content-Disposition": content_disposition(download_name),
    }
    if copy.shortened:
        own["Rushes-Shortened"] = ", ".join(copy.shortened)
    if _is_known(headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=own)
    known = content_type if content_type in CONTENT_TYPES else BYTES
    wanted, status = range(size), 200
    if headers.get("if-range", f'"{etag}"') == f'"{etag}"':
        asked = _asked_range(headers.get("range", ""), size)
        if asked is not None and not asked:
            own["Content-Range"] = f"bytes */{size}"
            return Response(status_code=416, headers=own, media_type=known)
        if asked is not None:
            wanted, status = asked, 206
            own["Content-Range"] = f"bytes {asked.start}-{asked.stop - 1}/{size}"
    own["Content-Length"] = str(len(wanted))
    if method == "HEAD":
        return Response(status_code=status, headers=own, media_type=known)
    return StreamingResponse(copy.chunks(wanted), status_code=status, headers=own, media_type=known)


class _KeptFileResponse(FileResponse):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ignores malformed and multiple ranges (RFC 9110, 14.2); Starlette would answer 400."""
        kept = [(key, value) for key, value in scope["headers"] if key != b"range" or _is_range(value)]
        await super().__call__({**scope, "headers": kept}, receive, send)


def _is_known(if_none_match: str | None, etag: str) -> bool:
    known = [each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")]
    return f'"{etag}"' in known or "*" in known


def _is_range(value: bytes) -> bool:
    found = _ONE_RANGE.fullmatch(value.strip())
    return found is not None and (found[2] is None or int(found[1]) <= int(found[2]))


def _asked_range(header: str, size: int) -> range | None:
    """None for the whole, also where the header is malformed or lists several; empty outside the file."""
    value = header.strip().encode("latin-1", "replace")
    found = _ONE_RANGE.fullmatch(value) if _is_range(value) else None
    if found is None:
        return None
    if found[1] is None:
        return range(max(0, size - int(value.rpartition(b"-")[2])), size)
    return range(int(found[1]), size if found[2] is None else min(size, int(found[2]) + 1))
