"""Every page of the app shows each notification once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from nicegui import Client, ElementFilter, ui
from nicegui.testing import User

from services.core.model import Generation, Kind, Phase
from tests.ui.stand_in_services import AHEAD, StandInServices
from ui.components import notifications
from ui.components.notification_settings import NotificationSettings
from ui.components.toast import Toast

pytestmark = [pytest.mark.asyncio, AHEAD]
ARRIVED = "Video generated successfully via SSE!"


def toasts(client: Client | None) -> list[Toast]:
    assert client is not None
    with client:
        return list(ElementFilter(kind=Toast))


def toast_texts(client: Client | None) -> list[str]:
    return [toast.message for toast in toasts(client)]


async def wait_for_toasts() -> None:
    await asyncio.sleep(notifications.FRAME_S + 0.1)


async def test_every_page_notifies_an_arrival_once(user: User, stand_in: StandInServices) -> None:
    """Opens every registered page, so that later ones are covered too."""
    shown = stand_in.put(prompt="on its own page")
    paths = sorted(Client.page_routes.values())
    assert {"/", "/image", "/chat/{chat_id}", "/library", "/settings"} <= set(paths)
    opened: dict[str, Client] = {}
    for path in paths:
        await user.open(path.format(generation_id=shown.id, chat_id="kites"))
        assert user.client is not None
        opened[path] = user.client
    row = stand_in.put()
    stand_in.bus.publish(row)
    stand_in.finish(row.id)
    await wait_for_toasts()
    assert {path: toast_texts(client) for path, client in opened.items()} == {
        path: [ARRIVED] for path in paths
    }


async def test_a_page_of_another_owner_is_not_notified(user: User, stand_in: StandInServices) -> None:
    await user.open("/settings")
    row = stand_in.put(owner="ada")
    stand_in.finish(row.id)
    await wait_for_toasts()
    assert toast_texts(user.client) == []


async def test_each_kind_of_event_is_notified_under_its_own_key(
    user: User, stand_in: StandInServices
) -> None:
    await user.open("/settings")
    row = stand_in.put(Phase.SUBMITTING)
    stand_in.bus.publish(row)
    failed = {"phase": Phase.ERROR, "error_code": "failed", "error_text": "no", "finished_at": time.time()}
    for turn in (
        {"phase": Phase.UNCONFIRMED},
        {"phase": Phase.PROCESSING},
        {"late_since": time.time()},
        failed,
    ):
        stand_in.change(row.id, **turn)
        await asyncio.sleep(0.01)
    stand_in.finish(row.id)
    await wait_for_toasts()
    found = [toast.props["notice"] for toast in toasts(user.client)]
    assert [notice["key"].split()[1] for notice in found] == ["unconfirmed", "late", "failed", "arrived"]
    assert {notice["address"] for notice in found} == {f"/g/{row.id}"}
    assert [notice["tone"] for notice in found] == ["trouble", "calm", "trouble", "good"]


async def test_two_tabs_are_notified_under_the_same_key(user: User, stand_in: StandInServices) -> None:
    await user.open("/settings")
    first = user.client
    await user.open("/")
    stand_in.finish(stand_in.put().id)
    await wait_for_toasts()
    (one,), (other,) = toasts(first), toasts(user.client)
    assert one.props["notice"]["key"] == other.props["notice"]["key"]


async def test_open_leads_to_it(user: User, stand_in: StandInServices) -> None:
    await user.open("/settings")
    row = stand_in.put(prompt="A kite over the sea")
    stand_in.finish(row.id)
    await wait_for_toasts()
    (toast,) = toasts(user.client)
    assert toast.props["act"] == "Open"
    assert toast.props["options"]["caption"] == "A kite over the sea"
    (listener,) = [one for one in toast._event_listeners.values() if one.type == "open"]
    toast._handle_event({"listener_id": listener.id, "args": []})
    await user.should_see("Prompt and settings")


async def test_a_change_long_after_the_end_is_not_notified_again(
    user: User, stand_in: StandInServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "MAX_ENDED", 2)
    await user.open("/settings")
    rows = [stand_in.finish(stand_in.put().id) for _ in range(4)]
    await wait_for_toasts()
    assert toast_texts(user.client) == [ARRIVED] * 4
    for row in rows:
        stand_in.change(row.id, starred_at=time.time())
    await wait_for_toasts()
    assert len(toast_texts(user.client)) == 4


async def test_an_older_snapshot_that_arrives_later_is_not_notified(
    user: User, stand_in: StandInServices
) -> None:
    await user.open("/settings")
    row = stand_in.put()
    finished = stand_in.finish(row.id)
    older: Generation = replace(finished, phase=Phase.ERROR, revision=finished.revision - 1)
    stand_in.bus.publish(older)
    await wait_for_toasts()
    assert toast_texts(user.client) == [ARRIVED]


async def test_nothing_is_kept_of_a_page_that_is_gone(user: User, stand_in: StandInServices) -> None:
    from nicegui import app

    await user.open("/settings")
    assert user.client is not None
    assert len(app.state.notifications._pages) == 1
    user.client.delete()
    assert app.state.notifications._pages == {}
    stand_in.finish(stand_in.put().id)
    await wait_for_toasts()


@pytest.mark.parametrize(
    ("language", "word"), [("en", "System notifications"), ("ru", "Системные уведомления")]
)
async def test_the_settings_offer_the_switches(user: User, language: str, word: str) -> None:
    user.http_client.headers["Accept-Language"] = language
    await user.open("/settings")
    await user.should_see("Notifications" if language == "en" else "Уведомления")
    with user:
        (switches,) = ElementFilter(kind=NotificationSettings)
    assert switches.props["words"]["system"] == word


async def test_a_prompt_is_never_markup_in_a_notification(user: User, stand_in: StandInServices) -> None:
    await user.open("/settings")
    stand_in.finish(stand_in.put(prompt="<img src=x onerror=alert(1)>").id)
    await wait_for_toasts()
    (toast,) = toasts(user.client)
    assert toast.props["options"]["html"] is False
    with user:
        assert not [one for one in ElementFilter(kind=ui.html) if "onerror" in one.content]


def batch(stand_in: StandInServices, count: int) -> list[str]:
    """Images of one request, all in work; returns their ids."""
    rows = [stand_in.put(kind=Kind.IMAGE, prompt="A kite") for _ in range(count)]
    return [stand_in.change(row.id, request_id="one request").id for row in rows]


async def test_four_images_of_one_request_are_one_toast_when_the_last_has_come(
    user: User, stand_in: StandInServices
) -> None:
    await user.open("/settings")
    first, *others = batch(stand_in, 4)
    stand_in.finish(first)
    await asyncio.sleep(20)
    assert toast_texts(user.client) == []
    for generation_id in others:
        stand_in.finish(generation_id)
    await wait_for_toasts()
    (toast,) = toasts(user.client)
    assert toast.message == "Image generated successfully via SSE!"
    assert toast.props["options"]["caption"] == "4 images: A kite"
    assert toast.props["options"]["timeout"] == 4000


@pytest.mark.parametrize(
    "end",
    [
        {"phase": Phase.ERROR, "error_code": "failed", "finished_at": 1.0},
        {"late_since": 1.0},
        {"phase": Phase.UNCONFIRMED},
        {"trashed_at": 1.0, "phase": Phase.DROPPED},
    ],
)
async def test_an_image_that_does_not_come_in_time_keeps_no_other_one_back(
    user: User, stand_in: StandInServices, end: dict[str, object]
) -> None:
    await user.open("/settings")
    first, second, last = batch(stand_in, 3)
    stand_in.finish(first)
    stand_in.finish(second)
    stand_in.change(last, **end)
    await wait_for_toasts()
    assert "2 images: A kite" in [toast.props["options"].get("caption") for toast in toasts(user.client)]
    stand_in.change(last, trashed_at=None)
    stand_in.finish(last)
    await wait_for_toasts()
    assert toast_texts(user.client).count("Image generated successfully via SSE!") == 2


async def test_what_is_on_the_stage_needs_no_button_to_it(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put()
    for path, has_button in ((f"/g/{row.id}", False), ("/", False), ("/library", True)):
        stand_in.change(row.id, phase=Phase.PROCESSING)
        await user.open(path)
        stand_in.finish(row.id)
        await wait_for_toasts()
        (toast,) = toasts(user.client)
        assert ("act" in toast.props) is has_button, path
