"""A row for each running generation, with the state of both channels."""

from collections.abc import Sequence

from nicegui import ui

from services.core.model import Generation, TraceEntry
from services.statistics.channel_status import ChannelState, ChannelStatus
from ui.components.last_known import last_known
from ui.components.timestamp import Timestamp
from ui.text import _, deferred, labels, measure, ngettext

PUSH = {
    ChannelState.NONE: deferred("not connected yet"),
    ChannelState.PENDING: deferred("connecting"),
    ChannelState.HEALTHY: deferred("connected"),
    ChannelState.LOST: deferred("lost"),
}
POLL = {
    ChannelState.NONE: deferred("not polled yet"),
    ChannelState.PENDING: deferred("polling"),
    ChannelState.HEALTHY: deferred("answered"),
    ChannelState.LOST: deferred("no answer"),
}
MAX_ROWS = 50


class InProgressRows:
    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}
        self._buffered: list[TraceEntry] | None = []
        """Trace entries received before the first fill; None afterwards."""
        self._total = 0
        self._count = ui.label().classes("r-quiet")
        last_known()
        self._list = ui.element("ul").classes("r-open")
        self._list.props["aria-label"] = _("In progress")

    def wants_trace(self, generation_id: str) -> bool:
        return self._buffered is not None or generation_id in self._rows

    def fill(self, items: Sequence[tuple[Generation, ChannelStatus]], total: int) -> None:
        """Shows the rows that were read; entries received meanwhile are newer and applied on top."""
        ids = {generation.id for generation, _status in items}
        for generation_id in set(self._rows) - ids:
            self._remove(generation_id)
        for generation, status in reversed(items):
            if generation.id in self._rows:
                self._rows[generation.id].merge(status)
            else:
                self._add(generation, status)
        self._total = total
        self._update_count()
        buffered, self._buffered = self._buffered, None
        self.add(buffered or ())

    def put(self, generation: Generation) -> None:
        if generation.final:
            if self._remove(generation.id):
                self._total -= 1
        elif generation.id in self._rows:
            self._rows[generation.id].refresh(generation)
        elif len(self._rows) < MAX_ROWS:
            self._add(generation, ChannelStatus())
            self._total += 1
        self._update_count()

    def add(self, entries: Sequence[TraceEntry]) -> None:
        if self._buffered is not None:
            self._buffered.extend(entries)
        for entry in entries:
            if row := self._rows.get(entry.generation_id):
                row.add(entry)

    def _add(self, generation: Generation, status: ChannelStatus) -> None:
        with self._list:
            row = self._rows[generation.id] = _Row(generation, status)
            row.box.move(target_index=0)

    def _remove(self, generation_id: str) -> bool:
        row = self._rows.pop(generation_id, None)
        if row is not None:
            row.box.delete()
        return row is not None

    def _update_count(self) -> None:
        more = self._total - len(self._rows)
        if not self._rows:
            self._count.text = _("Nothing in progress.")
        elif more > 0:
            self._count.text = ngettext("and {count} more", "and {count} more", more).format(
                count=measure.number(more)
            )
        self._count.visible = not self._rows or more > 0


class _Row:
    def __init__(self, generation: Generation, status: ChannelStatus) -> None:
        self.status = status
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
                self.due = ui.element("span").classes("r-quiet r-figures r-live-only")
        self._due_at: float | None = None
        self.refresh(generation)
        self._draw()

    def refresh(self, generation: Generation) -> None:
        self.phase.text = labels.short(generation)

    def add(self, entry: TraceEntry) -> None:
        self.merge(self.status.after(entry))

    def merge(self, status: ChannelStatus) -> None:
        """Adopts the channel states if they are newer."""
        if status.seq > self.status.seq:
            self.status = status
            self._draw()

    def _draw(self) -> None:
        self.push.text, self.poll.text = push_text(self.status), poll_text(self.status)
        self.push.classes(replace="r-open-lost" if self.status.push is ChannelState.LOST else "")
        if self._due_at != self.status.due_at:
            self._due_at = self.status.due_at
            self.due.clear()
            if self._due_at is not None:
                with self.due:
                    ui.label(_("next"))
                    Timestamp(self._due_at, "until")


def push_text(status: ChannelStatus) -> str:
    """Returns "connected", "lost: silent for too long" or "connected, lost 2 times before"."""
    text = _(PUSH[status.push])
    if status.push is ChannelState.LOST:
        return _("{state}: {reason}").format(state=text, reason=labels.reason(status.push_reason))
    if not status.breaks:
        return text
    before = ngettext("lost {count} time earlier", "lost {count} times earlier", status.breaks)
    return f"{text}, {before.format(count=status.breaks)}"


def poll_text(status: ChannelStatus) -> str:
    """Returns "answered, 3 questions" or "no answer: no answer in time, 1 question"."""
    text = _(POLL[status.poll])
    if status.poll is ChannelState.NONE:
        return text
    if status.poll is ChannelState.LOST:
        text = _("{state}: {reason}").format(state=text, reason=labels.reason(status.poll_reason))
    asked = status.attempts + status.checks
    return f"{text}, {ngettext('{count} request', '{count} requests', asked).format(count=asked)}"
