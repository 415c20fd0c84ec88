"""The five plots of the deliveries: each tells its sentence, and draws it over the span."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from nicegui import ui

from services.statistics.figures import Figures, Lag, Tally
from ui.components.plot import Plot, bars, by_name, curve, over_time
from ui.text import _, labels, measure, ngettext

MOST_REASONS = 8
NOTHING = Tally()


class DeliveryPlots:
    def __init__(self) -> None:
        with ui.element("div").classes("r-plots") as self.box:
            self.wins = Plot(_("Who brought the results"))
            self.lag = Plot(_("From ready there to kept here"))
            self.polls = Plot(_("Questions asked"))
            self.breaks = Plot(_("Streams that broke"))
            self.late = Plot(_("Late"))

    def show(self, figures: Figures, backend: str) -> None:
        told, by_slot = figures.of(backend)
        slots = [slot_name(figures, slot) for slot in figures.slots]
        row = [by_slot.get(slot, NOTHING) for slot in figures.slots]
        self.wins.show(
            wins_words(told),
            over_time(
                slots,
                [
                    bars(_("push"), [each.push for each in row], "var(--push)"),
                    bars(_("poll"), [each.poll for each in row], "var(--poll)"),
                ],
            ),
        )
        self.lag.show(lag_words(told), over_time(slots, _curves(row), unit=_("{figure} s"), log=True))
        self.polls.show(
            polls_words(told),
            over_time(
                slots,
                [
                    bars(_("attempts"), [each.attempts for each in row], "var(--poll)"),
                    bars(_("checks"), [each.checks for each in row], "var(--quiet)"),
                ],
            ),
        )
        reasons = list(told.breaks.items())[:MOST_REASONS]
        self.breaks.show(
            breaks_words(told),
            by_name(
                [labels.reason(code) for code, _count in reasons],
                [count for _code, count in reasons],
                _("streams"),
                "var(--trouble)",
            ),
        )
        shares = [round((each.late_share or 0.0) * 100, 1) for each in row]
        self.late.show(
            late_words(told),
            over_time(slots, [bars(_("late"), shares, "var(--quiet)")], unit=_("{figure} %")),
        )


def _curves(row: Sequence[Tally]) -> list[dict[str, object]]:
    def of(take: Callable[[Lag], float]) -> list[float | None]:
        return [take(each.lag) if each.lag else None for each in row]

    return [
        curve(_("half within"), of(lambda lag: lag.p50_s), "var(--text)", "solid", "circle"),
        curve(_("95 of 100"), of(lambda lag: lag.p95_s), "var(--poll)", "dashed", "rect"),
        curve(_("99 of 100"), of(lambda lag: lag.p99_s), "var(--accent)", "dotted", "triangle"),
    ]


def slot_name(figures: Figures, slot: float) -> str:
    return measure.hour(slot) if figures.hourly else measure.day(slot)


def wins_words(told: Tally) -> str:
    if not told.kept:
        return _("Nothing was delivered.")
    return _("Push brought {push} of {all}, poll {poll}.").format(
        push=measure.number(told.push), poll=measure.number(told.poll), all=measure.number(told.kept)
    )


def lag_words(told: Tally) -> str:
    if told.lag is None:
        return _("Nothing was delivered.")
    return _("Half within {half}, 95 of 100 within {most}, 99 of 100 within {last}.").format(
        half=measure.exactly(told.lag.p50_s),
        most=measure.exactly(told.lag.p95_s),
        last=measure.exactly(told.lag.p99_s),
    )


def polls_words(told: Tally) -> str:
    said = _("Attempts in their turn: {attempts}; checks out of turn: {checks}").format(
        attempts=measure.number(told.attempts), checks=measure.number(told.checks)
    )
    if not told.asked:
        return said + "."
    each = measure.number((told.attempts + told.checks) / told.asked, 1)
    return _("{said}. {each} for each generation.").format(said=said, each=each)


def breaks_words(told: Tally) -> str:
    count = sum(told.breaks.values())
    if not count:
        return _("No stream broke.")
    said = ngettext("{count} stream broke: {reasons}.", "{count} streams broke: {reasons}.", count)
    return said.format(count=measure.number(count), reasons=breaks_named(told.breaks))


def late_words(told: Tally) -> str:
    said = ngettext(
        "{count} of {all} took longer than announced.",
        "{count} of {all} took longer than announced.",
        told.late,
    )
    return said.format(count=measure.number(told.late), all=measure.number(told.asked))


def breaks_named(breaks: Mapping[str, int]) -> str:
    """silent for too long 3, connection broken 1"""
    return ", ".join(f"{labels.reason(code)} {measure.number(count)}" for code, count in breaks.items())
