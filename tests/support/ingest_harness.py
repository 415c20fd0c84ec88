"""An ingest with its folder, and a site that it may fetch from; its fixtures run on the module's loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.core.errors import DeliveryFailed
from services.core.model import Kind
from services.http.address_guard import AddressGuard
from services.media.download import Downloader
from services.media.ingest import Ingest
from services.media.storage.folder import MediaFolder
from services.media.worker_pool import Worker
from tests.support.raw_site import Site, open_site


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker() -> AsyncIterator[Worker]:
    worker = Worker(processes=2)
    await worker.start()
    yield worker
    await worker.close()


@pytest_asyncio.fixture(loop_scope="module")
async def ingest_harness(tmp_path: Path, worker: Worker) -> AsyncIterator[IngestHarness]:
    async with open_site() as site:
        harness = IngestHarness(tmp_path / "media", site, worker)
        yield harness
        await harness.downloader.close()


class IngestHarness:
    def __init__(self, root: Path, site: Site, worker: Worker) -> None:
        self.site = site
        self.root = root
        self.worker = worker
        self._open(None)

    async def restart(self, checkpoint: Any = None) -> None:
        """On the same folder."""
        await self.downloader.close()
        self._open(checkpoint)

    def _open(self, checkpoint: Any) -> None:
        self.folder = MediaFolder(self.root)
        self.downloader = Downloader(AddressGuard([self.site.origin]))
        self.ingest = Ingest(self.folder, self.downloader, self.worker, checkpoint=checkpoint)

    def serve(self, body: bytes) -> str:
        """Returns its address."""
        return self.site.respond("/result", "200 OK\nContent-Type: video/mp4", body)

    async def refusal(self, body: bytes, kind: Kind = Kind.VIDEO) -> DeliveryFailed:
        url = self.serve(body)
        with pytest.raises(DeliveryFailed) as failed:
            await self.ingest.download_and_store("one", kind, url)
        assert url not in str(failed.value)
        return failed.value

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file())
