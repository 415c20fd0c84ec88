"""What is under way, a row each: where it stands, and how both channels listen for it."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from services.core.model import Generation, TraceEntry
from services.statistics.channel_status import Lanes, Poll, Push
from services.statistics.service import Open
from ui.components.timestamp import Timestamp
from ui.text import _, deferred, labels, measure, ngettext

PUSH = {
    Push.NONE: deferred("not opened yet"),
    Push.CONNECTING: deferred("connecting"),
    Push.CONNECTED: deferred("connected"),
    Push.LOST: deferred("lost"),
}
POLL = {
    Poll.NONE: deferred("not asked yet"),
    Poll.ASKING: deferred("asking now"),
    Poll.ANSWERED: deferred("answered"),
    Poll.LOST: deferred("no answer"),
}
MOST = 50


class OpenRows:
    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}
        self._early: list[TraceEntry] | None = []
        """What was heard before the first filling."""
        self._many = 0
        self._count = ui.label().classes("r-quiet")
        self._list = ui.element("ul").classes("r-open")
        self._list.props["aria-label"] = _("Under way")

    def cares(self, generation_id: str) -> bool:
        return self._early is not None or generation_id in self._rows

    def fill(self, found: Sequence[Open], many: int) -> None:
        """What was heard meanwhile is newer than what was read."""
        there = {one.generation.id for one in found}
        for generation_id in set(self._rows) - there:
            self._remove(generation_id)
        for one in reversed(found):
            if one.generation.id in self._rows:
                self._rows[one.generation.id].meet(one.lanes)
            else:
                self._add(one.generation, one.lanes)
        self._many = many
        self._tell()
        early, self._early = self._early, None
        self.hear(early or ())

    def take(self, generation: Generation) -> None:
        if generation.final:
            if self._remove(generation.id):
                self._many -= 1
        elif generation.id in self._rows:
            self._rows[generation.id].take(generation)
        elif len(self._rows) < MOST:
            self._add(generation, Lanes())
            self._many += 1
        self._tell()

    def hear(self, entries: Sequence[TraceEntry]) -> None:
        if self._early is not None:
            self._early.extend(entries)
        for entry in entries:
            if row := self._rows.get(entry.generation_id):
                row.hear(entry)

    def _add(self, generation: Generation, lanes: Lanes) -> None:
        with self._list:
            row = self._rows[generation.id] = _Row(generation, lanes)
            row.box.move(target_index=0)

    def _remove(self, generation_id: str) -> bool:
        row = self._rows.pop(generation_id, None)
        if row is not None:
            row.box.delete()
        return row is not None

    def _tell(self) -> None:
        more = self._many - len(self._rows)
        if not self._rows:
            self._count.text = _("Nothing is under way.")
        elif more > 0:
            self._count.text = ngettext("and {count} more", "and {count} more", more).format(
                count=measure.number(more)
            )
        self._count.visible = not self._rows or more > 0


class _Row:
    def __init__(self, generation: Generation, lanes: Lanes) -> None:
        self.lanes = lanes
        with ui.element("li").classes("r-open-row") as self.box:
            with ui.element("p").classes("r-open-what"):
                with ui.element("a").classes("r-open-title") as link:
                    link.props["href"] = f"/deliveries?id={generation.id}"
                    ui.label(generation.request.prompt)
                with ui.element("span").classes("r-quiet r-figures"):
                    self.phase = ui.label()
                    ui.label("·").props("aria-hidden=true")
                    Timestamp(generation.created_at, "since")
            with ui.element("p").classes("r-open-lane"):
                ui.label(_("push")).classes("r-lane push")
                self.push = ui.label()
            with ui.element("p").classes("r-open-lane"):
                ui.label(_("poll")).classes("r-lane poll")
                self.poll = ui.label()
                self.due = ui.element("span").classes("r-quiet r-figures")
        self._due_at: float | None = None
        self.take(generation)
        self._draw()

    def take(self, generation: Generation) -> None:
        self.phase.text = labels.short(generation)

    def hear(self, entry: TraceEntry) -> None:
        self.meet(self.lanes.after(entry))

    def meet(self, lanes: Lanes) -> None:
        """The newer of what was read and what was heard."""
        if lanes.seq > self.lanes.seq:
            self.lanes = lanes
            self._draw()

    def _draw(self) -> None:
        self.push.text, self.poll.text = push_words(self.lanes), poll_words(self.lanes)
        self.push.classes(replace="r-open-lost" if self.lanes.push is Push.LOST else "")
        if self._due_at != self.lanes.due_at:
            self._due_at = self.lanes.due_at
            self.due.clear()
            if self._due_at is not None:
                with self.due:
                    ui.label(_("next:"))
                    Timestamp(self._due_at, "until")


def push_words(lanes: Lanes) -> str:
    """connected · lost: silent for too long · connected, lost 2 times before."""
    said = _(PUSH[lanes.push])
    if lanes.push is Push.LOST:
        return _("{state}: {reason}").format(state=said, reason=labels.reason(lanes.push_reason))
    if not lanes.breaks:
        return said
    before = ngettext("lost {count} time before", "lost {count} times before", lanes.breaks)
    return f"{said}, {before.format(count=lanes.breaks)}"


def poll_words(lanes: Lanes) -> str:
    """answered, 3 questions · no answer: no answer in time, 1 question."""
    said = _(POLL[lanes.poll])
    if lanes.poll is Poll.NONE:
        return said
    if lanes.poll is Poll.LOST:
        said = _("{state}: {reason}").format(state=said, reason=labels.reason(lanes.poll_reason))
    asked = lanes.attempts + lanes.checks
    return f"{said}, {ngettext('{count} question', '{count} questions', asked).format(count=asked)}"
