"""Check-up: the drill, rule by rule, and the doctor, which also measures from this browser."""

from collections.abc import Sequence

from nicegui import Client, background_tasks, ui

from services.diagnostics.doctor import Finding
from services.diagnostics.doctor.browser_report import BrowserReport
from services.diagnostics.drill.checks import CHECKS
from services.diagnostics.drill.rules import RULES
from services.diagnostics.runs import Run
from services.diagnostics.service import Diagnostics
from ui.components.browser_probe import BrowserProbe
from ui.components.button import Button
from ui.components.doctor_findings import findings_of
from ui.components.drill_rows import DrillRows
from ui.components.error_boundary import guarded
from ui.components.radio_options import options
from ui.components.section import section
from ui.components.timestamp import Timestamp
from ui.pages import layout
from ui.text import _, deferred, labels, measure, ngettext

PATH = "/checkup"
LISTEN_OPTIONS = {
    "5": deferred("5 s"),
    "35": deferred("35 s"),
    "120": deferred("2 min"),
    "600": deferred("10 min"),
}


def register(diagnostics: Diagnostics) -> None:
    @layout.page(PATH)
    async def page(client: Client) -> None:
        title = _("System check · Rushes")
        with layout.frame(path=PATH, title=title), ui.element("div").classes("r-single r-checkup"):
            with ui.element("h1").classes("r-title"):
                ui.label(_("System check"))
            DrillSection(diagnostics, client).draw()
            DoctorSection(diagnostics, client).draw()


class DrillSection:
    def __init__(self, diagnostics: Diagnostics, client: Client) -> None:
        self._drills = diagnostics.drills
        self._client = client

    def draw(self) -> None:
        """Subscribes before it draws, so that no run is missed."""
        self._client.on_delete(self._drills.events.subscribe(self._receive))
        about = _(
            "Simulates faults on a separate copy of this installation's engine, in under a minute. No "
            "charges. Running generations are not affected."
        )
        with section(_("Reliability test"), about):
            with ui.element("div").classes("r-row r-check-act"):
                self._button = Button(_("Run reliability test"), self._start, icon_name="retry", look="main")
                self._progress = ui.element("p").classes("r-quiet r-check-going")
            self._verdict = ui.element("div").classes("r-check-verdict").props("role=status")
            self._rows = DrillRows()
        self._shown_began_at: float | None = None
        self._shown_ended_at: float | None = None
        self._refresh(self._drills.newest)

    def _start(self) -> None:
        self._drills.start()

    def _receive(self, run: Run) -> None:
        if not self._client.is_deleted:
            with self._client:
                self._refresh(run)

    def _refresh(self, run: Run | None) -> None:
        self._rows.refresh(run)
        running = run is not None and run.under_way
        self._button.props["aria-disabled"] = "true" if running else "false"
        self._progress.visible = running
        if run is None:
            return self._show_verdict(run)
        if running and self._shown_began_at != run.began_at:
            self._show_progress(run)
        if running:
            self._tried_label.text = _("{count} of {all} checks done").format(
                count=len(run.findings), all=len(CHECKS)
            )
        elif self._shown_ended_at != run.ended_at:
            self._shown_ended_at = run.ended_at
            self._show_verdict(run)
        return None

    def _show_progress(self, run: Run) -> None:
        self._shown_began_at = run.began_at
        self._verdict.clear()
        self._progress.clear()
        with self._progress:
            Timestamp(run.began_at, "since")
            ui.label("·").props("aria-hidden=true")
            self._tried_label = ui.label()
        with self._verdict:
            ui.label(_("Reliability test in progress.")).classes("r-sr")

    def _show_verdict(self, run: Run | None) -> None:
        self._verdict.clear()
        with self._verdict:
            if run is None or run.ended_at is None:
                ui.label(_("Not run yet.")).classes("r-quiet")
                return
            ui.label(verdict(run)).classes("r-strong" if run.held else "r-strong r-trouble")
            if run.broken:
                ui.label(_("Do not send paid work with this build. Report the results below."))
            with ui.element("p").classes("r-quiet r-check-when"):
                ui.label(_("Last run"))
                Timestamp(run.ended_at, "full")


def verdict(run: Run) -> str:
    """Returns the result of a finished run."""
    broken = len({finding.rule for finding in run.broken})
    if broken:
        template = ngettext("{count} rule failed.", "{count} rules failed.", broken)
        return template.format(count=measure.number(broken))
    if run.trouble:
        return labels.finding_text(run.trouble)
    if not run.held:
        template = _("Incomplete: {count} of {all} checks done.")
        return template.format(count=len(run.findings), all=len(CHECKS))
    return _("All {count} rules passed.").format(count=len(RULES))


class DoctorSection:
    def __init__(self, diagnostics: Diagnostics, client: Client) -> None:
        self._diagnostics = diagnostics
        self._client = client

    def draw(self) -> None:
        about = _(
            "Checks the connection between this browser and Rushes, the disk and each backend. No charges."
        )
        with section(_("Diagnostics"), about):
            named = {seconds: _(name) for seconds, name in LISTEN_OPTIONS.items()}
            ui.label(_("Duration")).classes("r-label")
            options(_("Duration"), named, "35", on_choose=lambda value: self._choose(int(value)))
            self._browser = BrowserProbe(35, on_start=self._on_start, on_measured=self._on_measured)
            self._connection_findings = ui.element("div").classes("r-check-found")
            self._install_findings = ui.element("div").classes("r-check-found")

    def _choose(self, seconds: int) -> None:
        self._browser.set_duration(seconds)

    def _on_start(self) -> None:
        self._connection_findings.clear()
        self._install_findings.clear()
        with self._install_findings:
            ui.label(_("Checking the disk and the backends.")).classes("r-quiet")
        background_tasks.create(guarded(self._check_install)(), name="check install", context=self._client)

    async def _check_install(self) -> None:
        self._show_findings(self._install_findings, _("Server"), await self._diagnostics.check_local())

    def _on_measured(self, measured: BrowserReport) -> None:
        name = _("Browser connection")
        self._show_findings(self._connection_findings, name, self._diagnostics.judge(measured))

    def _show_findings(self, box: ui.element, name: str, findings: Sequence[Finding]) -> None:
        box.clear()
        with box:
            with ui.element("h3").classes("r-h2"):
                ui.label(name)
            findings_of(findings, name)
