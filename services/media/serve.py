"""Kept files over HTTP: Starlette handles ranges; this module checks headers and names."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from services.core.model import Kept
from services.media.formats import CONTENT_TYPES
from services.media.tagged_copy import Copy

BYTES = "application/octet-stream"
_ONE_RANGE = re.compile(rb"bytes=(?:(\d{1,18})-(\d{1,18})?|-\d{1,18})")
_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}
_MAX_STEM_LENGTH = 120
_MAX_EXTENSION_LENGTH = 10


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
    return _KeptFileResponse(
        path,
        headers=own,
        media_type=content_type,
        stat_result=stat,
        filename=None if download_name is None else safe_name(download_name),
    )


def copy_response(copy: Copy, *, content_type: str, download_name: str, method: str) -> Response:
    """Announces the length, so that a browser shows the download's progress."""
    quoted = quote(download_name)
    filename = f'filename="{quoted}"' if quoted == download_name else f"filename*=utf-8''{quoted}"
    headers = {
        **_HEADERS,
        "Cache-Control": "private, no-cache",
        "Content-Length": str(copy.size_bytes),
        "Content-Disposition": f"attachment; {filename}",
    }
    known = content_type if content_type in CONTENT_TYPES else BYTES
    if method == "HEAD":
        return Response(headers=headers, media_type=known)
    return StreamingResponse(copy.chunks(), headers=headers, media_type=known)


class _KeptFileResponse(FileResponse):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ignores malformed and multiple ranges (RFC 9110, 14.2); Starlette would answer 400."""
        kept = [(key, value) for key, value in scope["headers"] if key != b"range" or _is_range(value)]
        await super().__call__({**scope, "headers": kept}, receive, send)


def safe_name(name: str) -> str:
    """Returns a file name without path, control and invisible characters."""
    cleaned = re.sub(r'[/\\:*?"<>|]', "_", "".join(filter(str.isprintable, name))).strip(" .")
    stem, dot, extension = cleaned.rpartition(".")
    if dot and len(extension) <= _MAX_EXTENSION_LENGTH:
        return f"{stem[:_MAX_STEM_LENGTH]}.{extension}"
    return cleaned[:_MAX_STEM_LENGTH] or "file"


def _is_known(if_none_match: str | None, etag: str) -> bool:
    known = [each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")]
    return f'"{etag}"' in known or "*" in known


def _is_range(value: bytes) -> bool:
    found = _ONE_RANGE.fullmatch(value.strip())
    return found is not None and (found[2] is None or int(found[1]) <= int(found[2]))
