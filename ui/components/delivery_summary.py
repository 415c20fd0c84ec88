"""The promise in a handful of figures, and whether what was kept is still there."""

from __future__ import annotations

from nicegui import ui

from services.statistics.figures import Tally
from services.statistics.service import Estimate, Safe
from ui.components.timestamp import Timestamp
from ui.text import _, labels, measure, ngettext

MOST_NAMED = 20


class Tiles:
    def __init__(self) -> None:
        self.list = ui.element("dl").classes("r-tiles")

    def show(self, tally: Tally, safe: Safe) -> None:
        self.list.clear()
        lag = tally.lag
        with self.list:
            lost = len(safe.missing)
            _tile(_("Lost"), measure.number(lost), _("kept files that are gone"), bad=lost > 0)
            _tile(
                _("Delivered"),
                measure.number(tally.kept),
                _("push {push}, poll {poll}").format(
                    push=measure.number(tally.push), poll=measure.number(tally.poll)
                ),
            )
            _tile(
                _("Half within"),
                measure.exactly(lag.p50_s) if lag else "–",
                _("99 of 100 within {time}").format(time=measure.exactly(lag.p99_s)) if lag else "",
            )
            share = tally.late_share
            _tile(
                _("Late"),
                measure.percent(share) if share is not None else "–",
                _("{count} of {all}").format(
                    count=measure.number(tally.late), all=measure.number(tally.asked)
                ),
            )


def _tile(name: str, value: str, about: str, *, bad: bool = False) -> None:
    with ui.element("div").classes("r-tile-figure" + (" bad" if bad else "")):
        with ui.element("dt"):
            ui.label(name)
        with ui.element("dd"):
            ui.label(value).classes("r-tile-value")
            ui.label(about).classes("r-quiet")


def safe_keeping(safe: Safe) -> None:
    """Sentences; the caller draws the frame around them."""
    if safe.missing:
        words_ = ngettext("{count} kept file is gone.", "{count} kept files are gone.", len(safe.missing))
        ui.label(words_.format(count=measure.number(len(safe.missing)))).classes("r-trouble")
        _links(safe.missing)
    else:
        ui.label(_("Every kept file is there."))
    going = safe.round
    if going is None:
        ui.label(_("Each file is read again once a week; the first round has not begun.")).classes("r-quiet")
        return
    counted = ngettext("{count} file", "{count} files", going.checked).format(
        count=measure.number(going.checked)
    )
    with ui.element("p").classes("r-quiet r-figures"):
        if going.ended_at is None:
            ui.label(_("A weekly round is under way, {files} so far. It began").format(files=counted))
            Timestamp(going.began_at, "full")
        else:
            ui.label(_("The last weekly round read {files} again. It ended").format(files=counted))
            Timestamp(going.ended_at, "full")
    found = _("It found {damaged} damaged and {missing} missing.").format(
        damaged=measure.number(len(going.damaged)), missing=measure.number(len(going.missing))
    )
    trouble = bool(going.damaged or going.missing)
    ui.label(found).classes("r-trouble" if trouble else "r-quiet")
    _links(list(going.damaged))


def _links(ids: list[str]) -> None:
    if not ids:
        return
    with ui.element("ul").classes("r-row"):
        for generation_id in ids[:MOST_NAMED]:
            with ui.element("li"), ui.element("a").classes("r-link") as link:
                link.props["href"] = f"/g/{generation_id}"
                ui.label(generation_id)


def estimates_of(estimates: list[Estimate]) -> None:
    if not estimates:
        ui.label(_("No estimate yet: nothing was made here in this time.")).classes("r-quiet")
        return
    with ui.element("dl").classes("r-estimates"):
        for one in estimates:
            with ui.element("dt"):
                name = f"{one.backend} · {one.model}"
                ui.label(name if one.length_s is None else f"{name} · {measure.length(one.length_s)}")
            with ui.element("dd"):
                ui.label(labels.estimate(one.typical))
