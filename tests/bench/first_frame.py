"""Backend finished to first frame, over push, in a real Chromium that has the app's page open.

A 250 KB clip, downloaded, verified, renamed and committed on the way. The prompt is typed and Generate pressed; the
clock starts at the backend's own finishing time and stops when the page's video has its first frame (`loadeddata`),
and when that frame was handed to the screen (`requestVideoFrameCallback`). All clocks are this machine's.
In turns with it: what a poller every 10 s needs for the same jobs, from the job's end to the downloaded bytes; as a
job may end at any time between two polls, the first poll comes 0-10 s after the submit.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

from playwright.async_api import Page, async_playwright

from tests.bench import rig
from tests.bench.table import Figure, one, percentile
from tests.support.app import RunningApp
from tests.support.chromium import FLAGS, chromium

CLIPS = 30
WARM_UP = 2
WITHIN_S = 30.0
CAMERA = """
window.frames_seen = {};
document.addEventListener("loadeddata", ({ target: { currentSrc } }) => {
  (window.frames_seen[currentSrc] ??= {}).loaded_ms ??= Date.now();
}, true);
document.addEventListener("loadstart", ({ target }) => {
  target.requestVideoFrameCallback(() => {
    (window.frames_seen[target.currentSrc] ??= {}).shown_ms ??= Date.now();
  });
}, true);
"""
COMPLETE = "count => Object.values(window.frames_seen).filter((one) => one.loaded_ms && one.shown_ms).length >= count"


def measure() -> list[Figure]:
    with rig.wire(result="small", progress_every_s=0.5) as backend, rig.studio(backend) as app:
        return asyncio.run(_measure(backend, app))


async def _measure(backend: rig.Wire, app: RunningApp) -> list[Figure]:
    rng = random.Random(1)
    prompts = [f"clip number {number}" for number in range(WARM_UP + CLIPS)]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = await browser.new_page()
        await page.add_init_script(CAMERA)
        await page.goto(app.url)
        pollers = []
        for number, prompt in enumerate(prompts):
            backend.script(prompt, length_s=rng.uniform(1, 3))
            await _generate(page, prompt)
            job_id = await _job_of(backend, prompt)
            poller = rig.plain_poller(backend, job_id, first_in_s=rng.uniform(0, rig.POLLER_EVERY_S))
            pollers.append(asyncio.create_task(poller))
            await page.wait_for_function(COMPLETE, arg=number + 1, timeout=1000 * WITHIN_S)
        seen: dict[str, dict[str, float]] = await page.evaluate("window.frames_seen")
        polled = [at for at, _ in await asyncio.gather(*pollers)]
        await browser.close()
    return _figures(backend, app, prompts, seen, polled)


async def _generate(page: Page, prompt: str) -> None:
    await page.get_by_role("textbox", name="Prompt").fill(prompt)
    await page.get_by_role("button", name="Generate").click()


async def _job_of(backend: rig.Wire, prompt: str) -> str:
    for _ in range(200):
        job: dict[str, Any] | None = (await asyncio.to_thread(backend.jobs)).get(prompt)
        if job is not None:
            return str(job["id"])
        await asyncio.sleep(0.02)
    raise TimeoutError("the prompt did not reach the backend")


def _figures(
    backend: rig.Wire,
    app: RunningApp,
    prompts: list[str],
    seen: dict[str, dict[str, float]],
    polled: list[float],
) -> list[Figure]:
    jobs, kept_at = backend.jobs(), rig.kept_at(app)
    ids = {
        item["video_generation"]["prompt"]: item["id"]
        for item in app.get(f"/api/files?type=video&limit={len(prompts)}")["items"]
    }
    loaded, shown, kept, plain = [], [], [], []
    for prompt, polled_at in list(zip(prompts, polled, strict=True))[WARM_UP:]:
        finished_at = jobs[prompt]["finished_at"]
        frame = next(times for address, times in seen.items() if ids[prompt] in address)
        loaded.append(frame["loaded_ms"] - 1000 * finished_at)
        shown.append(frame["shown_ms"] - 1000 * finished_at)
        kept.append(1000 * (kept_at[ids[prompt]] - finished_at))
        plain.append(1000 * (polled_at - finished_at))
    return [
        Figure(
            name="finished to first frame loaded", unit="ms", values=loaded, at_most={"p50": 100, "p95": 250}
        ),
        Figure(name="finished to first frame on the screen", unit="ms", values=shown),
        Figure(name="finished to kept (row final)", unit="ms", values=kept),
        Figure(name="a plain 10 s poller, to its bytes", unit="ms", values=plain),
        one("poller p50 / first frame p50", "times", percentile(plain, 50) / percentile(loaded, 50)),
    ]
