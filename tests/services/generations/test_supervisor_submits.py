"""What a busy, refusing or unheard backend does to a submit."""

from __future__ import annotations

import pytest

from services.backends.scripted import Script
from services.core.errors import Conflict
from services.core.model import LOCAL_OWNER, Phase
from tests.support.engine_harness import EngineHarness, after, set_script

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_a_busy_backend_sends_the_row_back_to_pending_and_it_is_sent_again(
    harness: EngineHarness,
) -> None:
    set_script(harness, Script(submits=("not_taken", "not_taken", "ok"), retry_after_s=7.0))
    generation = await harness.start()
    waiting = await after(6.9, harness, generation)
    assert (waiting.phase, waiting.stage) == (Phase.PENDING, "waiting_backend")
    assert harness.backend.submits[generation.id] == 1
    done = await after(60, harness, generation)
    assert done.phase is Phase.COMPLETED
    assert harness.backend.paid(generation.id) == 1


async def test_a_refusal_ends_it_with_the_backends_words(harness: EngineHarness) -> None:
    set_script(harness, Script(submits=("refused",)))
    ended = await after(1, harness, await harness.start())
    assert (ended.phase, ended.error_code) == (Phase.ERROR, "refused_input")
    assert "refused" in ended.error_text


@pytest.mark.parametrize("word", ["lost_before", "lost_after", "misspoke"])
async def test_a_lost_answer_is_unconfirmed_and_never_sent_twice_by_itself(
    harness: EngineHarness, word: str
) -> None:
    set_script(harness, Script(submits=(word,)))
    generation = await harness.start()
    ended = await after(4000, harness, generation)
    assert ended.phase is Phase.UNCONFIRMED
    assert harness.backend.submits[generation.id] == 1


async def test_a_keyed_backend_is_asked_again_with_the_same_key_and_paid_once(harness: EngineHarness) -> None:
    set_script(harness, Script(submits=("lost_after", "lost_before", "ok")), idempotent=True)
    generation = await harness.start()
    assert (await after(60, harness, generation)).phase is Phase.COMPLETED
    assert harness.backend.paid(generation.id) == 1


async def test_a_lost_answer_is_found_again_where_the_backend_can_be_searched(harness: EngineHarness) -> None:
    set_script(harness, Script(submits=("lost_after",)), searchable=True)
    generation = await harness.start()
    assert (await after(60, harness, generation)).phase is Phase.COMPLETED
    assert harness.backend.submits[generation.id] == 1


async def test_a_person_may_send_an_unconfirmed_one_again(harness: EngineHarness) -> None:
    set_script(harness, Script(submits=("lost_before", "ok")))
    generation = await harness.start()
    await after(5, harness, generation)
    await harness.generations.submit_again(generation.id, owner=LOCAL_OWNER)
    assert (await after(10, harness, generation)).phase is Phase.COMPLETED
    with pytest.raises(Conflict):
        await harness.generations.submit_again(generation.id, owner=LOCAL_OWNER)
