"""The five plots of the deliveries page, each with a sentence that says the same."""

from collections.abc import Callable, Mapping, Sequence

from nicegui import ui

from services.statistics.figures import Figures, Lag, Tally
from ui.components.plot import Plot, bars, by_name, curve, over_time
from ui.text import _, labels, measure, ngettext

MAX_REASONS = 8
NOTHING = Tally()


class DeliveryPlots:
    def __init__(self) -> None:
        with ui.element("div").classes("r-plots") as self.box:
            self.wins = Plot(_("Delivered by"))
            self.lag = Plot(_("Delivery time"))
            self.polls = Plot(_("Poll requests"))
            self.breaks = Plot(_("Stream disconnects"))
            self.late = Plot(_("Late"))

    def show(self, figures: Figures, backend: str) -> None:
        tally, by_slot = figures.of(backend)
        slots = [slot_name(figures, slot) for slot in figures.slots]
        row = [by_slot.get(slot, NOTHING) for slot in figures.slots]
        self.wins.show(
            wins_sentence(tally),
            over_time(
                slots,
                [
                    bars(_("push"), [each.push for each in row], "var(--push)"),
                    bars(_("poll"), [each.poll for each in row], "var(--poll)"),
                ],
            ),
        )
        self.lag.show(lag_sentence(tally), over_time(slots, _curves(row), unit=_("{figure} s"), log=True))
        self.polls.show(
            polls_sentence(tally),
            over_time(
                slots,
                [
                    bars(_("scheduled"), [each.attempts for each in row], "var(--poll)"),
                    bars(_("extra checks"), [each.checks for each in row], "var(--quiet)"),
                ],
            ),
        )
        reasons = list(tally.breaks.items())[:MAX_REASONS]
        self.breaks.show(
            breaks_sentence(tally),
            by_name(
                [labels.reason(code) for code, _count in reasons],
                [count for _code, count in reasons],
                _("disconnects"),
                "var(--trouble)",
            ),
        )
        shares = [round((each.late_share or 0.0) * 100, 1) for each in row]
        self.late.show(
            late_sentence(tally),
            over_time(slots, [bars(_("late"), shares, "var(--quiet)")], unit=_("{figure} %")),
        )


def _curves(row: Sequence[Tally]) -> list[dict[str, object]]:
    def series_of(percentile: Callable[[Lag], float]) -> list[float | None]:
        return [percentile(each.lag) if each.lag else None for each in row]

    return [
        curve(_("median"), series_of(lambda lag: lag.p50_s), "var(--text)", "solid", "circle"),
        curve(_("95th percentile"), series_of(lambda lag: lag.p95_s), "var(--poll)", "dashed", "rect"),
        curve(_("99th percentile"), series_of(lambda lag: lag.p99_s), "var(--accent)", "dotted", "triangle"),
    ]


def slot_name(figures: Figures, slot: float) -> str:
    return measure.hour(slot) if figures.hourly else measure.day(slot)


def wins_sentence(tally: Tally) -> str:
    if not tally.kept:
        return _("No deliveries.")
    return _("Of {all}, {push} by push and {poll} by poll.").format(
        push=measure.number(tally.push), poll=measure.number(tally.poll), all=measure.number(tally.kept)
    )


def lag_sentence(tally: Tally) -> str:
    if tally.lag is None:
        return _("No deliveries.")
    return _("Median {half}, 95th percentile {most}, 99th percentile {last}.").format(
        half=measure.exactly(tally.lag.p50_s),
        most=measure.exactly(tally.lag.p95_s),
        last=measure.exactly(tally.lag.p99_s),
    )


def polls_sentence(tally: Tally) -> str:
    template = _("Scheduled: {attempts}; extra checks: {checks}").format(
        attempts=measure.number(tally.attempts), checks=measure.number(tally.checks)
    )
    if not tally.total:
        return template + "."
    each = measure.number((tally.attempts + tally.checks) / tally.total, 1)
    return _("{said}. {each} per generation.").format(said=template, each=each)


def breaks_sentence(tally: Tally) -> str:
    count = sum(tally.breaks.values())
    if not count:
        return _("No disconnects.")
    template = ngettext("{count} disconnect: {reasons}.", "{count} disconnects: {reasons}.", count)
    return template.format(count=measure.number(count), reasons=format_breaks(tally.breaks))


def late_sentence(tally: Tally) -> str:
    template = ngettext(
        "{count} of {all} was late.",
        "{count} of {all} were late.",
        tally.late,
    )
    return template.format(count=measure.number(tally.late), all=measure.number(tally.total))


def format_breaks(breaks: Mapping[str, int]) -> str:
    """Returns "silent for too long 3, connection broken 1"."""
    return ", ".join(f"{labels.reason(code)} {measure.number(count)}" for code, count in breaks.items())
