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
        self._looking: asyncio.Task[list[Finding]] | None = None

    async def open(self) -> None:
        await self.drills.open()

    async def check_local(self) -> list[Finding]:
        """Disk and backends, as this process reaches them, within 10 s; one look for all who ask at once."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._doctor.check_local(), name="doctor")
        return await asyncio.shield(self._looking)

    def judge(self, measured: BrowserReport) -> list[Finding]:
        """What a browser has measured on its own way to here."""
        return judge(measured, self._public_url)

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self.drills.close()
