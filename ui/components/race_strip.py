"""The race strip: push and poll on one time axis, live, with the receipt's heading."""

from collections.abc import Sequence
from time import time
from typing import Any

from nicegui import ui

from services.core.model import Channel, Generation, Phase, TraceEntry
from ui.components.last_known import last_known
from ui.state import TabState
from ui.text import _, forms, labels, timeline

CHANNELS = ("push", "poll")
MARKS = 600
"""Only the newest marks are sent to a browser."""


class RaceTracks(ui.element, component="race_lanes.js"):
    """The drawing; new marks are sent by a method call instead of a prop update."""

    def __init__(self, generation: Generation) -> None:
        super().__init__()
        self.generation = generation
        self.last_seq = -1
        self._marks: list[dict[str, Any]] = []
        with self._props.suspend_updates():
            self._props["words"] = _labels()
            self._props["start"] = generation.created_at
            self._props["clock"] = time()
            self._props["marks"] = ()
            self._set_end(generation)

    @property
    def empty(self) -> bool:
        return not self._marks

    def add(self, entries: Sequence[TraceEntry]) -> None:
        out_of_order = any(entry.seq <= self.last_seq for entry in entries)
        if out_of_order:
            self._merge(entries)
        elif new := self._new_marks(entries):
            self._marks = [*self._marks, *new][-MARKS:]
            self._store_marks()
            self.run_method("add", new)

    def _merge(self, entries: Sequence[TraceEntry]) -> None:
        """Merges entries read from the store with those received meanwhile."""
        known = {mark["n"]: mark for mark in self._marks}
        known |= {entry.seq: timeline.mark(entry) for entry in entries if entry.lane in CHANNELS}
        if len(known) == len(self._marks):
            return
        self._marks = [known[number] for number in sorted(known)][-MARKS:]
        self.last_seq = max(self.last_seq, *(entry.seq for entry in entries))
        self._store_marks()
        self.update()

    def end(self, generation: Generation) -> None:
        """Ends the race and highlights the winner's track."""
        self.generation = generation
        with self._props.suspend_updates():
            self._set_end(generation)
        self._store_marks()
        self.update()

    def _store_marks(self) -> None:
        """Stores the marks for a later rebuild of the element, without sending them.

        A tuple, because NiceGUI wraps each item of a list on every access: half of a page's cost.
        """
        with self._props.suspend_updates():
            self._props["marks"] = tuple(self._marks)

    def _new_marks(self, entries: Sequence[TraceEntry]) -> list[dict[str, Any]]:
        new = [entry for entry in entries if entry.seq > self.last_seq]
        if new:
            self.last_seq = new[-1].seq
        return [timeline.mark(entry) for entry in new if entry.lane in CHANNELS][-MARKS:]

    def _set_end(self, generation: Generation) -> None:
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
    """The card with heading and tracks, visible from the start of the race."""

    def __init__(self, generation: Generation, state: TabState) -> None:
        self._drawn: tuple[object, ...] = ()
        with ui.element("section").classes("r-race") as self.card:
            self.card.props["aria-label"] = _("Push and poll timeline")
            with ui.element("div").classes("r-race-head"):
                with ui.element("p"):
                    self.winner = ui.label().classes("r-race-winner")
                    self.sentence = ui.label().classes("r-race-sentence")
                    self.late = ui.label().classes("r-race-late")
                    self.connection = ui.label().classes("r-live-only")
                    self.connection.bind_text_from(state, "connection_status", connection_sentence)
                    self.last_known = last_known()
                self.other = ui.label().classes("r-race-other")
            self.tracks = RaceTracks(generation)
        self.refresh(generation)

    def add(self, entries: Sequence[TraceEntry]) -> None:
        self.tracks.add(entries)
        self.card.visible = self._has_started(self.tracks.generation)

    def refresh(self, generation: Generation) -> None:
        drawn = (generation.phase, generation.receipt)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self.tracks.generation = generation
        self.card.visible = self._has_started(generation)
        self.connection.visible = self.last_known.visible = not generation.final
        if generation.final:
            self._show_result(generation)
            self.tracks.end(generation)
        for label in (self.winner, self.sentence, self.late, self.other):
            label.visible = generation.final and bool(label.text)

    def _has_started(self, generation: Generation) -> bool:
        racing = generation.phase in (Phase.PROCESSING, Phase.COLLECTING)
        return racing or generation.receipt is not None or not self.tracks.empty

    def _show_result(self, generation: Generation) -> None:
        receipt = generation.receipt
        if receipt is not None:
            self.winner.text = labels.winner_heading(receipt)
            self.winner.classes(replace=f"r-race-winner {receipt.won_by.value}")
            self.sentence.text = labels.delivery_heading(receipt)
            self.late.text = labels.lateness(receipt)
            self.other.text = labels.other_channel_heading(receipt)
            return
        self.winner.text = _("Stopped") if generation.phase is Phase.DROPPED else _("No result")
        self.winner.classes(replace="r-race-winner none")
        self.sentence.text = _("no result arrived")


def connection_sentence(status: str) -> str:
    if status == "connected":
        return _("Push connected · polling")
    if status == "connecting":
        return _("Connecting to push · polling")
    return _("Push disconnected · polling")


def _labels() -> dict[str, object]:
    return {
        "push": _("push"),
        "poll": _("poll"),
        "result": _("result"),
        "next": _("next in {s} s"),
        "would": _("next poll"),
        "spokenPush": forms("Push: {count} event.", "Push: {count} events."),
        "spokenPoll": forms("Poll: {count} request.", "Poll: {count} requests."),
        "s": _("{figure} s"),
        "min": _("{figure} min"),
        "h": _("{figure} h"),
    }
