"""The player of what a browser shows as a picture, or not at all; without a browser."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction

from services.core.model import Generation, Kind, Phase
from tests.ui.stand_in_services import AHEAD, StandInServices, a_film, a_receipt, settle

pytestmark = [pytest.mark.asyncio, AHEAD]
HEVC = {"content_type": "video/mp4", "codec": "hevc"}
TOLD = "This browser cannot play this format (HEVC). Download it to watch it."


def finished(
    stand_in: StandInServices, kept: dict[str, object], kind: Kind = Kind.VIDEO, **fields: object
) -> Generation:
    row = stand_in.put(Phase.PROCESSING, kind=kind, prompt="a kite")
    return stand_in.change(
        row.id,
        phase=Phase.COMPLETED,
        finished_at=time.time(),
        kept=replace(a_film(), **kept),  # type: ignore[arg-type]
        receipt=a_receipt(),
        **fields,
    )


def tagged(user: User, tag: str, css: str) -> list[ui.element]:
    with user:
        return [one for one in ElementFilter(kind=ui.element) if one.tag == tag and css in one.classes]


def report(user: User, detail: object) -> None:
    """Says what the browser has found out about the player."""
    players = {*tagged(user, "video", "r-player"), *tagged(user, "img", "r-player")}
    UserInteraction(user, players, None).trigger("unshown", detail)


def downloads_on_the_player(user: User) -> list[ui.element]:
    saves = tagged(user, "a", "r-btn")
    return [one for one in saves if one.parent_slot and "r-unshown-words" in one.parent_slot.parent.classes]


@pytest.mark.parametrize("content_type", ["image/webp", "image/gif", "image/png", "image/avif"])
async def test_a_moving_picture_that_came_as_the_video_is_shown_as_a_picture(
    user: User, stand_in: StandInServices, content_type: str
) -> None:
    row = finished(stand_in, {"content_type": content_type})
    await user.open(f"/g/{row.id}")
    (still,) = tagged(user, "img", "r-player")
    assert still.props["src"] == f"/media/{row.id}/file"
    assert still.props["alt"] == "a kite"
    assert tagged(user, "video", "r-player") == []
    UserInteraction(user, {still}, None).trigger("load")
    await settle()
    assert ("shown", row.id) in stand_in.calls
    await user.should_see("Use last frame")


async def test_a_film_that_the_browser_cannot_play_is_named_and_offered_as_a_download(
    user: User, stand_in: StandInServices
) -> None:
    row = finished(stand_in, HEVC, poster="p.webp")
    await user.open(f"/g/{row.id}")
    await user.should_not_see(TOLD)
    report(user, "format")
    await user.should_see(TOLD)
    assert tagged(user, "video", "r-player") == []
    (save,) = downloads_on_the_player(user)
    assert save.props["href"] == f"/media/{row.id}/download"
    (still,) = tagged(user, "img", "r-unshown-poster")
    assert (still.props["src"], still.props["alt"]) == (f"/media/{row.id}/poster", "a kite")
    await settle()
    assert ("shown", row.id) in stand_in.calls


async def test_a_poster_that_is_drawn_later_takes_its_place(user: User, stand_in: StandInServices) -> None:
    row = finished(stand_in, HEVC)
    await user.open("/")
    report(user, "format")
    await user.should_see(TOLD)
    assert tagged(user, "img", "r-unshown-poster") == []
    stand_in.change(row.id, poster="p.webp")
    await settle()
    assert len(tagged(user, "img", "r-unshown-poster")) == 1
    await user.should_see(TOLD)
    assert len(downloads_on_the_player(user)) == 1


@pytest.mark.parametrize(
    ("kind", "kept", "told"),
    [
        (Kind.VIDEO, {"codec": "h264"}, "play this format (H.264). Download it to watch it."),
        (Kind.VIDEO, {"codec": None}, "play this format (MP4). Download it to watch it."),
        (Kind.VIDEO, {"codec": "cinepak"}, "play this format (CINEPAK). Download it to watch it."),
        (Kind.VIDEO, {"content_type": "video/x-matroska", "codec": "av1"}, "play this format (MKV with AV1)."),
        (Kind.VIDEO, {"content_type": "video/quicktime", "codec": "prores"}, "play this format (MOV with ProRes)."),
        (Kind.VIDEO, {"content_type": "image/avif"}, "play this format (AVIF). Download it to watch it."),
        (Kind.IMAGE, {"content_type": "image/tiff"}, "show this format (TIFF). Download it to see it."),
    ],
)  # fmt: skip
async def test_the_format_is_named(
    user: User, stand_in: StandInServices, kind: Kind, kept: dict[str, object], told: str
) -> None:
    row = finished(stand_in, kept, kind)
    await user.open(f"/g/{row.id}")
    report(user, "format")
    await user.should_see(told)


async def test_a_file_that_is_gone_is_told_apart_from_a_format(user: User, stand_in: StandInServices) -> None:
    row = finished(stand_in, HEVC)
    await user.open(f"/g/{row.id}")
    report(user, "gone")
    await user.should_see("This file is missing from the disk.")
    await user.should_not_see(TOLD)
    assert downloads_on_the_player(user) == []
    await settle()
    assert ("shown", row.id) not in stand_in.calls


@pytest.mark.parametrize("detail", [None, "", "<b>", 7, {}, ["format"], {"format": 1}])
async def test_what_no_browser_says_changes_nothing(
    user: User, stand_in: StandInServices, detail: object
) -> None:
    row = finished(stand_in, HEVC)
    await user.open(f"/g/{row.id}")
    report(user, detail)
    assert len(tagged(user, "video", "r-player")) == 1


async def test_another_generation_gets_a_player_of_its_own(user: User, stand_in: StandInServices) -> None:
    finished(stand_in, HEVC)
    await user.open("/")
    report(user, "format")
    await user.should_see(TOLD)
    row = stand_in.put(prompt="another")
    stand_in.finish(row.id)
    await settle()
    card = next(one for one in tagged(user, "div", "r-card") if "another" in _texts(one))
    UserInteraction(user, {card}, None).click()
    await user.should_not_see(TOLD)
    assert len(tagged(user, "video", "r-player")) == 1


def _texts(card: ui.element) -> set[str]:
    return {one.text for one in card.descendants() if isinstance(one, ui.label)}
