"""/api/drill and /api/doctor: runs and results of the self-checks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.diagnostics.doctor.finding import FAILED, PASSED, WARNING
from services.diagnostics.drill.checks import CHECKS
from services.diagnostics.runs import Run
from services.diagnostics.service import Diagnostics

MARKS = {PASSED: "well", WARNING: "doubtful", FAILED: "ill"}


def router(diagnostics: Diagnostics) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["running it"])

    @routes.post("/drill", status_code=202)
    async def begin() -> JSONResponse:
        """Begin a drill, in a process of its own; where one is under way, this is that one."""
        return JSONResponse(told(diagnostics.drills.start()), 202)

    @routes.get("/drill")
    async def drill() -> JSONResponse:
        """The drill under way, or the last one: each finding as it came."""
        run = diagnostics.drills.newest
        return JSONResponse({"success": True, "drill": None} if run is None else told(run))

    @routes.get("/doctor")
    async def doctor() -> JSONResponse:
        """The data folder's disk and the backends, as this install reaches them; the way to you is measured
        from your side, by `main.py doctor` or on /checkup.
        """
        findings = [
            {
                "mark": MARKS[finding.mark],
                "what": finding.what,
                "says": str(finding.says),
                "advice": str(finding.advice),
            }
            for finding in await diagnostics.check_local()
        ]
        return JSONResponse({"success": True, "findings": findings})

    return routes


def told(run: Run) -> dict[str, Any]:
    """`held` is null while it is under way."""
    return {
        "success": True,
        "drill": {
            "under_way": run.under_way,
            "began_at": run.began_at,
            "ended_at": run.ended_at,
            "held": None if run.under_way else run.held,
            "trouble": str(run.trouble) or None,
            "tried": len(run.findings),
            "of": len(CHECKS),
            "findings": [
                {
                    "rule": finding.rule,
                    "does": str(finding.does),
                    "held": not finding.broken,
                    "seen": str(finding.broken) or None,
                }
                for finding in run.findings
            ],
        },
    }
