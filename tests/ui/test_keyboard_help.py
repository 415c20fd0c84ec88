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
    "/": ("Generate, also while typing", "Play or pause"),
    "/image": ("Generate, also while typing", "Large view: zoom in, zoom out, fit"),
    "/chat/new": ("Send the message", "Start a new line"),
    "/library": ("Select a range", "Move to trash"),
    "/library?trash=1": ("Move through the grid", "Delete permanently"),
    "/g/gen-1": ("Play or pause", "Download"),
    "/settings": ("Show this list",),
}
ALL = {meaning for meanings in OWN.values() for meaning in meanings}


@pytest.mark.parametrize("path", OWN)
async def test_each_page_lists_its_own_keys(user: User, stand_in: StandInServices, path: str) -> None:
    stand_in.finish(stand_in.put(request=a_request(kind=Kind.VIDEO)).id)
    await user.open(path)
    user.find(kind=BrowserBridge).trigger("help")
    await user.should_see("Show this list")
    with user:
        (keys,) = [one for one in ElementFilter(kind=ui.element) if "r-keys" in one.classes]
        listed = {one.text for one in keys.descendants() if isinstance(one, ui.label)}
    assert listed >= set(OWN[path])
    if path == "/settings":
        assert listed & ALL == {"Show this list"}
    if path == "/":
        assert "Start a new line" not in listed
        assert {"Ctrl", "⌘"} <= listed  # look/early.js shows one of them
