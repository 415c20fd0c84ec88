"""`?` lists the keys of the page at hand."""

from __future__ import annotations

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User

from services.core.model import Kind
from tests.ui.stand_in_services import AHEAD, StandInServices, a_request
from ui.components.browser_bridge import BrowserBridge

pytestmark = [pytest.mark.asyncio, AHEAD]

OWN = {
    "/": ("Generate, also from inside the text", "Play or pause"),
    "/image": ("Generate, also from inside the text", "In the large view: zoom in, out, whole picture"),
    "/chat/new": ("Send the message", "Start a new line"),
    "/library": ("Select all from the last selected one to here", "Move to trash"),
    "/library?trash=1": ("Enter the grid, and move in it", "Delete permanently"),
    "/g/gen-1": ("Play or pause", "Save the file"),
    "/settings": ("This list",),
}
ALL = {meaning for meanings in OWN.values() for meaning in meanings}


@pytest.mark.parametrize("path", OWN)
async def test_each_page_lists_its_own_keys(user: User, stand_in: StandInServices, path: str) -> None:
    stand_in.finish(stand_in.put(request=a_request(kind=Kind.VIDEO)).id)
    await user.open(path)
    user.find(kind=BrowserBridge).trigger("help")
    await user.should_see("This list")
    with user:
        (keys,) = [one for one in ElementFilter(kind=ui.element) if "r-keys" in one.classes]
        listed = {one.text for one in keys.descendants() if isinstance(one, ui.label)}
    assert listed >= set(OWN[path])
    if path == "/settings":
        assert listed & ALL == {"This list"}
    if path == "/":
        assert "Start a new line" not in listed
        assert {"Ctrl", "⌘"} <= listed  # look/early.js shows one of them
