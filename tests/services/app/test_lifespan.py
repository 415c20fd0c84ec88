"""The engine as the app opens it, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.app.build import build_engine
from services.app.lifespan import running
from services.core.settings import Settings


@pytest.mark.asyncio
async def test_a_start_clears_away_what_a_killed_download_has_left(tmp_path: Path) -> None:
    left = tmp_path / "media" / ".parts" / "kite.0123.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a film")
    settings = Settings(_env_file=None, data_dir=tmp_path, animatic=False)  # type: ignore[call-arg]
    async with running(build_engine(settings)):
        assert not left.exists()
