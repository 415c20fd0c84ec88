"""The library's grid, rendered in the browser, which draws only the visible cards."""

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import events, ui

from services.core.model import Generation, Kind, Phase
from ui.components.generation_card import card_icon, card_status, length
from ui.text import _, forms, labels

Item = dict[str, Any]
ACTIONS = (
    "star", "unstar", "tag", "keep", "trash", "restore", "remove", "reuse", "film_from", "image_from",
    "check", "submit_again", "let_go",
)  # fmt: skip


class LibraryGrid(ui.element, component="library_grid.js"):
    """Calls `on_action` with one of ACTIONS and the ids, and `on_more` for the next page."""

    def __init__(
        self, *, on_action: Callable[[str, list[str]], object], on_more: Callable[[], object]
    ) -> None:
        super().__init__()
        self._list_number = 0
        self._props["words"] = _labels()
        self.on("act", lambda event: on_action(*_parse_action(event)))
        self.on("more", lambda event: on_more() if event.args == self._list_number else None)
        self.on("unpacked", lambda: on_action("unpacked", []), [])

    def fill(
        self, page: Sequence[Generation], *, more: bool, trash: bool, empty_text: tuple[str, str]
    ) -> None:
        """Replaces the list; `empty_text` is shown if it is empty: a sentence and advice."""
        self._list_number += 1
        with self._props.suspend_updates():
            self._props["list"] = {
                "turn": self._list_number,
                "items": [to_item(each) for each in page],
                "more": more,
                "trash": trash,
                "nothing": empty_text,
            }
        self.update()

    def append(self, page: Sequence[Generation], *, more: bool) -> None:
        self.run_method("append", self._list_number, [to_item(each) for each in page], more)

    def put(self, generation: Generation, *, belongs: bool) -> None:
        """Updates a known card, adds one that `belongs` to the list, or removes one that does not."""
        self.run_method("put", to_item(generation), belongs)


def to_item(generation: Generation) -> Item:
    still = generation.final or generation.phase is Phase.UNCONFIRMED
    percent = None if still else generation.percent
    return {
        "id": generation.id,
        "title": generation.request.prompt[:400],
        "at": generation.created_at,
        "word": card_status(generation),
        "badge": length(generation) if percent is None else _("{percent} %").format(percent=percent),
        "percent": percent,
        "status": generation.status,
        "phase": str(generation.phase),
        "shape": card_icon(generation),
        "problem": labels.problem(generation),
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


def _parse_action(event: events.GenericEventArguments) -> tuple[str, list[str]]:
    """Parses an untrusted event; invalid ones give an empty action."""
    name, ids = event.args if isinstance(event.args, list) and len(event.args) == 2 else ("", [])
    if name not in ACTIONS or not isinstance(ids, list):
        return "", []
    return name, [each for each in ids if isinstance(each, str)]


def _labels() -> dict[str, Any]:
    return {
        "list": _("Library, newest first"),
        "select": _("Select"),
        "star": _("Star"),
        "unstar": _("Unstar"),
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
        "drop": _("Discard"),
        "trash": _("Delete"),
        "restore": _("Restore"),
        "remove": _("Delete permanently"),
        "clear": _("Clear selection"),
        "chosen": forms("{count} selected", "{count} selected"),
        "fresh": forms("{count} new", "{count} new"),
        "acts": _("Selected items"),
    }
