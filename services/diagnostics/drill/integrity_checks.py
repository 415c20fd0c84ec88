"""Only whole files are kept, and later damage is found."""

import asyncio
import hashlib
from pathlib import Path

from services.core.errors import Sentence, Words
from services.diagnostics.drill.rules import check
from services.diagnostics.drill.sandbox import Sandbox, expect


@check(
    "R3", Words("A dead link, an incomplete file, an error page: each is downloaded again until complete.")
)
async def broken_downloads(sandbox: Sandbox) -> None:
    service, rows = sandbox.service, []
    for name in ("gone", "short", "page"):
        urls = (service.link(name), service.link("whole"))
        rows.append(await sandbox.start(f"{name} download", urls=urls, streams=("refused",)))
    for row in rows:
        done = await sandbox.until_kept(row)
        whole = done.kept is not None and done.kept.sha256 == hashlib.sha256(service.whole).hexdigest()
        expect(whole, Sentence("the saved file differs"))
        failed = any(entry.event == "keep_failed" for entry in await sandbox.trace(done))
        expect(failed, Sentence("the broken file is not in the timeline"))


@check("R3", Words("One bit of a saved file changes: the file check reports it."))
async def bit_rot(sandbox: Sandbox) -> None:
    done = await sandbox.until_kept(await sandbox.start("bit rot"))
    assert done.kept is not None
    await asyncio.to_thread(_flip_a_bit, sandbox.engine.generations.media(done.kept.name))
    scrubbed = await sandbox.engine.library.scrub.run_once(force=True)
    expect(done.id in scrubbed.damaged, Sentence("the damaged file was not reported"))


def _flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


CHECKS = (broken_downloads, bit_rot)
