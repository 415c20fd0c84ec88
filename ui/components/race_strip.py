"""The race strip: push and poll on one time axis, live while it runs, with the receipt as its heading."""

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import Any

from nicegui import ui

from services.core.model import Channel, Generation, Phase, TraceEntry
from ui.state import TabState
from ui.text import _, forms, labels, timeline

LANES = ("push", "poll")
MARKS = 600
"""More are not sent to a browser: the newest count."""


class RaceTracks(ui.element, component="race_lanes.js"):
    """The drawing alone; new marks come by one small call, never by a rebuild."""

    def __init__(self, generation: Generation) -> None:
        super().__init__()
        self.generation = generation
        self.last_seq = -1
        self._marks: list[dict[str, Any]] = []
        with self._props.suspend_updates():
            self._props["words"] = _words()
            self._props["start"] = generation.created_at
            self._props["clock"] = time()
            self._props["marks"] = ()
            self._settle(generation)

    @property
    def empty(self) -> bool:
        return not self._marks

    def add(self, entries: Sequence[TraceEntry]) -> None:
        late = any(entry.seq <= self.last_seq for entry in entries)
        if late:
            self._merge(entries)
        elif fresh := self._fresh(entries):
            self._marks = [*self._marks, *fresh][-MARKS:]
            self._keep()
            self.run_method("add", fresh)

    def _merge(self, entries: Sequence[TraceEntry]) -> None:
        """What was read from the store meets what was heard meanwhile."""
        known = {mark["n"]: mark for mark in self._marks}
        known |= {entry.seq: timeline.mark(entry) for entry in entries if entry.lane in LANES}
        if len(known) == len(self._marks):
            return
        self._marks = [known[number] for number in sorted(known)][-MARKS:]
        self.last_seq = max(self.last_seq, *(entry.seq for entry in entries))
        self._keep()
        self.update()

    def end(self, generation: Generation) -> None:
        """The story is over: light the winner's lane up to its end."""
        self.generation = generation
        with self._props.suspend_updates():
            self._settle(generation)
        self._keep()
        self.update()

    def _keep(self) -> None:
        """What a later rebuild of the element starts from; nothing is sent for it.

        A tuple, because NiceGUI wraps each item of a list, time and again: half of a page's cost.
        """
        with self._props.suspend_updates():
            self._props["marks"] = tuple(self._marks)

    def _fresh(self, entries: Sequence[TraceEntry]) -> list[dict[str, Any]]:
        fresh = [entry for entry in entries if entry.seq > self.last_seq]
        if fresh:
            self.last_seq = fresh[-1].seq
        return [timeline.mark(entry) for entry in fresh if entry.lane in LANES][-MARKS:]

    def _settle(self, generation: Generation) -> None:
        if not generation.final:
            return
        receipt = generation.receipt
        if receipt is None:
            self._props["end"] = generation.finished_at or generation.updated_at
            return
        self._props["end"] = max(receipt.kept_at, receipt.backend_said_at)
        self._props["winner"] = receipt.won_by.value
        if receipt.won_by is Channel.PUSH and receipt.other_due_at is not None:
            self._props["due"] = receipt.other_due_at


class RaceStrip:
    """The card: heading sentence and lanes. It is there from the moment that the race has begun."""

    def __init__(self, generation: Generation, state: TabState) -> None:
        self._drawn: tuple[object, ...] = ()
        with ui.element("section").classes("r-race") as self.card:
            self.card.props["aria-label"] = _("The race between push and poll")
            with ui.element("div").classes("r-race-head"):
                with ui.element("p"):
                    self.winner = ui.label().classes("r-race-winner")
                    self.sentence = ui.label().classes("r-race-sentence")
                    self.late = ui.label().classes("r-race-late")
                    self.connection = ui.label()
                    self.connection.bind_text_from(state, "connection_status", connection_sentence)
                self.other = ui.label().classes("r-race-other")
            self.lanes = RaceTracks(generation)
        self.take(generation)

    def add(self, entries: Sequence[TraceEntry]) -> None:
        self.lanes.add(entries)
        self.card.visible = self._begun(self.lanes.generation)

    def take(self, generation: Generation) -> None:
        drawn = (generation.phase, generation.receipt)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self.lanes.generation = generation
        self.card.visible = self._begun(generation)
        self.connection.visible = not generation.final
        if generation.final:
            self._conclude(generation)
            self.lanes.end(generation)
        for label in (self.winner, self.sentence, self.late, self.other):
            label.visible = generation.final and bool(label.text)

    def _begun(self, generation: Generation) -> bool:
        racing = generation.phase in (Phase.PROCESSING, Phase.COLLECTING)
        return racing or generation.receipt is not None or not self.lanes.empty

    def _conclude(self, generation: Generation) -> None:
        receipt = generation.receipt
        if receipt is not None:
            self.winner.text = labels.won(receipt)
            self.winner.classes(replace=f"r-race-winner {receipt.won_by.value}")
            self.sentence.text = labels.delivered(receipt)
            self.late.text = labels.lateness(receipt)
            self.other.text = labels.other(receipt)
            return
        self.winner.text = _("Stopped") if generation.phase is Phase.DROPPED else _("No winner")
        self.winner.classes(replace="r-race-winner none")
        self.sentence.text = _("neither channel brought a result")


def connection_sentence(status: str) -> str:
    if status == "connected":
        return _("Listening over push, asking by poll")
    if status == "connecting":
        return _("Opening the push stream, asking by poll")
    return _("No push stream right now, asking by poll")


def _words() -> dict[str, object]:
    return {
        "push": _("push"),
        "poll": _("poll"),
        "result": _("result"),
        "next": _("next in {s} s"),
        "would": _("next would be here"),
        "spokenPush": forms("Push heard {count} event.", "Push heard {count} events."),
        "spokenPoll": forms("Poll asked {count} time.", "Poll asked {count} times."),
        "s": _("{figure} s"),
        "min": _("{figure} min"),
        "h": _("{figure} h"),
    }
