"""Uploaded pictures: limited in size, decoded once, kept unchanged."""

import io
import warnings
from collections.abc import Awaitable, Callable

from PIL import Image
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

MAX_BYTES = 50 * 1024**2
MAX_PIXELS = 40_000_000
FORM_OVERHEAD_BYTES = 64 * 1024
EXTENSIONS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}


class BadUpload(ValueError):
    """The message is a sentence for a person."""


class TooLarge(BadUpload):
    """Larger than 50 MB."""


async def read_upload(request: Request) -> bytes:
    """Raises BadUpload."""
    counted = Request(request.scope, _counting(request.receive))
    try:
        async with counted.form(max_files=1, max_fields=8) as form:
            payload = form.get("payload")
            if not isinstance(payload, UploadFile):
                raise BadUpload("Send the picture as the multipart field named payload.")
            return await payload.read()
    except MultiPartException as error:
        raise BadUpload("The multipart body cannot be read.") from error


def extension_of(content: bytes) -> str:
    """Decodes the whole picture. Raises BadUpload. Blocks."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=list(EXTENSIONS)) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise BadUpload("The picture has more than 40 million pixels.")
                picture.load()
                return EXTENSIONS[picture.format or "PNG"]
    except BadUpload:
        raise
    except Exception as error:
        # Pillow's decoders raise whatever the bytes provoke: OSError, SyntaxError, struct.error, ValueError.
        raise BadUpload("This is no PNG, JPEG or WebP picture that can be opened.") from error


def _counting(receive: Callable[[], Awaitable[Message]]) -> Callable[[], Awaitable[Message]]:
    seen_bytes = 0

    async def counted() -> Message:
        nonlocal seen_bytes
        message = await receive()
        seen_bytes += len(message.get("body", b""))
        if seen_bytes > MAX_BYTES + FORM_OVERHEAD_BYTES:
            raise TooLarge("The picture is larger than 50 MB.")
        return message

    return counted
