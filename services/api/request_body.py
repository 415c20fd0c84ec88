"""Reads request bodies: counts them while they arrive, bounds them before parsing."""

import json
import math
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NoReturn

from fastapi import Request
from python_multipart.exceptions import FormParserError
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from services.api.errors import BadRequest
from services.api.validation_errors import printable

MAX_SMALL_BYTES = 1024**2
MAX_SOURCE_BYTES = 50 * 1024**2
MAX_FIELDS_BYTES = 256 * 1024
MAX_FIELDS = 20
MAX_DEPTH = 32
MAX_KEY_LENGTH = 255
JSON, FORM = "application/json", "multipart/form-data"
NO_PICTURE = "Send the picture as the part named file."
TOO_LARGE = "The picture may have at most 50 MB."
NESTING = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
STRINGS_AND_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[][{}]', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    fields: dict[str, str]
    file: bytes


async def content(request: Request) -> dict[str, Any] | Form:
    """Raises BadRequest."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    charset = re.search(r'charset="?([^";\s]*)', parameters.lower())
    if kind not in (JSON, FORM) or (charset and charset[1] not in ("utf-8", "utf8", "us-ascii")):
        raise BadRequest(
            "Send JSON (application/json), or multipart/form-data with a picture as file, in UTF-8.",
            status=415,
        )
    if kind == FORM:
        return await _form(request)
    return parse_json(await small(request, "The JSON body may have at most 1 MB."))


def picture(request: Request) -> AsyncGenerator[bytes]:
    """A bare body, refused when it announces or exceeds more than the limit. Raises BadRequest."""
    return _counted(request, MAX_SOURCE_BYTES, TOO_LARGE)


def idempotency_key(request: Request) -> str | None:
    """Raises BadRequest."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    key = keys[0].strip()
    if len(keys) > 1 or not 1 <= len(key) <= MAX_KEY_LENGTH or not (key.isascii() and key.isprintable()):
        raise BadRequest(
            f"Idempotency-Key must be one header of 1 to {MAX_KEY_LENGTH} plain characters.",
            field="Idempotency-Key",
        )
    return key


def parse_json(raw: bytes) -> dict[str, Any]:
    """An object with unique names and finite numbers. Raises BadRequest."""
    if _is_too_deep(raw):
        raise BadRequest(f"The JSON is nested more than {MAX_DEPTH} levels deep.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not UTF-8.") from error
    if not text.strip():
        raise BadRequest('The body is empty; send at least {"prompt": "..."}.')
    try:
        value = json.loads(
            text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_unique_names
        )
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not readable JSON.") from error
    if not isinstance(value, dict):
        raise BadRequest('The body must be a JSON object, as {"prompt": "..."}.')
    return value


def _is_too_deep(raw: bytes) -> bool:
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return False
    steps = (NESTING.get(match[0], 0) for match in STRINGS_AND_BRACKETS.finditer(raw))
    return max(accumulate(steps)) > MAX_DEPTH


def _no_constant(name: str) -> NoReturn:
    raise BadRequest(f"{name} is no JSON number.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadRequest("A number in the body is too large.")
    return number


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise BadRequest(f"The field {printable(name)} stands in the body twice.", field=printable(name))
        values[name] = value
    return values


async def small(request: Request, too_large: str = "The body may have at most 1 MB.") -> bytes:
    """At most 1 MB, as it is. Raises BadRequest."""
    return b"".join([chunk async for chunk in _counted(request, MAX_SMALL_BYTES, too_large)])


async def _counted(request: Request, limit_bytes: int, sentence: str) -> AsyncGenerator[bytes]:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) < 20 and int(announced) > limit_bytes:
        raise BadRequest(sentence, status=413)
    received_bytes = 0
    async for chunk in request.stream():
        received_bytes += len(chunk)
        if received_bytes > limit_bytes:
            raise BadRequest(sentence, status=413)
        yield chunk


class _CompleteForm(MultiPartParser):
    """Insists on the closing boundary: half a form would start a job without its picture.

    It hands each text over as latin-1, which loses nothing: what is no UTF-8 would otherwise become latin-1
    without a word, and another prompt.
    """

    ended = False

    def __init__(self, request: Request) -> None:
        super().__init__(
            Headers({"content-type": f"{request.headers['content-type']}; charset=latin-1"}),
            self._checked(_counted(request, MAX_SOURCE_BYTES + MAX_FIELDS_BYTES, TOO_LARGE)),
            max_files=1,
            max_fields=MAX_FIELDS,
            max_part_size=MAX_FIELDS_BYTES,
        )

    def on_end(self) -> None:
        self.ended = True

    async def _checked(self, stream: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """Raises from inside the parsing, which then closes its temporary files."""
        async for chunk in stream:
            yield chunk
        if not self.ended:
            raise BadRequest("The multipart body ends too early.")


async def _form(request: Request) -> Form:
    try:
        form = await _CompleteForm(request).parse()
    except (MultiPartException, FormParserError) as error:
        raise BadRequest("The multipart body cannot be read.") from error
    try:
        return await _fields_and_file(form.multi_items())
    except UnicodeDecodeError as error:
        raise BadRequest("The form is not UTF-8.") from error
    finally:
        await form.close()


async def _fields_and_file(items: list[tuple[str, str | UploadFile]]) -> Form:
    fields: dict[str, str] = {}
    file: bytes | None = None
    for latin_name, value in items:
        name = _from_latin(latin_name)
        if name in fields or (name == "file" and file is not None):
            raise BadRequest(f"The field {printable(name)} stands in the form twice.", field=printable(name))
        if isinstance(value, str):
            fields[name] = _from_latin(value)
        elif name == "file":
            file = await value.read(MAX_SOURCE_BYTES + 1)
        else:
            raise BadRequest(NO_PICTURE, status=422, field="file")
    if file is None:
        raise BadRequest(NO_PICTURE, status=422, field="file")
    if len(file) > MAX_SOURCE_BYTES:
        raise BadRequest(TOO_LARGE, status=413, field="file")
    return Form(fields=fields, file=file)


def _from_latin(text: str) -> str:
    """Raises UnicodeDecodeError for what was not UTF-8."""
    return text.encode("latin-1").decode()
