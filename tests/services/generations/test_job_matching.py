"""Whose job is that? Only what can be nobody else's is anybody's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.backends.job_listing import ListedJob
from services.core.model import Generation, Phase
from services.generations.job_matching import Clock, answer_with, clock_of, own_jobs
from tests.support.rows import a_generation, a_request

NOON = 1_800_000_000.0
DAY_S = 86_400.0
EVER = float("-inf")


def an_intent(name: str, *, sent_at: float, **changes: Any) -> Generation:
    intent = a_generation(
        id=name,
        at=sent_at,
        request=a_request(resolution="720p"),
        phase=Phase.UNCONFIRMED,
        submitted_at=sent_at,
        possibly_accepted_since=sent_at,
    )
    return replace(intent, **changes)


def a_job(name: str, *, at: float | None, **changes: Any) -> ListedJob:
    return ListedJob(job_id=name, **({"prompt": "a kite", "seed": 7.0, "created_at": at} | changes))


def adopted(intents: list[Generation], jobs: list[ListedJob], **changes: Any) -> dict[str, str]:
    told = {"clock": Clock(), "now": NOON + DAY_S, "idempotent": False, "known_since": EVER} | changes
    return own_jobs(intents, jobs, told.pop("clock"), **told)


def test_a_single_match_is_its_own() -> None:
    assert adopted([an_intent("a", sent_at=NOON)], [a_job("j", at=NOON + 1)]) == {"a": "j"}


def test_two_that_asked_for_the_same_get_neither_the_one_job() -> None:
    both = [an_intent("a", sent_at=NOON), an_intent("b", sent_at=NOON + 20)]
    assert adopted(both, [a_job("j", at=NOON + 1)]) == {}


def test_whoever_is_sending_right_now_may_be_the_one_whose_job_it_is() -> None:
    both = [an_intent("a", sent_at=NOON), an_intent("b", sent_at=NOON + 20, phase=Phase.SUBMITTING)]
    assert adopted(both, [a_job("j", at=NOON + 21)]) == {}


def test_two_jobs_that_fit_one_intent_are_left_to_the_person() -> None:
    assert adopted([an_intent("a", sent_at=NOON)], [a_job("j", at=NOON), a_job("k", at=NOON + 5)]) == {}


def test_what_another_row_holds_is_nobodys() -> None:
    jobs = [a_job("j", at=NOON), a_job("k", at=NOON + 5)]
    assert adopted([an_intent("a", sent_at=NOON)], jobs, held={"j"}) == {"a": "k"}


def test_the_hour_tells_two_apart_that_asked_for_the_same() -> None:
    both = [an_intent("a", sent_at=NOON), an_intent("b", sent_at=NOON + 3600)]
    assert adopted(both, [a_job("j", at=NOON + 3601)]) == {"b": "j"}
    assert adopted(both, [a_job("j", at=NOON + 3601), a_job("k", at=NOON + 1)]) == {"a": "k", "b": "j"}


@pytest.mark.parametrize("at", [NOON - DAY_S, NOON - 400, NOON + 1000, NOON + DAY_S])
def test_what_was_made_before_it_was_sent_or_long_after_is_not_its_own(at: float) -> None:
    assert adopted([an_intent("a", sent_at=NOON)], [a_job("j", at=at)]) == {}


def test_one_that_was_sent_again_may_have_been_taken_at_either_time() -> None:
    again = an_intent("a", sent_at=NOON, submitted_at=NOON + 7200)
    assert adopted([again], [a_job("j", at=NOON + 7201)]) == {"a": "j"}


def test_with_a_key_it_may_have_been_taken_until_it_ended() -> None:
    idempotent = an_intent("a", sent_at=NOON, finished_at=NOON + 7200)
    assert adopted([idempotent], [a_job("j", at=NOON + 7100)], idempotent=True) == {"a": "j"}
    assert adopted([idempotent], [a_job("j", at=NOON + 7100)], idempotent=False) == {}


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "a kite."},
        {"prompt": None},
        {"seed": 8.0},
        {"seed": None},
        {"model": "n"},
        {"negative_prompt": "people"},
        {"aspect_ratio": "9:16"},
        {"duration_s": 10.0},
        {"width": 640.0},
        {"height": 360.0},
    ],
)
def test_every_setting_that_the_list_tells_must_be_the_one_asked_for(other: dict[str, Any]) -> None:
    assert adopted([an_intent("a", sent_at=NOON)], [a_job("j", at=NOON, **other)]) == {}


def test_a_list_that_does_not_reach_back_proves_nothing() -> None:
    intent, job = an_intent("a", sent_at=NOON), a_job("j", at=NOON + 1)
    assert adopted([intent], [job], known_since=NOON) == {}
    assert adopted([intent], [job], known_since=NOON - 301) == {"a": "j"}


@pytest.mark.parametrize("off_s", [-DAY_S, DAY_S])
def test_a_clock_that_is_a_day_off_is_seen_by_the_jobs_we_know_and_hides_nothing(off_s: float) -> None:
    jobs = [a_job(f"known {n}", at=NOON - 600 + n * 60 + 1 + off_s) for n in range(3)]
    submitted = {f"known {n}": NOON - 600 + n * 60 for n in range(3)}
    clock = clock_of(jobs, submitted, backend_time=None, now=NOON)
    assert clock.ahead_s == pytest.approx(off_s, abs=2)
    intent = an_intent("a", sent_at=NOON)
    old, own = a_job("old", at=NOON - DAY_S + off_s), a_job("own", at=NOON + 2 + off_s)
    assert adopted([intent], [*jobs, old, own], clock=clock, held=set(submitted)) == {"a": "own"}
    assert adopted([intent], [*jobs, old], clock=clock, held=set(submitted)) == {}


def test_a_clock_that_is_off_is_seen_by_what_the_backend_says_it_is() -> None:
    clock = clock_of([], {}, backend_time=NOON + DAY_S, now=NOON)
    assert adopted([an_intent("a", sent_at=NOON)], [a_job("j", at=NOON + DAY_S + 1)], clock=clock) == {
        "a": "j"
    }
    assert adopted([an_intent("a", sent_at=NOON)], [a_job("j", at=NOON + 1)], clock=clock) == {}


def test_one_job_that_waited_long_does_not_set_the_clock() -> None:
    jobs = [a_job("k", at=NOON), a_job("l", at=NOON + 61), a_job("m", at=NOON + 3000)]
    submitted = {"k": NOON, "l": NOON + 60, "m": NOON + 120}
    assert clock_of(jobs, submitted, backend_time=None, now=NOON).ahead_s == pytest.approx(1, abs=1)


def test_the_files_of_one_answer_are_one_job_of_the_intent() -> None:
    jobs = [a_job(name, at=NOON + 1, request_id="r") for name in ("k", "j", "l")]
    assert adopted([an_intent("a", sent_at=NOON)], jobs) == {"a": "j"}
    assert answer_with("j", [*jobs, a_job("m", at=NOON + 1)]) == ("j", "k", "l")


def test_files_of_two_answers_are_left_to_the_person() -> None:
    jobs = [a_job("j", at=NOON + 1, request_id="r"), a_job("k", at=NOON + 1, request_id="s")]
    assert adopted([an_intent("a", sent_at=NOON)], jobs) == {}


def test_a_file_of_an_answer_that_another_row_holds_is_nobodys() -> None:
    jobs = [a_job(name, at=NOON + 1, request_id="r") for name in ("j", "k")]
    assert adopted([an_intent("a", sent_at=NOON)], jobs, held={"j"}) == {}
