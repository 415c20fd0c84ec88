"""Source pictures on the pages: uploaded, removed, reused, missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import pytest_asyncio
from nicegui import ElementFilter, ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction

from services.core.errors import InvalidRequest
from services.core.model import Kind, Phase
from tests.ui.stand_in_services import (
    AHEAD,
    CLOUD,
    FILM,
    FROM_PICTURE,
    SOURCE,
    STILL,
    STILL_FROM_PICTURE,
    StandInServices,
    a_film,
    a_request,
    settle,
)
from tests.ui.test_studio import cards, name_of, press, stage, toasts, write
from ui.components.button import Button
from ui.components.image_upload import ImageUpload

pytestmark = [pytest.mark.asyncio, AHEAD]


@pytest.fixture
def stand_in() -> StandInServices:
    return StandInServices([FILM, CLOUD, FROM_PICTURE, STILL, STILL_FROM_PICTURE])


@pytest_asyncio.fixture
async def bring(user: User):  # type: ignore[no-untyped-def]
    """Sends the event of a finished upload."""

    async def kept(name: str = SOURCE) -> None:
        user.find(kind=ImageUpload).trigger("kept", name)
        await settle()

    return kept


def models(user: User) -> list[str]:
    with user:
        return [label for one in ElementFilter(kind=ui.select) if one.props.get("for") == "model" for label in one.options.values()]  # fmt: skip


def thumbnails(user: User) -> list[str]:
    with user:
        return [
            str(one.props["src"]) for one in ElementFilter(kind=ui.element) if "r-thumbnail" in one.classes
        ]


def choose(user: User, key: str, value: object) -> None:
    with user:
        (control,) = [one for one in ElementFilter(kind=ui.select) if one.props.get("for") == key]
    control.set_value(value)


async def test_a_picture_changes_the_models_and_its_removal_brings_the_others_back(
    user: User, stand_in: StandInServices, bring
) -> None:
    await user.open("/")
    write(user, "a kite")
    choose(user, "model", ("cloud", "veo"))
    await bring()
    assert thumbnails(user) == [f"/media/source/{SOURCE}"]
    assert models(user) == ["Animatic from an image · free rehearsal, no AI model"]
    press(user, "Generate")
    await settle()
    assert (stand_in.drafts[-1].source, stand_in.drafts[-1].model) == (SOURCE, "animatic/film-from-picture")
    assert stand_in.drafts[-1].prompt == "a kite"
    press(user, "Remove image")
    await settle()
    assert thumbnails(user) == []
    press(user, "Generate")
    await settle()
    assert (stand_in.drafts[-1].source, stand_in.drafts[-1].model) == (None, "veo")
    assert stand_in.drafts[-1].prompt == "a kite"


async def test_a_name_that_is_no_source_is_not_taken(user: User, bring) -> None:
    await user.open("/")
    await bring("../../etc/passwd")
    await user.should_see("The starting image is no longer available. Add it again, or continue without it.")
    assert thumbnails(user) == []


async def test_a_failed_upload_is_shown_at_the_field(user: User) -> None:
    await user.open("/")
    user.find(kind=ImageUpload).trigger("refused", "This picture cannot be used.")
    await user.should_see("This picture cannot be used.")


async def test_a_missing_source_is_shown_when_the_page_opens_and_the_prompt_stays(
    user: User, stand_in: StandInServices, bring
) -> None:
    await user.open("/")
    write(user, "a kite")
    await bring()
    stand_in.sources.clear()
    await user.open("/")
    await user.should_see("The starting image is no longer available. Add it again, or continue without it.")
    assert thumbnails(user) == []
    assert user.find(marker="prompt").elements.pop().value == "a kite"


async def test_a_source_missing_at_submit_is_shown_at_its_field(
    user: User, stand_in: StandInServices, bring
) -> None:
    await user.open("/")
    write(user, "a kite")
    await bring()
    stand_in.refuse = InvalidRequest("The picture is gone.", field="source")
    press(user, "Generate")
    await settle()
    await user.should_see("The picture is gone.")
    assert stand_in.drafts == []


async def test_two_to_four_images_are_asked_for_at_once(user: User, stand_in: StandInServices) -> None:
    await user.open("/image")
    write(user, "a kite")
    choose(user, "count", 3)
    press(user, "Generate")
    await settle()
    assert (stand_in.counts, stand_in.drafts[0].kind) == ([3], Kind.IMAGE)
    assert len(cards(user)) == 3
    assert "is-working" in stage(user)


async def test_the_video_page_asks_for_one_and_has_no_such_field(
    user: User, stand_in: StandInServices
) -> None:
    await user.open("/")
    await user.should_not_see("Images")
    write(user, "a kite")
    press(user, "Generate")
    await settle()
    assert stand_in.counts == [1]


async def test_a_kept_image_is_used_as_a_source_where_it_lies(user: User, stand_in: StandInServices) -> None:
    image = still(stand_in)
    await user.open("/image")
    press(user, "Use as source")
    await settle()
    assert thumbnails(user) == [f"/media/source/{SOURCE}"]
    assert models(user) == ["Animatic from an image · free rehearsal, no AI model"]
    assert stand_in.calls[-1] == ("source_from", image)
    assert user.find(marker="prompt").elements.pop().value == "A still lake"


@pytest.mark.parametrize("act", ["Animate", "Use last frame"])
async def test_an_image_is_animated_and_a_film_goes_on_from_its_last_frame(
    user: User, stand_in: StandInServices, act: str
) -> None:
    shown = still(stand_in) if act == "Animate" else film(stand_in)
    await user.open(f"/g/{shown}")
    press(user, act)
    await settle()
    assert user.back_history[-1] == "/"
    await user.open("/")
    assert thumbnails(user) == [f"/media/source/{SOURCE}"]
    assert models(user) == ["Animatic from an image · free rehearsal, no AI model"]


async def test_the_form_names_the_picture_and_says_which_of_four_it_is(
    user: User, stand_in: StandInServices
) -> None:
    for _ in range(4):
        still(stand_in, request_id="four")
    await user.open("/image")
    UserInteraction(user, {cards(user)[2]}, None).click()
    await user.should_see("image 2 of 4 · animatic")
    for act in ("Animate", "Use as source"):
        with user:
            (button,) = [one for one in ElementFilter(kind=Button) if name_of(one) == act]
        assert button.props["title"] == "Starting image: image 2 of 4 · A still lake"
    press(user, "Use as source")
    await user.should_see("image 2 of 4 · A still lake")
    await user.open("/image")
    await user.should_see("image 2 of 4 · A still lake")
    press(user, "Remove image")
    await user.should_not_see("image 2 of 4 · A still lake")


async def test_an_uploaded_picture_has_its_file_s_name(user: User) -> None:
    await user.open("/")
    user.find(kind=ImageUpload).trigger("kept", [SOURCE, "<b>boat</b>.png"])
    await user.should_see("<b>boat</b>.png")


async def test_the_source_of_what_was_deleted_meanwhile_is_a_calm_sentence(
    user: User, stand_in: StandInServices
) -> None:
    image = still(stand_in)
    await user.open("/image")
    del stand_in.rows[image]
    press(user, "Use as source")
    await settle()
    assert toasts(user) == ["There is no such generation."]
    assert thumbnails(user) == []


async def test_one_page_of_a_generation_shows_what_it_started_from(
    user: User, stand_in: StandInServices
) -> None:
    row = stand_in.put(Phase.PROCESSING, request=a_request(source=SOURCE))
    await user.open(f"/g/{row.id}")
    await user.should_see("Starting image")
    assert thumbnails(user) == [f"/media/source/{SOURCE}"]


async def test_the_upload_route_answers_in_the_page_s_language(user: User, stand_in: StandInServices) -> None:
    client = await user.open("/")
    taken = await user.http_client.post(f"/_source/{client.id}", content=b"picture")
    assert (taken.status_code, taken.json()) == (201, {"source": SOURCE})
    refused = await user.http_client.post(f"/_source/{client.id}", content=b"")
    assert (refused.status_code, refused.json()) == (422, {"error": "The file is empty. Choose an image."})
    client.storage["language"] = "ru"
    refused = await user.http_client.post(f"/_source/{client.id}", content=b"")
    assert refused.json() == {"error": "Файл пустой. Выберите картинку."}
    assert (await user.http_client.post("/_source/nobody", content=b"picture")).status_code == 404


def still(stand_in: StandInServices, **fields: str) -> str:
    request = a_request("A still lake", Kind.IMAGE, model="animatic/still", duration_s=None, fps=None)
    row = stand_in.put(
        Phase.COMPLETED, request=request, kept=replace(a_film(), content_type="image/png"), **fields
    )
    return row.id


def film(stand_in: StandInServices) -> str:
    return stand_in.put(Phase.COMPLETED, kept=a_film()).id
