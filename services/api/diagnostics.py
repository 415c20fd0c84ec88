"""/api/drill and /api/doctor: runs and results of the self-checks."""

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
    async def start_drill() -> JSONResponse:
        """Start a drill in a process of its own, or return the one that is running."""
        return JSONResponse(drill_json(diagnostics.drills.start()), 202)

    @routes.get("/drill")
    async def latest_drill() -> JSONResponse:
        """The running drill, or the last one, with its findings in their order."""
        run = diagnostics.drills.newest
        return JSONResponse({"success": True, "drill": None} if run is None else drill_json(run))

    @routes.get("/doctor")
    async def run_doctor() -> JSONResponse:
        """Check the data folder's disk and the backends. The connection from a browser to here is measured by
        `main.py doctor` or on /checkup.
        """
        findings = [
            {"mark": MARKS[each.mark], "what": each.what, "says": str(each.says), "advice": str(each.advice)}
            for each in await diagnostics.check_local()
        ]
        return JSONResponse({"success": True, "findings": findings})

    return routes


def drill_json(run: Run) -> dict[str, Any]:
    """`held` is null while the drill is running."""
    findings = [
        {"rule": each.rule, "does": str(each.does), "held": not each.broken, "seen": str(each.broken) or None}
        for each in run.findings
    ]
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
            "findings": findings,
        },
    }
