"""The animatic says what it is, and how to connect a model."""

from __future__ import annotations

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User

from services.app.backends import is_recognised
from services.core.model import Kind, Phase
from tests.ui.stand_in_services import AHEAD, CLOUD, FILM, SOURCE, StandInServices, a_request, settle
from ui.components import animatic_notice

pytestmark = [pytest.mark.asyncio, AHEAD]
WELCOME = "No model connected. The animatic sketches your prompts: free rehearsal, no AI model."
UNMATCHED = "The animatic found no scene for this prompt and chose one at random."


@pytest.fixture
def stand_in() -> StandInServices:
    return StandInServices([FILM])


@pytest.fixture(autouse=True)
def animatic() -> None:
    animatic_notice.install(is_recognised)


def links(user: User) -> int:
    """Returns how many visible links lead to the instructions."""
    with user:
        found = [
            one for one in ElementFilter(kind=ui.element) if one.props.get("href") == "/settings#connect"
        ]
    return sum(all(part.visible for part in [one, *one.ancestors()]) for one in found)


async def test_the_first_visit_says_what_the_animatic_is(user: User) -> None:
    await user.open("/")
    await user.should_see(WELCOME)
    assert links(user) == 2  # the empty stage's and the model field's


async def test_a_connected_model_ends_the_welcome_at_once(user: User, stand_in: StandInServices) -> None:
    stand_in.catalogue.listed = []
    await user.open("/")
    await user.should_not_see(WELCOME)
    for listed, seen in (([FILM], user.should_see), ([CLOUD, FILM], user.should_not_see)):
        stand_in.catalogue.listed = listed
        for listener in stand_in.catalogue.listeners:
            listener()
        await seen(WELCOME)


async def test_its_entry_in_the_model_list_says_so_too(user: User, stand_in: StandInServices) -> None:
    stand_in.catalogue.listed = [FILM, CLOUD]
    await user.open("/")
    with user:
        (model,) = [one for one in ElementFilter(kind=ui.select) if one.props.get("for") == "model"]
    assert model.options[FILM.backend, FILM.name] == "Animatic film · free rehearsal, no AI model"
    await user.should_see("Free rehearsal, no AI model.")
    assert links(user) == 1
    model.set_value((CLOUD.backend, CLOUD.name))
    await settle()
    assert links(user) == 0


@pytest.mark.parametrize("phase", [Phase.PROCESSING, Phase.COMPLETED])
@pytest.mark.parametrize("path", ["/", "/g/gen-1"])
async def test_a_prompt_that_it_does_not_know_is_told(
    user: User, stand_in: StandInServices, phase: Phase, path: str
) -> None:
    row = stand_in.put(prompt="Two accountants argue")
    if phase is Phase.COMPLETED:
        stand_in.finish(row.id)
    await user.open(path)
    await user.should_see(f"{UNMATCHED} Free rehearsal, no AI model.")


@pytest.mark.parametrize(
    "request_",
    [
        a_request("A lighthouse at night"),
        a_request("Два бухгалтера в лесу"),
        a_request("Nothing", backend="cloud"),
    ],
)
async def test_a_prompt_that_it_knows_and_another_backend_s_are_not(
    user: User, stand_in: StandInServices, request_: object
) -> None:
    stand_in.put(request=request_)
    await user.open("/")
    await settle()
    await user.should_not_see("chose one at random")


async def test_a_failed_one_is_not_called_a_scene_at_random(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put(prompt="Two accountants argue")
    await user.open("/")
    await user.should_see(UNMATCHED)
    stand_in.change(row.id, phase=Phase.ERROR)
    await user.should_not_see(UNMATCHED)


async def test_with_a_picture_only_light_weather_moves_and_style_count() -> None:
    for prompt, expected in (
        ("Make her dance", False),
        ("Rain at night", True),
        ("slow zoom in", True),
        ("A forest", False),
    ):
        assert is_recognised(a_request(prompt, Kind.VIDEO, source=SOURCE)) is expected, prompt


async def test_the_settings_say_how_to_connect_a_model(user: User, stand_in: StandInServices) -> None:
    await user.open("/settings")
    await user.should_see("No model connected. The animatic renders a free rehearsal, no AI model.")
    with user:
        (code,) = [one for one in ElementFilter(kind=ui.html) if "r-code" in one.classes]
    assert "SUPERDUPERAI_URL" in code.content
    stand_in.catalogue.listed = [CLOUD, FILM]
    stand_in.catalogue.problems = {"other": "other cannot be reached."}
    await user.open("/settings")
    await user.should_see("Connected: cloud.")
    await user.should_see("other cannot be reached.")
