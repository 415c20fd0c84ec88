"""Delivery figures as tiles, the integrity of kept files, and typical durations."""

from nicegui import ui

from services.statistics.figures import Tally
from services.statistics.service import Estimate, FileIntegrity
from ui.components.timestamp import Timestamp
from ui.text import _, labels, measure, ngettext

MAX_LISTED = 20


class Tiles:
    def __init__(self) -> None:
        self.list = ui.element("dl").classes("r-tiles")

    def show(self, tally: Tally, integrity: FileIntegrity) -> None:
        self.list.clear()
        lag = tally.lag
        with self.list:
            lost = len(integrity.missing)
            _tile(_("Lost"), measure.number(lost), _("missing files"), bad=lost > 0)
            _tile(
                _("Delivered"),
                measure.number(tally.kept),
                _("push {push}, poll {poll}").format(
                    push=measure.number(tally.push), poll=measure.number(tally.poll)
                ),
            )
            _tile(
                _("Median"),
                measure.exactly(lag.p50_s) if lag else "–",
                _("99th percentile {time}").format(time=measure.exactly(lag.p99_s)) if lag else "",
            )
            share = tally.late_share
            _tile(
                _("Late"),
                measure.percent(share) if share is not None else "–",
                _("{count} of {all}").format(
                    count=measure.number(tally.late), all=measure.number(tally.total)
                ),
            )


def _tile(name: str, value: str, about: str, *, bad: bool = False) -> None:
    with ui.element("div").classes("r-tile-figure" + (" bad" if bad else "")):
        with ui.element("dt"):
            ui.label(name)
        with ui.element("dd"):
            ui.label(value).classes("r-tile-value")
            ui.label(about).classes("r-quiet")


def integrity_facts(integrity: FileIntegrity) -> None:
    """Draws the integrity of kept files; the caller draws the section."""
    if integrity.missing:
        template = ngettext("{count} file is missing.", "{count} files are missing.", len(integrity.missing))
        ui.label(template.format(count=measure.number(len(integrity.missing)))).classes("r-trouble")
        _links(integrity.missing)
    else:
        ui.label(_("All files are present."))
    scrub = integrity.scrub
    if scrub is None:
        ui.label(_("Every file is verified weekly. The first check has not started.")).classes("r-quiet")
        return
    counted = ngettext("{count} file", "{count} files", scrub.checked).format(
        count=measure.number(scrub.checked)
    )
    with ui.element("p").classes("r-quiet r-figures"):
        if scrub.ended_at is None:
            ui.label(_("Weekly check in progress, {files} so far. Started").format(files=counted))
            Timestamp(scrub.began_at, "full")
        else:
            ui.label(_("The last weekly check covered {files}. Finished").format(files=counted))
            Timestamp(scrub.ended_at, "full")
    found = _("Damaged: {damaged}. Missing: {missing}.").format(
        damaged=measure.number(len(scrub.damaged)), missing=measure.number(len(scrub.missing))
    )
    trouble = bool(scrub.damaged or scrub.missing)
    ui.label(found).classes("r-trouble" if trouble else "r-quiet")
    _links(list(scrub.damaged))


def _links(ids: list[str]) -> None:
    if not ids:
        return
    with ui.element("ul").classes("r-row"):
        for generation_id in ids[:MAX_LISTED]:
            with ui.element("li"), ui.element("a").classes("r-link") as link:
                link.props["href"] = f"/g/{generation_id}"
                ui.label(generation_id)


def estimate_facts(estimates: list[Estimate]) -> None:
    if not estimates:
        ui.label(_("No estimate: nothing was generated in this period.")).classes("r-quiet")
        return
    with ui.element("dl").classes("r-estimates"):
        for one in estimates:
            with ui.element("dt"):
                name = f"{one.backend} · {one.model}"
                ui.label(name if one.length_s is None else f"{name} · {measure.length(one.length_s)}")
            with ui.element("dd"):
                ui.label(labels.estimate(one.typical))
