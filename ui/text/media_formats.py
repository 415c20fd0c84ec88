"""Names of file formats, and the reasons why a browser does not show a kept file."""

from services.core.model import Generation, Kept, Kind
from services.media.formats import EXTENSIONS
from ui.text import _, deferred

FAILURES = {
    "format": deferred("This browser cannot play this format ({format}). Download it to watch it."),
    "rest": deferred("This browser cannot play the rest of this video ({format}). Download it to watch it."),
    "gone": deferred("This file is missing from the disk."),
}
"""By what look/player.js found out."""
IMAGE_FORMAT = deferred("This browser cannot show this format ({format}). Download it to see it.")
CODECS = {
    "av1": "AV1",
    "ffv1": "FFV1",
    "h263": "H.263",
    "h264": "H.264",
    "hevc": "HEVC",
    "mjpeg": "Motion JPEG",
    "mpeg1video": "MPEG-1",
    "mpeg2video": "MPEG-2",
    "mpeg4": "MPEG-4",
    "prores": "ProRes",
    "vvc": "VVC",
}
CONTAINERS = {"jpg": "JPEG", "tif": "TIFF", "webm": "WebM", "webp": "WebP"}
SELDOM_PLAYED = ("mkv", "mov")
"""Containers that themselves may be the reason."""


def cannot_show(generation: Generation, failure: str) -> str:
    is_image = failure == "format" and generation.request.kind is Kind.IMAGE
    sentence = IMAGE_FORMAT if is_image else FAILURES[failure]
    return _(sentence).format(format=format_name(generation.kept))


def format_name(kept: Kept | None) -> str:
    """Returns HEVC, MKV with AV1, or TIFF."""
    if kept is None:
        return ""
    extension = EXTENSIONS.get(kept.content_type, "")
    container = CONTAINERS.get(extension, extension.upper())
    if kept.codec is None:
        return container
    codec = CODECS.get(kept.codec, kept.codec.upper())
    if extension not in SELDOM_PLAYED:
        return codec
    return _("{container} with {codec}").format(container=container, codec=codec)
