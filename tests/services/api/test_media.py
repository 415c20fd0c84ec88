"""/media: bytes as they were received, by range and by name."""

from __future__ import annotations

import io
from urllib.parse import unquote

import httpx
import pytest
from PIL import Image
from prometheus_client import generate_latest

from services.api import Metrics
from services.core.model import Draft, Kind, Phase
from services.media.xmp import facts_in
from tests.services.api.stand_in import SHA256, StandIn, generation, kept

FILM = bytes(range(256)) * 4


@pytest.fixture
def finished(stand_in: StandIn) -> str:
    (stand_in.media("p.webp")).write_bytes(b"poster")
    (stand_in.media("p.mp4")).write_bytes(b"preview")
    stand_in.commit(generation())
    return stand_in.finish("gen-0", FILM, poster="p.webp", preview="p.mp4").id


@pytest.mark.asyncio
async def test_the_bytes_come_as_they_were_kept(client: httpx.AsyncClient, finished: str) -> None:
    answer = await client.get(f"/media/{finished}/file")
    assert (answer.status_code, answer.content) == (200, FILM)
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["ETag"] == f'"{SHA256}"'
    assert "Content-Disposition" not in answer.headers


@pytest.mark.asyncio
async def test_the_media_keep_their_own_stricter_policy(client: httpx.AsyncClient, finished: str) -> None:
    answer = await client.get(f"/media/{finished}/file")
    assert answer.headers.get_list("Content-Security-Policy") == ["sandbox; default-src 'none'"]
    assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("wanted", "content", "content_range"),
    [
        ("bytes=0-3", FILM[:4], "bytes 0-3/1024"),
        ("bytes=1020-", FILM[1020:], "bytes 1020-1023/1024"),
        ("bytes=-4", FILM[-4:], "bytes 1020-1023/1024"),
    ],
)
async def test_a_range_is_a_206(
    client: httpx.AsyncClient, finished: str, wanted: str, content: bytes, content_range: str
) -> None:
    answer = await client.get(f"/media/{finished}/file", headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (206, content)
    assert answer.headers["Content-Range"] == content_range


@pytest.mark.asyncio
async def test_a_range_outside_is_a_416(client: httpx.AsyncClient, finished: str) -> None:
    answer = await client.get(f"/media/{finished}/file", headers={"Range": "bytes=5000-"})
    assert answer.status_code == 416


@pytest.mark.asyncio
async def test_what_is_known_is_not_sent_again(client: httpx.AsyncClient, finished: str) -> None:
    answer = await client.get(f"/media/{finished}/file", headers={"If-None-Match": f'"{SHA256}"'})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.asyncio
async def test_head_tells_the_size_without_the_bytes(client: httpx.AsyncClient, finished: str) -> None:
    answer = await client.head(f"/media/{finished}/file")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == "1024"


@pytest.mark.asyncio
async def test_poster_and_preview_have_their_own_types(client: httpx.AsyncClient, finished: str) -> None:
    poster = await client.get(f"/media/{finished}/poster")
    preview = await client.get(f"/media/{finished}/preview")
    assert (poster.content, poster.headers["Content-Type"]) == (b"poster", "image/webp")
    assert (preview.content, preview.headers["Content-Type"]) == (b"preview", "video/mp4")
    assert poster.headers["ETag"] != preview.headers["ETag"]


@pytest.mark.asyncio
async def test_a_download_is_named_after_its_prompt(client: httpx.AsyncClient, finished: str) -> None:
    answer = await client.get(f"/media/{finished}/download")
    assert answer.content == FILM
    disposition = answer.headers["Content-Disposition"]
    assert disposition == 'attachment; filename="a-red-kite-over-the-sea-gen0.mp4"'


@pytest.mark.asyncio
async def test_a_prompt_cannot_break_out_of_the_name(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    prompt = '"; x\r\nSet-Cookie: a=b ../../etc/passwd \u202e МОРЕ'
    stand_in.commit(generation("gen-9", Draft(kind=Kind.VIDEO, prompt=prompt)))
    stand_in.finish("gen-9")
    answer = await client.get("/media/gen-9/download")
    assert "Set-Cookie" not in answer.headers
    name = answer.headers["Content-Disposition"]
    assert name.startswith('attachment; filename="x-set-cookie-a-b-etc-passwd-')
    assert "/" not in name


@pytest.mark.asyncio
async def test_a_prompt_without_words_still_has_a_name(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.commit(generation("gen-9", Draft(kind=Kind.VIDEO, prompt="!?")))
    stand_in.finish("gen-9")
    answer = await client.get("/media/gen-9/download")
    assert 'filename="video-gen9.mp4"' in answer.headers["Content-Disposition"]


@pytest.mark.asyncio
@pytest.mark.parametrize("phase", [Phase.PROCESSING, Phase.COLLECTING, Phase.ERROR])
async def test_nothing_is_served_before_it_is_kept(
    client: httpx.AsyncClient, stand_in: StandIn, phase: Phase
) -> None:
    (stand_in.media("early.mp4")).write_bytes(b"half")
    stand_in.commit(generation(phase=phase, kept=kept("early.mp4", 4)))
    assert (await client.get("/media/gen-0/file")).status_code == 404


@pytest.mark.asyncio
async def test_a_film_without_a_poster_has_none(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.commit(generation())
    stand_in.finish("gen-0")
    assert (await client.get("/media/gen-0/poster")).status_code == 404
    assert (await client.get("/media/gen-0/preview")).status_code == 404


@pytest.mark.asyncio
async def test_a_kept_file_that_is_gone_is_counted_as_lost_once(
    client: httpx.AsyncClient, stand_in: StandIn, finished: str, metrics: Metrics
) -> None:
    stand_in.media("gen-0.mp4").unlink()
    for _ in range(2):
        answer = await client.get(f"/media/{finished}/file")
        assert (answer.status_code, answer.json()["success"]) == (404, False)
    assert b"rushes_lost_total 1.0" in generate_latest(metrics.registry)


@pytest.mark.asyncio
async def test_a_deleted_film_is_served_to_nobody(
    client: httpx.AsyncClient, stand_in: StandIn, finished: str
) -> None:
    await stand_in.delete(finished)
    for name in ("file", "download"):
        assert (await client.get(f"/media/{finished}/{name}")).status_code == 404
    assert (await client.get(f"/media/{finished}/poster")).status_code == 200  # the trash shows it


COPIES = ["whole", "with a story"]


@pytest.fixture(params=COPIES)
def download(request: pytest.FixtureRequest, stand_in: StandIn) -> str:
    """A film that our writer does not understand, and a picture that carries its story."""
    stand_in.commit(generation())
    content = FILM
    if request.param == "with a story":
        out = io.BytesIO()
        Image.effect_noise((40, 30), 50).save(out, "PNG")
        content = out.getvalue()
    return f"/media/{stand_in.finish('gen-0', content).id}/download"


@pytest.mark.asyncio
async def test_a_download_that_broke_off_continues(client: httpx.AsyncClient, download: str) -> None:
    whole = await client.get(download)
    etag, size = whole.headers["ETag"], len(whole.content)
    assert whole.headers["Accept-Ranges"] == "bytes"
    for first in (0, 1, 33, 200, size // 2, size - 1):
        headers = {"Range": f"bytes={first}-", "If-Range": etag}
        rest = await client.get(download, headers=headers)
        assert (rest.status_code, rest.content) == (206, whole.content[first:])
        assert rest.headers["Content-Range"] == f"bytes {first}-{size - 1}/{size}"
        assert rest.headers["ETag"] == etag
        assert rest.headers["Content-Disposition"] == whole.headers["Content-Disposition"]
    for asked, part in {"bytes=30-59": whole.content[30:60], "bytes=-7": whole.content[-7:]}.items():
        assert (await client.get(download, headers={"Range": asked})).content == part


@pytest.mark.asyncio
async def test_a_download_of_other_bytes_starts_anew(client: httpx.AsyncClient, download: str) -> None:
    whole = await client.get(download)
    for known in ('"other"', "W/" + whole.headers["ETag"], "Fri, 27 Nov 2026 10:00:00 GMT"):
        answer = await client.get(download, headers={"Range": "bytes=5-", "If-Range": known})
        assert (answer.status_code, answer.content) == (200, whole.content)
    for asked in ("bytes=0-1,5-6", "bytes=5-2", "lines=1-2", "nonsense"):
        assert (await client.get(download, headers={"Range": asked})).content == whole.content


@pytest.mark.asyncio
async def test_a_part_outside_a_download_is_a_416(client: httpx.AsyncClient, download: str) -> None:
    size = len((await client.get(download)).content)
    answer = await client.get(download, headers={"Range": f"bytes={size}-"})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{size}"


@pytest.mark.asyncio
async def test_a_known_download_is_not_sent_again(client: httpx.AsyncClient, download: str) -> None:
    etag = (await client.get(download)).headers["ETag"]
    for known in (etag, f"W/{etag}", "*", f'"other", {etag}'):
        answer = await client.get(download, headers={"If-None-Match": known, "Range": "bytes=1-"})
        assert (answer.status_code, answer.content) == (304, b"")
    other = await client.get(download, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.headers["ETag"]) == (200, etag)


@pytest.mark.asyncio
async def test_head_announces_a_download_without_its_bytes(client: httpx.AsyncClient, download: str) -> None:
    whole, head = await client.get(download), await client.head(download)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("Content-Length", "ETag", "Accept-Ranges", "Content-Type", "Content-Disposition"):
        assert head.headers[name] == whole.headers[name]
    part = await client.head(download, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.headers["Content-Length"], part.content) == (206, "10", b"")


@pytest.mark.asyncio
async def test_a_download_s_name_keeps_the_prompt_s_script(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stand_in.commit(generation("gen-9", Draft(kind=Kind.VIDEO, prompt="น้ำ ในทะเล, 風筝 " * 40)))
    stand_in.finish("gen-9")
    disposition = (await client.get("/media/gen-9/download")).headers["Content-Disposition"]
    fallback, _, encoded = disposition.partition("; filename*=UTF-8''")
    assert fallback == 'attachment; filename="gen9.mp4"'
    name = unquote(encoded)
    assert name.startswith("น้ำ-ในทะเล-風筝-น้ำ-")
    assert name.endswith("-gen9.mp4")
    assert len(name.encode()) <= 200


@pytest.mark.asyncio
async def test_a_download_says_what_it_had_no_room_for(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "JPEG")
    stand_in.commit(generation("gen-9", Draft(kind=Kind.IMAGE, prompt="😀" * 20_000)))
    stand_in.finish("gen-9", out.getvalue())
    answer = await client.get("/media/gen-9/download")
    assert answer.headers["Rushes-Shortened"] == "prompt"
    found = facts_in(answer.content)
    assert found is not None
    assert found["shortened"] == ["prompt"]
