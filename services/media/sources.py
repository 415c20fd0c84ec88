"""Pictures that a generation starts from."""

from __future__ import annotations

from services.errors import DeliveryFailed, InvalidRequest
from services.media.files import MediaFolder
from services.media.keeping import Keeper
from services.media.threads import in_thread
from services.model import Kind

MOST_BYTES = 50 * 1024 * 1024
MOST_PIXELS = 40_000_000
TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})


class Sources:
    def __init__(self, folder: MediaFolder, keeper: Keeper) -> None:
        self._folder = folder
        self._keeper = keeper

    async def keep(self, data: bytes) -> str:
        """Its name in the media folder. Raises InvalidRequest for what is no picture, or too large."""
        if not data or len(data) > MOST_BYTES:
            raise InvalidRequest("The picture must have between 1 byte and 50 MB.", field="file")
        part = self._folder.part("source")
        await in_thread(part.write_bytes, data)
        try:
            kept = await self._keeper.take(Kind.IMAGE, part)
        except DeliveryFailed as error:
            raise InvalidRequest("This picture cannot be used: {why}", field="file", why=error) from error
        if kept.content_type not in TYPES or kept.width * kept.height > MOST_PIXELS:
            await self._keeper.discard(kept)
            raise InvalidRequest("Send a PNG, JPEG or WebP of at most 40 megapixels.", field="file")
        return kept.name
