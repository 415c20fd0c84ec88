"""Drill and doctor for the check-up page and the API."""

import asyncio

from services.diagnostics.doctor import Doctor, Finding
from services.diagnostics.doctor.browser_report import BrowserReport, judge
from services.diagnostics.runs.drill_runs import DrillRuns


class Diagnostics:
    """`public_url` is the address that people use, where it is set."""

    def __init__(self, drills: DrillRuns, doctor: Doctor, *, public_url: str | None) -> None:
        self.drills = drills
        self._doctor = doctor
        self._public_url = public_url
        self._local_check: asyncio.Task[list[Finding]] | None = None

    async def open(self) -> None:
        await self.drills.open()

    async def check_local(self) -> list[Finding]:
        """Checks disk and backends within 10 s; callers at the same time share one check."""
        if self._local_check is None or self._local_check.done():
            self._local_check = asyncio.create_task(self._doctor.check_local(), name="doctor")
        return await asyncio.shield(self._local_check)

    def judge(self, measured: BrowserReport) -> list[Finding]:
        """Judges a browser's measurements of its own way to here."""
        return judge(measured, self._public_url)

    async def close(self) -> None:
        if self._local_check is not None:
            self._local_check.cancel()
            await asyncio.gather(self._local_check, return_exceptions=True)
        await self.drills.close()
