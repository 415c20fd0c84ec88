"""Texts of every script, through the real app to the backend: what is sent is what was written, or a 4xx says why not."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote

import httpx
import pytest

from tests.support.app import NO_TLS, RunningApp, running_app
from tests.support.bad_input import job_of
from tests.support.fault_server import WireServer
from tests.support.killable_app import wire_settings
from tests.support.sample_media import picture

pytestmark = pytest.mark.timeout(120)

WRITTEN = {
    "4-byte": "👩🏽‍🚀 flies a 𝒌𝒊𝒕𝒆 over 𠮷野, 🇯🇵",
    "right to left": "עפיפון מעל הים, طائرة ورقية ٣ \u202eabc\u202c \u200fdef",
    "joiners": "می‌خواهم, क्‍ष, ทะเลและว่าว",
    "marks": "e\u0301 é ñ n\u0303 ﬁ ½ Å \u2126 \u0344",
    "markup": "<script>alert(1)</script> & \"quoted\" 'so' \\ \\u0041 %41 {x} ${y} `z` -- ; end",
    "quotes": 'a shop sign that says "open", “open” and «открыто»',
    "lines": "first\n\n  second\tand\u2028third\u00a0\u3000\u200bend",
    "odd": "\ufeffa \ufffd b \ue000 c \U0010fffd d \u00ad e",
}
"""As they must arrive."""

REFUSED = {
    "half a pair": rb'"a \ud83d kite"',
    "the other half": rb'"\ude00"',
    "halves in the wrong order": rb'"\ude00\ud83d"',
    "NUL": rb'"a\u0000kite"',
    "an escape character": rb'"a\u001b[31mkite"',
    "half a pair as bytes": b'"a \xed\xa0\xbd kite"',
    "latin-1": b'"caf\xe9"',
    "an overlong slash": b'"\xc0\xaf"',
}
"""JSON of each."""


@pytest.fixture(scope="module")
def wire() -> Iterator[WireServer]:
    with WireServer() as wire:
        wire.script(length_s=0.1)
        yield wire


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, wire: WireServer) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("data"), **wire_settings(wire)) as app:
        app.wait_for_models()
        yield app


@pytest.fixture(scope="module")
def http(app: RunningApp) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=app.url, trust_env=False, timeout=10, verify=NO_TLS) as client:
        yield client


def form(fields: dict[str, bytes], *, file_name: bytes = b"a.png") -> bytes:
    parts = [b'Content-Disposition: form-data; name="%b"\r\n\r\n%b' % (name.encode(), text) for name, text in fields.items()]  # fmt: skip
    parts.append(
        b'Content-Disposition: form-data; name="file"; filename="%b"\r\n\r\n%b' % (file_name, picture())
    )
    return b"".join(b"--edge\r\n%b\r\n" % part for part in parts) + b"--edge--\r\n"


def post_form(http: httpx.Client, body: bytes, *, charset: str = "") -> httpx.Response:
    kind = "multipart/form-data; boundary=edge" + (f"; charset={charset}" if charset else "")
    return http.post("/api/generate/video", content=body, headers={"Content-Type": kind})


def made(http: httpx.Client) -> tuple[int, int]:
    """Generations and conversations: both are committed before they are answered."""
    listed = http.get("/api/files", params={"limit": 200}), http.get("/api/chats", params={"limit": 200})
    files, chats = (len(each.json()["items"]) for each in listed)
    return files, chats


@pytest.fixture
def refused(http: httpx.Client) -> Callable[[httpx.Response], None]:
    before = made(http)

    def check(answer: httpx.Response) -> None:
        assert 400 <= answer.status_code < 500
        said = answer.json()
        assert said["success"] is False
        assert said["error"].endswith(".") and len(said["error"]) > 15
        assert made(http) == before

    return check


Refused = Callable[[httpx.Response], None]


# -- what is kept as it was written ----------------------------------------------------------------


@pytest.mark.parametrize("name", WRITTEN)
def test_a_text_in_json_reaches_the_backend_as_it_was_written(
    app: RunningApp, wire: WireServer, http: httpx.Client, name: str
) -> None:
    text = WRITTEN[name]
    file_id = app.generate(text, negative_prompt=f"{text}!")
    file = app.wait_for(file_id)
    config = wire.jobs[job_of(wire, text)].config
    assert (config["prompt"], config["negative_prompt"]) == (text, f"{text}!")
    assert file["video_generation"]["prompt"] == text
    saved = http.get(f"/media/{file_id}/download")
    assert saved.status_code == 200
    name = unquote(saved.headers["content-disposition"].rpartition("UTF-8''")[2])
    assert unicodedata.is_normalized("NFC", name)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_text_in_a_form_reaches_the_backend_as_it_was_written(
    app: RunningApp, wire: WireServer, http: httpx.Client, name: str
) -> None:
    prompt = f"form {WRITTEN[name]}"
    answer = post_form(http, form({"prompt": prompt.encode()}, file_name=WRITTEN["right to left"].encode()))
    assert answer.status_code == 202, answer.text
    app.wait_for(answer.json()["fileId"])
    assert job_of(wire, prompt)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_text_in_the_chat_reaches_the_backend_as_it_was_written(
    app: RunningApp, wire: WireServer, http: httpx.Client, name: str
) -> None:
    prompt = f"chat {WRITTEN[name]}"
    answer = http.post("/api/chat", json={"text": f"/video {prompt}"})
    assert answer.status_code == 202, answer.text
    app.wait_until(lambda: wire.jobs_of(prompt), 20)
    thread = http.get(f"/api/chat/{answer.json()['chatId']}").json()["messages"]
    assert thread[0]["text"] == f"/video {prompt}"


@pytest.mark.parametrize(
    "tag", ["👩🏽‍🚀🇯🇵", "עפיפון", "می‌خواهم", "\u202eabc\u202c", "<b>&amp;%41", "凧 揚げ"]
)
def test_a_tag_is_kept_as_it_was_written(app: RunningApp, http: httpx.Client, tag: str) -> None:
    file_id = app.generate(f"tagged {tag}")
    answer = http.put(f"/api/file/{file_id}/tags/{quote(tag, safe='')}")
    assert (answer.status_code, answer.json().get("tags")) == (200, [tag])
    found = http.get("/api/files", params={"tag": tag}).json()["items"]
    assert [each["id"] for each in found] == [file_id]


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["prompt", "negative_prompt", "style", "shot_size", "model"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_text_in_json_is_refused_with_a_sentence(
    refused: Refused, http: httpx.Client, name: str, field: str
) -> None:
    first = b"" if field == "prompt" else b'"prompt": "a kite", '
    body = b'{%b"%b": %b}' % (first, field.encode(), REFUSED[name])
    answer = http.post("/api/generate/video", content=body, headers={"Content-Type": "application/json"})
    refused(answer)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_text_in_the_chat_is_refused_with_a_sentence(
    refused: Refused, http: httpx.Client, name: str
) -> None:
    body = b'{"text": "/video ' + REFUSED[name].removeprefix(b'"') + b"}"
    answer = http.post("/api/chat", content=body, headers={"Content-Type": "application/json"})
    refused(answer)


@pytest.mark.parametrize(
    "text", [b"caf\xe9", b"a \xed\xa0\xbd kite", b"\xff", b"\xc0\xaf", b"a\0kite", b"a\x1bkite"]
)
def test_what_is_no_text_in_a_form_is_refused_and_never_read_as_another(
    refused: Refused, http: httpx.Client, text: bytes
) -> None:
    refused(post_form(http, form({"prompt": text})))
    refused(post_form(http, form({"prompt": b"a kite", "negative_prompt": text})))


def test_a_form_in_another_encoding_is_refused(refused: Refused, http: httpx.Client) -> None:
    body = form({"prompt": "змей".encode("koi8-r")})
    refused(post_form(http, body, charset="koi8-r"))
    assert post_form(http, form({"prompt": "змей".encode()}), charset='"UTF-8"').status_code == 202


@pytest.mark.parametrize("file_name", [b"\xff\xfe.png", b"a\0b.png", b"..\\..\\x.png", b"x" * 5000])
def test_a_pictures_file_name_does_no_harm(http: httpx.Client, file_name: bytes) -> None:
    assert post_form(http, form({"prompt": b"a kite"}, file_name=file_name)).status_code in (202, 400)


@pytest.fixture(scope="module")
def file_id(app: RunningApp) -> str:
    return app.generate("a kite without a tag")


@pytest.mark.parametrize("tag", ["%00", "a%00b", "%FF", "%ED%A0%BD", "%1B", "%E2%80%8D", "%EF%BF%BF"])
def test_a_tag_that_is_no_text_is_refused_with_a_sentence(
    app: RunningApp, http: httpx.Client, file_id: str, refused: Refused, tag: str
) -> None:
    refused(http.put(f"/api/file/{file_id}/tags/{tag}"))
    assert app.get(f"/api/file/{file_id}")["tags"] == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/files/zip", {"ids": ["\ud83d"]}),
        ("POST", "/api/files/zip", {"ids": ["a\0b"]}),
        ("POST", "/api/chat", {"text": "a kite", "id": "\ud83d"}),
        ("POST", "/api/chat/%ED%A0%BD/messages", {"text": "a kite"}),
        ("GET", "/api/file/%ED%A0%BD", None),
        ("GET", "/api/file/a%00b", None),
        ("GET", "/api/files?cursor=%ED%A0%BD", None),
    ],
)
def test_an_id_that_is_no_text_is_refused_with_a_sentence(
    refused: Refused, http: httpx.Client, method: str, path: str, body: object
) -> None:
    content = None if body is None else json.dumps(body).encode()
    answer = http.request(method, path, content=content, headers={"Content-Type": "application/json"})
    refused(answer)
