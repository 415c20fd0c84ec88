from __future__ import annotations

import asyncio
import email.utils
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.media.serve import file_response

BYTES = bytes(range(256)) * 40
HASH = "ab" * 32


@pytest.fixture
def serve(tmp_path: Path) -> Any:
    (tmp_path / "film").write_bytes(BYTES)
    more: dict[str, Any] = {"content_type": "video/mp4"}

    async def film(request: Request) -> Response:
        return file_response(
            tmp_path / "film", etag=HASH, method=request.method, headers=request.headers, **more
        )

    app = Starlette(routes=[Route("/", film)])

    async def asked(method: str, headers: dict[str, str | bytes]) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://rushes") as client:
            return await client.request(method, "/", headers=headers)  # type: ignore[arg-type]

    def ask(method: str = "GET", options: dict[str, Any] | None = None, **headers: str | bytes) -> Any:
        more.update(options or {})
        return asyncio.run(asked(method, {name.replace("_", "-"): each for name, each in headers.items()}))

    return ask


def test_the_whole_file_comes_with_its_type_and_hash(serve: Any) -> None:
    answer = serve()
    assert (answer.status_code, answer.content) == (200, BYTES)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["etag"] == f'"{HASH}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert email.utils.parsedate(answer.headers["last-modified"])
    assert "content-disposition" not in answer.headers


@pytest.mark.parametrize("options", [{}, {"content_type": "text/html"}, {"download_name": "a.mp4"}])
def test_a_browser_can_do_nothing_with_the_bytes_but_show_them(serve: Any, options: dict[str, Any]) -> None:
    answer = serve(options=options)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, 10239),
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("bytes=10000-99999", 10000, 10239),
        ("bytes=-500", 9740, 10239),
        ("bytes=-99999", 0, 10239),
    ],
)
def test_a_range_is_answered_with_its_part(serve: Any, asked: str, first: int, last: int) -> None:
    answer = serve(range=asked)
    assert (answer.status_code, answer.content) == (206, BYTES[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/10240"
    assert answer.headers["content-length"] == str(last - first + 1)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("asked", ["bytes=10240-", "bytes=99999-100000", "bytes=-0"])
def test_a_range_outside_the_file_is_not_satisfiable(serve: Any, asked: str) -> None:
    answer = serve(range=asked)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */10240"
    assert answer.content == b""


@pytest.mark.parametrize(
    "asked",
    ["bytes=", "bytes=a-b", "bytes=5-2", "lines=1-2", "nonsense", "bytes=0-1,5-6", "bytes=-", "bytes=٣-"],
)
def test_a_range_that_is_malformed_or_manifold_is_ignored(serve: Any, asked: str) -> None:
    answer = serve(range=asked.encode())
    assert (answer.status_code, answer.content) == (200, BYTES)


def test_a_range_counts_only_for_the_same_bytes(serve: Any) -> None:
    assert serve(range="bytes=0-9", if_range=f'"{HASH}"').status_code == 206
    assert serve(range="bytes=0-9", if_range='"other"').status_code == 200
    assert serve(range="bytes=0-9", if_range=f'W/"{HASH}"').status_code == 200


@pytest.mark.parametrize("known", [f'"{HASH}"', f'W/"{HASH}"', f'"other", "{HASH}"', "*"])
def test_known_bytes_are_not_sent_again(serve: Any, known: str) -> None:
    answer = serve(if_none_match=known)
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == f'"{HASH}"'
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"


def test_other_bytes_are_sent(serve: Any) -> None:
    assert serve(if_none_match='"other"').status_code == 200
    assert serve(if_none_match=HASH[:8]).status_code == 200


def test_head_says_the_same_without_a_body(serve: Any) -> None:
    answer, whole = serve("HEAD"), serve()
    assert answer.content == b""
    assert answer.headers == whole.headers
    assert serve("HEAD", range="bytes=0-9").headers["content-length"] == "10"
    assert serve("HEAD", if_none_match=f'"{HASH}"').status_code == 304


@pytest.mark.parametrize(
    "kind", ["text/html", "image/svg+xml", "application/javascript", "", "video/mp4\r\nX: y"]
)
def test_any_other_type_is_a_download_of_bytes(serve: Any, kind: str) -> None:
    answer = serve(options={"content_type": kind})
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_download_carries_a_person_s_name(serve: Any) -> None:
    assert serve(options={"download_name": "red kite.mp4"}).headers["content-disposition"] == (
        'attachment; filename="red kite.mp4"'
    )
    assert serve(options={"download_name": "kite.mp4"}).headers["content-disposition"] == (
        'attachment; filename="kite.mp4"'
    )


def test_a_missing_file_is_told_before_the_answer_begins(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        file_response(tmp_path / "gone", content_type="video/mp4", etag=HASH, headers={})
