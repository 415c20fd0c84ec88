"""Codes become sentences; an unknown code falls back to a plain phrase."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.core.job_results import SAME_JOB
from services.core.model import Channel, Phase, TraceEntry
from services.generations.service import TypicalDuration
from tests.ui.stand_in_services import StandInServices, a_receipt
from ui.text import failures, labels, measure, timeline

RUNNING = StandInServices().put()


@pytest.mark.parametrize(
    ("length_s", "expected"),
    [
        (0.084, "0.08 s"),
        (6.43, "6.4 s"),
        (125, "2 min 5 s"),
        (600, "10 min"),
        (3725, "1 h 2 min"),
        (-1, "0.00 s"),
    ],
)
def test_exact_times_read_as_people_write_them(length_s: float, expected: str) -> None:
    assert measure.exactly(length_s) == expected


@pytest.mark.parametrize(
    ("length_s", "expected"),
    [
        (0.3, "about 1 s"),
        (2.2, "about 2 s"),
        (41, "about 40 s"),
        (58, "about 1 min"),
        (118, "about 2 min"),
        (7300, "about 2 h"),
    ],
)
def test_estimates_are_rough(length_s: float, expected: str) -> None:
    assert measure.roughly(length_s) == expected


@pytest.mark.parametrize(("length_s", "expected"), [(5, "0:05"), (252, "4:12"), (3723, "1:02:03")])
def test_clocks_count_as_clocks_do(length_s: float, expected: str) -> None:
    assert measure.clock(length_s) == expected


@pytest.mark.parametrize(("price", "expected"), [(0.0, "free"), (0.35, "$0.35 a second"), (None, "")])
def test_an_unknown_price_is_not_called_free(price: float | None, expected: str) -> None:
    assert measure.price(price) == expected


def test_an_estimate_names_its_source() -> None:
    assert labels.estimate(TypicalDuration(p50_s=118, p90_s=200, runs=9)) == "about 2 min, from 9 runs here"
    assert labels.estimate(TypicalDuration(p50_s=2, p90_s=2, runs=1)) == "about 2 s, from 1 run here"
    assert labels.estimate(None) == "no estimate yet"


def test_a_stage_speaks_over_the_phase() -> None:
    assert labels.message(replace(RUNNING, stage="queued")) == "Queued at the backend."


def test_an_unknown_stage_falls_back_to_the_phase() -> None:
    assert labels.message(replace(RUNNING, stage="something_new")) == "Generating."


def test_a_push_win_says_how_fast_and_what_poll_would_have_needed() -> None:
    slip = a_receipt(
        backend_finished_at=100.0,
        backend_said_at=100.01,
        kept_at=100.05,
        shown_at=100.08,
        other_due_at=106.45,
    )
    assert labels.winner_heading(slip) == "Push won"
    assert labels.delivery_heading(slip) == "shown 0.08 s after the backend finished"
    assert labels.other_channel_heading(slip) == "poll would have needed 6.4 s more"


def test_without_a_page_or_the_backends_time_the_receipt_claims_less() -> None:
    slip = a_receipt(Channel.POLL, backend_finished_at=None, backend_said_at=100.0, kept_at=100.05)
    assert labels.delivery_heading(slip) == "saved 0.05 s after the backend reported it"
    assert labels.other_channel_heading(slip) == "no push events"


@pytest.mark.parametrize("code", [*failures.CODES, "something_new"])
def test_each_failure_says_what_happened_what_about_money_and_what_to_do(code: str) -> None:
    failure = failures.explain(replace(RUNNING, phase=Phase.ERROR, error_code=code, error_text="x"))
    assert all(sentence.endswith(".") for sentence in (failure.happened, failure.money, failure.advice))
    assert failure.backend_text == ("" if code == SAME_JOB else "x")


def test_a_free_model_never_speaks_of_a_bill() -> None:
    failure = failures.explain(replace(RUNNING, phase=Phase.ERROR, error_code="failed"), free=True)
    assert failure.money == "This model is free. No charge."


@pytest.mark.parametrize(
    ("stage", "sentence", "word"),
    [
        ("queued", "Queued at the backend.", "queued"),
        ("queued:1", "Queued, next in line.", "queued, next"),
        ("queued:2", "Queued, 2nd in line.", "queued, 2nd"),
        ("queued:3", "Queued, 3rd in line.", "queued, 3rd"),
        ("queued:12", "Queued, 12th in line.", "queued, 12th"),
        ("queued:111", "Queued, 111th in line.", "queued, 111th"),
        ("queued:1021", "Queued, 1021st in line.", "queued, 1021st"),
    ],
)
def test_a_queued_one_says_its_place(stage: str, sentence: str, word: str) -> None:
    waiting = replace(RUNNING, stage=stage)
    assert (labels.message(waiting), labels.short(waiting)) == (sentence, word)
    stopping = replace(waiting, stop_requested_at=1.0)
    assert labels.message(stopping) == "Stopping."


def test_what_has_been_collected_is_not_queued_any_more() -> None:
    collecting = replace(RUNNING, stage="queued:2", phase=Phase.COLLECTING)
    assert (collecting.queued, collecting.queue_place) == (False, None)
    assert "ueue" not in labels.message(collecting)


def entry(lane: str, event: str, **data: Any) -> TraceEntry:
    return TraceEntry(owner="local", generation_id="g", seq=7, at=100.0, lane=lane, event=event, data=data)


@pytest.mark.parametrize(
    ("traced", "expected"),
    [
        (
            entry("push", "lost", reason="unauthorized", retry_in_s=600),
            "Event stream lost: key rejected; retrying in 10 min",
        ),
        (entry("push", "lost", reason="brand_new"), "Event stream lost: connection lost"),
        (entry("push", "event", heard="progress", progress=0.5), "Event: progress, 50 %"),
        (entry("push", "event", heard="progress", progress=1.0), "Event: progress, 99 %"),
        (entry("push", "event", heard="progress", progress=0.29), "Event: progress, 29 %"),
        (entry("poll", "answer", heard="result", progress=1.0), "Answer: result"),
        (entry("push", "event", heard="queued", place=3), "Event: queued, 3rd in line"),
        (entry("poll", "answer", heard="queued"), "Answer: queued"),
        (entry("poll", "attempt", n=3), "Attempt 3"),
        (entry("poll", "due", at=106.0), "Next attempt in 6.0 s"),
        (entry("engine", "won", channel="push"), "Push won: the file is saved"),
        (entry("engine", "phase", phase="no_such_phase"), "Phase changed"),
        (entry("engine", "brand_new"), "engine: brand_new"),
        (entry("poll", "due"), "Next attempt scheduled"),
    ],
)
def test_the_timeline_reads_as_sentences(traced: TraceEntry, expected: str) -> None:
    assert timeline.line(traced) == expected


def test_a_receipt_does_not_count_the_time_when_nobody_looked() -> None:
    slip = a_receipt(backend_finished_at=100.0, backend_said_at=100.01, kept_at=100.07, shown_at=250.0)
    assert labels.delivery_heading(slip) == "saved 0.07 s after the backend finished"
