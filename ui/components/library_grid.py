"""The library's grid: drawn by the browser, which keeps what it has been sent and draws what is in sight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import events, ui

from services.core.model import Generation, Kind, Phase
from ui.components.generation_card import SHAPES, card_words, length
from ui.state import shown_progress
from ui.text import _, forms

Shown = dict[str, Any]
ACTS = (
    "star", "unstar", "tag", "keep", "trash", "restore", "remove", "reuse", "film_from", "image_from",
    "check", "submit_again", "let_go",
)  # fmt: skip


class LibraryGrid(ui.element, component="library_grid.js"):
    """`on_act` gets one of ACTS and ids; `on_more` is asked for the page behind."""

    def __init__(self, *, on_act: Callable[[str, list[str]], object], on_more: Callable[[], object]) -> None:
        super().__init__()
        self._turn = 0
        self._props["words"] = _words()
        self.on("act", lambda event: on_act(*_act(event)))
        self.on("more", lambda event: on_more() if event.args == self._turn else None)
        self.on("unpacked", lambda: on_act("unpacked", []), [])

    def fill(self, page: Sequence[Generation], *, more: bool, trash: bool, nothing: tuple[str, str]) -> None:
        """A new list; `nothing` is what an empty one says, and how to go on."""
        self._turn += 1
        with self._props.suspend_updates():
            self._props["list"] = {
                "turn": self._turn,
                "items": [shown(each) for each in page],
                "more": more,
                "trash": trash,
                "nothing": nothing,
            }
        self.update()

    def append(self, page: Sequence[Generation], *, more: bool) -> None:
        self.run_method("append", self._turn, [shown(each) for each in page], more)

    def put(self, generation: Generation, *, belongs: bool) -> None:
        """What was heard: drawn anew where it is known, added where it belongs, taken away where not."""
        self.run_method("put", shown(generation), belongs)


def shown(generation: Generation) -> Shown:
    still = generation.final or generation.phase is Phase.UNCONFIRMED
    percent = None if still else shown_progress(generation)
    return {
        "id": generation.id,
        "title": generation.request.prompt[:400],
        "at": generation.created_at,
        "word": card_words(generation),
        "badge": length(generation) if percent is None else _("{percent} %").format(percent=percent),
        "percent": percent,
        "status": generation.status,
        "phase": str(generation.phase),
        "shape": SHAPES.get(generation.phase, "reel"),
        "film": generation.request.kind is Kind.VIDEO,
        "poster": generation.poster is not None,
        "preview": generation.preview is not None,
        "kept": generation.phase is Phase.COMPLETED and generation.kept is not None,
        "starred": generation.starred_at is not None,
        "trashed": generation.trashed_at is not None,
        "unwanted": generation.unwanted,
        "tags": list(generation.tags),
        "revision": generation.revision,
    }


def _act(event: events.GenericEventArguments) -> tuple[str, list[str]]:
    """Only what a page of ours sends."""
    name, ids = event.args if isinstance(event.args, list) and len(event.args) == 2 else ("", [])
    if name not in ACTS or not isinstance(ids, list):
        return "", []
    return name, [each for each in ids if isinstance(each, str)]


def _words() -> dict[str, Any]:
    return {
        "list": _("Library, newest first"),
        "select": _("Select"),
        "star": _("Star"),
        "unstar": _("Take the star away"),
        "more": _("More"),
        "reuse": _("Reuse settings"),
        "animate": _("Animate"),
        "source": _("Use as source"),
        "frame": _("Use last frame"),
        "copy": _("Copy link"),
        "download": _("Download"),
        "zip": _("Download as ZIP"),
        "tag": _("Tag"),
        "check": _("Check now"),
        "again": _("Submit again"),
        "keep": _("Keep"),
        "drop": _("Drop"),
        "trash": _("Delete"),
        "restore": _("Restore"),
        "remove": _("Delete for good"),
        "clear": _("Clear the selection"),
        "chosen": forms("{count} selected", "{count} selected"),
        "fresh": forms("{count} new", "{count} new"),
        "acts": _("With the selected"),
    }
